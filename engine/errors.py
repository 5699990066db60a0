"""Every error the engine raises on purpose, as one tree.

    PairLensError
    ├── PhotoError            one photo can't be used; a batch names it and goes on
    │   ├── PhotoMissing
    │   ├── PhotoEmpty
    │   ├── PhotoNotAnImage
    │   ├── PhotoDamaged
    │   ├── PhotoTooLarge
    │   ├── PhotoWithoutPreview
    │   ├── RawUnsupported
    │   └── PhotoUnreadable
    ├── InputError            what the user gave can't be used; nothing was done
    │   ├── FolderMissing
    │   ├── NoPhotos
    │   ├── CaptionEmpty
    │   ├── CaptionsUnreadable
    │   ├── PairsUnreadable
    │   ├── TableUnreadable
    │   ├── OutputUnwritable
    │   └── EvaluationDataMissing
    ├── PackError             a model pack can't be used
    │   ├── PackMissing
    │   ├── PackDamaged
    │   └── PackUnsupported
    └── LibraryError          an index can't be used
        ├── LibraryMissing
        ├── LibraryUnknown
        ├── FolderTaken
        ├── LibraryBusy
        ├── LibraryTooNew
        └── LibraryDamaged

Each class has a ``code`` and an English ``template`` that says what happened, why, and what to do.
The library raises; the edge (command line, window) translates: the window looks ``code`` up in its
locale files, which hold a sentence with the same fields for every code.
"""

from __future__ import annotations

from typing import ClassVar


class PairLensError(Exception):
    """Base of all errors with a message meant for the user.

    Args:
        **fields: values for the placeholders of the class's ``template``.
    """

    code: ClassVar[str] = "error"
    template: ClassVar[str] = "Something went wrong: {reason}."

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(self.template.format(**fields))

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions pickle by positional arguments; ours take keywords only.
        return (_rebuild, (type(self), self.fields))


def _rebuild(kind: type[PairLensError], fields: dict[str, object]) -> PairLensError:
    return kind(**fields)


class PhotoError(PairLensError):
    """One photo can't be used. ``fields`` always has ``path``."""

    code = "photo"


class PhotoMissing(PhotoError):
    code = "photo_missing"
    template = "{path}: there is no such file. Check the name, or whether its drive is connected."


class PhotoEmpty(PhotoError):
    code = "photo_empty"
    template = "{path}: the file is empty (0 bytes). Copy it again from where it came from."


class PhotoNotAnImage(PhotoError):
    code = "photo_not_an_image"
    template = (
        "{path}: this is not a picture PairLens can read, whatever its name says. "
        "Use JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or RAW."
    )


class PhotoDamaged(PhotoError):
    code = "photo_damaged"
    template = (
        "{path}: the picture is damaged or only half there ({reason}). "
        "Copy it again from where it came from."
    )


class PhotoTooLarge(PhotoError):
    code = "photo_too_large"
    template = (
        "{path}: the picture has {megapixels} megapixels, more than the {limit} PairLens opens. "
        "Save a smaller copy and use that."
    )


class PhotoWithoutPreview(PhotoError):
    code = "photo_without_preview"
    template = (
        "{path}: this RAW photo has no preview inside that can be used. "
        "Save it as JPEG with your camera's program and use that."
    )


class RawUnsupported(PhotoError):
    code = "raw_unsupported"
    template = (
        "{path}: this is a RAW photo, and what reads those is not installed. "
        'Run: pip install "pairlens[raw]", or save it as JPEG and use that.'
    )


class PhotoUnreadable(PhotoError):
    code = "photo_unreadable"
    template = (
        "{path}: the file can't be opened ({reason}). Check its permissions and that no other "
        "program holds it."
    )


class InputError(PairLensError):
    """What the user gave can't be used; nothing was done."""

    code = "input"


class FolderMissing(InputError):
    code = "folder_missing"
    template = "{path}: there is no such folder. Check the name, or whether its drive is connected."


class NoPhotos(InputError):
    code = "no_photos"
    template = "{path}: no photos were found in this folder. Choose a folder that holds pictures."


class CaptionEmpty(InputError):
    code = "caption_empty"
    template = "There is no caption to match with. Write at least one word."


class CaptionsUnreadable(InputError):
    code = "captions_unreadable"
    template = (
        "{path}: the captions can't be read ({reason}). "
        "Give a UTF-8 text file with one caption on each line."
    )


class PairsUnreadable(InputError):
    code = "pairs_unreadable"
    template = (
        "{path}: the pairs can't be read ({reason}). "
        "Give a UTF-8 CSV file with the columns photo and caption."
    )


class TableUnreadable(InputError):
    code = "table_unreadable"
    template = (
        "{path}: the table can't be read ({reason}). Give a UTF-8 text file with a header line and "
        "the columns {columns}, separated by tabs."
    )


class OutputUnwritable(InputError):
    code = "output_unwritable"
    template = "{path}: the result can't be written here ({reason}). Choose another place."


class EvaluationDataMissing(InputError):
    code = "evaluation_data_missing"
    template = (
        "{path}: no evaluation data here ({reason}). Give a folder laid out like Flickr8k: "
        "images/, captions.en.tsv and test.txt."
    )


class PackError(PairLensError):
    """A model pack can't be used. ``fields`` always has ``path``."""

    code = "pack"


class PackMissing(PackError):
    code = "pack_missing"
    template = (
        "{path}: there is no model pack here. Install PairLens again, or name the folder of a "
        "model pack in PAIRLENS_PACK."
    )


class PackDamaged(PackError):
    code = "pack_damaged"
    template = (
        "{path}: the model pack is damaged ({reason}). Install PairLens again to get a whole one."
    )


class PackUnsupported(PackError):
    code = "pack_unsupported"
    template = (
        "{path}: this PairLens can't use the model pack ({reason}). Update PairLens or choose "
        "another pack."
    )


class LibraryError(PairLensError):
    """An index can't be used."""

    code = "library"


class LibraryMissing(LibraryError):
    code = "library_missing"
    template = "{path}: this folder has not been indexed. Run: pairlens index {quoted}"


class LibraryUnknown(LibraryError):
    code = "library_unknown"
    template = "There is no library called {name}. See which there are with: pairlens libraries"


class FolderTaken(LibraryError):
    code = "folder_taken"
    template = (
        "{path}: this folder is in the library {name} already. "
        "Leave out --library, or delete that library first: pairlens forget"
    )


class LibraryBusy(LibraryError):
    code = "library_busy"
    template = (
        "{path}: another PairLens is indexing this library. It can be searched meanwhile; "
        "wait until that is done to index it here."
    )


class LibraryTooNew(LibraryError):
    code = "library_too_new"
    template = (
        "{path}: this index was made by a newer PairLens. Update PairLens, or move this file away "
        "and index the folder again."
    )


class LibraryDamaged(LibraryError):
    code = "library_damaged"
    template = (
        "{path}: the index is damaged ({reason}); it was set aside as {aside}. "
        "Index the folder again to rebuild it: no photo was touched."
    )
