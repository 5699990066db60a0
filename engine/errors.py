"""Every error the engine raises on purpose, as one tree.

    PairLensError
    ├── PhotoError            one photo can't be used; a batch names it and goes on
    │   ├── PhotoMissing
    │   ├── PhotoEmpty
    │   ├── PhotoNotAnImage
    │   ├── PhotoDamaged
    │   ├── PhotoTooLarge
    │   ├── PhotoUnreadable
    │   ├── SidecarUnusable
    │   ├── PhotoIsLink
    │   ├── PhotoChanging
    │   ├── PhotoChangedSince
    │   ├── PhotoOnlyCopy
    │   ├── PhotoPlaceTaken
    │   ├── PhotoNotTransferred
    │   ├── PhotoNotShown
    │   ├── PhotoWithoutPreview
    │   └── RawUnsupported
    ├── InputError            what the user gave can't be used; nothing was done
    │   ├── FolderMissing
    │   ├── FolderOutside
    │   ├── NoPhotos
    │   ├── CaptionEmpty
    │   ├── QueryEmpty
    │   ├── CaptionsUnreadable
    │   ├── PairsUnreadable
    │   ├── PairIncomplete
    │   ├── TooFewJudged
    │   ├── PairsContradict
    │   ├── SidecarsMissing
    │   ├── TableUnreadable
    │   ├── TooManyPairs
    │   ├── TooManyRows
    │   ├── TooFewPhotos
    │   ├── OutputUnwritable
    │   ├── OutputKindUnknown
    │   ├── EvaluationDataMissing
    │   ├── ResultUnreadable
    │   ├── TargetUnwritable
    │   ├── SpaceMissing
    │   ├── ActionMissing
    │   ├── DeviceMissing
    │   ├── PackUnknown
    │   ├── PackAmbiguous
    │   ├── PackFixed
    │   ├── PackNotRemovable
    │   └── PackNotCalibratable
    ├── PackError             a model pack can't be used
    │   ├── PackMissing
    │   ├── PackDamaged
    │   ├── PackUnsupported
    │   ├── PackReplaced
    │   ├── PackNeedsFinder
    │   ├── PackNotPairable
    │   ├── PackFileUnusable
    │   ├── PackNotAPack
    │   ├── ModelNeedsSource
    │   ├── ModelNeedsTraining
    │   ├── ModelUnusable
    │   ├── PackNotStored
    │   └── PacksBusy
    ├── HubError              a model can't be fetched from the hub
    │   ├── HubNotAsked
    │   ├── HubUnreachable
    │   ├── HubModelClosed
    │   └── HubModelUnusable
    ├── LibraryError          an index can't be used
    │   ├── LibraryMissing
    │   ├── LibraryUnknown
    │   ├── FolderTaken
    │   ├── LibraryBusy
    │   ├── LibraryTooNew
    │   └── LibraryDamaged
    └── ActionError           photos can't be copied or moved, or no further
        ├── DiskFull
        ├── TargetVanished
        ├── ActionsBusy
        └── JournalUnusable

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


class SidecarUnusable(PhotoError):
    code = "sidecar_unusable"
    template = (
        "{path}: the caption file beside it, {sidecar}, can't be used ({reason}). "
        "Write the caption into a UTF-8 text file of that name."
    )


class PhotoIsLink(PhotoError):
    code = "photo_is_link"
    template = (
        "{path}: this is a link to a photo that is kept elsewhere, so it was not moved. "
        "Copy it instead, or move the photo itself."
    )


class PhotoChanging(PhotoError):
    code = "photo_changing"
    template = (
        "{path}: the photo changed while it was being copied. Wait until the program that writes "
        "it is done, then try again."
    )


class PhotoChangedSince(PhotoError):
    code = "photo_changed_since"
    template = (
        "{path}: this file changed after PairLens put it here, so it was left alone. "
        "Look at it, and delete or move it yourself."
    )


class PhotoOnlyCopy(PhotoError):
    code = "photo_only_copy"
    template = (
        "{path}: this copy was left alone, because the photo it was made of is not at {source} "
        "any more, or has changed. Bring that back and undo again, or delete the copy yourself."
    )


class PhotoPlaceTaken(PhotoError):
    code = "photo_place_taken"
    template = (
        "{path}: this photo was left where it is, because there is another file at {target} now. "
        "Move that file away, then undo again."
    )


class PhotoNotTransferred(PhotoError):
    code = "photo_not_transferred"
    template = (
        "{path}: this photo can't be brought to {target} ({reason}). Check that both folders are "
        "there and may be changed, and that no other program holds the photo."
    )


class PhotoNotShown(PhotoError):
    code = "photo_not_shown"
    template = (
        "{path}: no other program could be started to show this file ({reason}). Look for it in "
        "your file manager, or choose a program for such files in the settings of your system."
    )


class InputError(PairLensError):
    """What the user gave can't be used; nothing was done."""

    code = "input"


class FolderMissing(InputError):
    code = "folder_missing"
    template = "{path}: there is no such folder. Check the name, or whether its drive is connected."


class FolderOutside(InputError):
    code = "folder_outside"
    template = (
        "{path}: this folder is not in the library {name}. Choose one in {folders}, or add it: "
        "pairlens index FOLDER --library NAME"
    )


class NoPhotos(InputError):
    code = "no_photos"
    template = "{path}: no photos were found in this folder. Choose a folder that holds pictures."


class CaptionEmpty(InputError):
    code = "caption_empty"
    template = "There is no caption to match with. Write at least one word."


class QueryEmpty(InputError):
    code = "query_empty"
    template = "There is nothing to search for. Give words, a photo, or both."


class CaptionsUnreadable(InputError):
    code = "captions_unreadable"
    template = (
        "{path}: the captions can't be read ({reason}). "
        "Give a UTF-8 text file with one caption on each line, or a CSV file with a column caption."
    )


class PairsUnreadable(InputError):
    code = "pairs_unreadable"
    template = (
        "{path}: the pairs can't be read ({reason}). "
        "Give a UTF-8 CSV file with the columns photo and caption."
    )


class PairIncomplete(InputError):
    code = "pair_incomplete"
    template = (
        "Line {line} has no photo or no caption. Write the photo's name, a comma or a tab, and "
        "then its caption."
    )


class TooFewJudged(InputError):
    code = "too_few_judged"
    template = (
        "{right} pairs that match and {wrong} that don't are too few to tell how sure the model "
        "may be: {least} of each are needed. Judge more pairs; a photo and its caption give one "
        "that matches, and with another photo's caption one that does not."
    )


class PairsContradict(InputError):
    code = "pairs_contradict"
    template = (
        "By these pairs the model says no more of those that match than of the others, so nothing "
        "was changed. See whether yes and no are the right way round in the column match; if they "
        "are, this model is of no use for these photos."
    )


class SidecarsMissing(InputError):
    code = "sidecars_missing"
    template = (
        "{path}: no photo here has a caption file beside it. Keep the caption of photo.jpg in "
        "photo.txt, or give the captions in a file."
    )


class TooManyPairs(InputError):
    code = "too_many_pairs"
    template = (
        "{photos} photos with {captions} captions are {pairs} pairs. An assignment, or a threshold "
        "from false alarms, has to hold them all at once, and {limit} is the most. "
        "Take a part of the folder or fewer captions."
    )


class TooManyRows(InputError):
    code = "too_many_rows"
    template = (
        "{photos} photos with {captions} captions are {pairs} rows, more than the {limit} that can "
        "be shown here. Ask for the best caption only, take a part of the folder or fewer "
        "captions, or let the command line write them all: pairlens batch --mode all"
    )


class TooFewPhotos(InputError):
    code = "too_few_photos"
    template = (
        "{found} unrelated pairs are too few to tell what happens once in {n}. Allow more false "
        "alarms (a smaller number), take a folder with more photos, or set the threshold by hand."
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


class OutputKindUnknown(InputError):
    code = "output_kind_unknown"
    template = (
        "{path}: results can't be written as {suffix}. Give a name that ends in .csv, .json or "
        ".html."
    )


class EvaluationDataMissing(InputError):
    code = "evaluation_data_missing"
    template = (
        "{path}: no evaluation data here ({reason}). Give a folder laid out like Flickr8k: "
        "images/, captions.en.tsv and test.txt."
    )


class ResultUnreadable(InputError):
    code = "result_unreadable"
    template = (
        "{path}: the result can't be read ({reason}). Give the CSV file that pairlens batch "
        "writes, with the columns photo, caption, match and rank."
    )


class TargetUnwritable(InputError):
    code = "target_unwritable"
    template = (
        "{path}: no photo can be put into this folder, because it may not be written to. Choose "
        "another one, or change its permissions."
    )


class SpaceMissing(InputError):
    code = "space_missing"
    template = (
        "{path}: there is not enough space for this: {needed} MB are needed and {free} MB are "
        "free. Make room or choose another drive."
    )


class ActionMissing(InputError):
    code = "action_missing"
    template = "There is no such action to undo. List what was done with: pairlens actions"


class DeviceMissing(InputError):
    code = "device_missing"
    template = (
        "The model can't run on CUDA: {reason}. Ask for --device cpu, or leave --device out: the "
        "processor is used then."
    )


class PackUnknown(InputError):
    code = "pack_unknown"
    template = (
        "There is no model pack called {name} here. See which there are with: pairlens models list"
    )


class PackAmbiguous(InputError):
    code = "pack_ambiguous"
    template = "{name} may be any of several model packs. Name one by its model id: {found}"


class PackFixed(InputError):
    code = "pack_fixed"
    template = (
        "{path}: PAIRLENS_PACK names this model pack, so no other one can be chosen. Start "
        "PairLens without that variable, then choose again."
    )


class PackNotRemovable(InputError):
    code = "pack_not_removable"
    template = (
        "{path}: only imported model packs can be removed, and this one was not imported. It comes "
        "with PairLens, or was named in PAIRLENS_PACK."
    )


class PackNotCalibratable(InputError):
    code = "pack_not_calibratable"
    template = (
        "{path}: only imported model packs can be calibrated, and this one was not imported. The "
        "one that comes with PairLens is calibrated already; name another: pairlens models list"
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
        "{path}: the model pack is damaged ({reason}). Import it again; if it is the one that "
        "comes with PairLens, install PairLens again."
    )


class PackUnsupported(PackError):
    code = "pack_unsupported"
    template = (
        "{path}: this PairLens can't use the model pack ({reason}). Update PairLens or choose "
        "another pack."
    )


class PackReplaced(PackError):
    """Tells of the model pack that was chosen; not raised, as the default one answers."""

    code = "pack_replaced"
    template = (
        "{path}: the model pack that you chose can't be used ({reason}), so the default one "
        "answers instead. Import it again, or choose another with: pairlens models use NAME"
    )


class PackNeedsFinder(PackError):
    code = "pack_needs_finder"
    template = (
        "{path}: this model pack says whether a caption fits a photo, but can't search. Pair it "
        'with one that finds: pairlens models pair FINDER "{name}"'
    )


class PackNotPairable(PackError):
    code = "pack_not_pairable"
    template = (
        "{path}: this model pack can't be the {part} of a pair ({reason}). FINDER is one made of "
        "CLIP, Chinese-CLIP or SigLIP; DECIDER one made of BLIP or ViLT."
    )


class PackFileUnusable(PackError):
    code = "pack_file_unusable"
    template = (
        "{path}: this can't be imported as a model pack ({reason}). Nothing was changed. Get the "
        "file again from where it came from."
    )


class PackNotAPack(PackError):
    code = "pack_not_a_pack"
    template = (
        "{path}: this is neither a .pairlens file, nor the folder of a model pack, nor that of a "
        "model with a config.json as the Hugging Face hub has them."
    )


class ModelNeedsSource(PackError):
    code = "model_needs_source"
    template = (
        "{path}: this PairLens can't make a model pack of another model. That needs PairLens "
        "installed from its source, whose docs/models.md says how; the .pairlens file that it "
        "exports can be imported here."
    )


class ModelNeedsTraining(PackError):
    code = "model_needs_training"
    template = (
        "{path}: making a model pack of another model needs what training needs, and {missing} "
        "is missing. Install it in the folder of PairLens's source with: {command}"
    )


class ModelUnusable(PackError):
    code = "model_unusable"
    template = (
        "{path}: no model pack can be made of this model ({reason}). Nothing was changed. Take "
        "another one; docs/models.md says which can be used."
    )


class PackNotStored(PackError):
    code = "pack_not_stored"
    template = (
        "{path}: the model pack can't be kept here ({reason}). Nothing was changed. Make room and "
        "see to it that this folder may be written to, or name another place in PAIRLENS_HOME."
    )


class PacksBusy(PackError):
    code = "packs_busy"
    template = (
        "{path}: another PairLens is importing or removing a model pack. Wait until that is done, "
        "then try again."
    )


class HubError(PairLensError):
    """A model can't be fetched. ``fields`` always has ``name`` and ``host``."""

    code = "hub"


class HubNotAsked(HubError):
    code = "hub_not_asked"
    template = (
        "{name}: there is no such file or folder, and nothing was fetched. If it is the name of a "
        "model on {host}, this fetches it from there: pairlens models import {name} --download"
    )


class HubUnreachable(HubError):
    code = "hub_unreachable"
    template = (
        "{name}: it can't be fetched from {host} now ({reason}). Nothing was imported. See to the "
        "connection, then give the same command again: it goes on where it stopped."
    )


class HubModelClosed(HubError):
    code = "hub_model_closed"
    template = (
        "{name}: {host} has no such model, or gives it only to people who have signed in. Check "
        "the name. If its page asks you to agree to something first, do that in your browser, save "
        "the model's files into a folder and import the folder."
    )


class HubModelUnusable(HubError):
    code = "hub_model_unusable"
    template = (
        "{name}: this model can't be fetched from {host} ({reason}). Nothing was imported. Choose "
        "another model; docs/models.md names some."
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


class LibraryIndexing(LibraryError):
    code = "library_indexing"
    template = (
        "{name}: this library is being indexed now, so it can't be renamed. "
        "Wait until that is done, or end it, and rename the library then."
    )


class NameEmpty(LibraryError):
    code = "name_empty"
    template = "A library can't be without a name. Give at least one letter or digit."


class NameTaken(LibraryError):
    code = "name_taken"
    template = "There is a library called {name} already. Choose another name."


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


class ActionError(PairLensError):
    """Photos can't be copied or moved, or no further. ``fields`` always has ``path``."""

    code = "action"


class DiskFull(ActionError):
    code = "disk_full"
    template = (
        "{path}: the drive is full. What was done until then is kept. Make room and do the rest, "
        "or undo it."
    )


class TargetVanished(ActionError):
    code = "target_vanished"
    template = (
        "{path}: this folder is not there any more. What was done until then is kept. "
        "Check whether its drive is connected."
    )


class ActionsBusy(ActionError):
    code = "actions_busy"
    template = (
        "Another PairLens is copying or moving photos. Wait until it is done, then try again. "
        "(The journal is {path}.)"
    )


class JournalUnusable(ActionError):
    code = "journal_unusable"
    template = (
        "{path}: the journal of what was copied and moved can't be used ({reason}), and without "
        "it no photo is copied or moved. Make room on its drive; if that is not it, move this "
        "file away: earlier actions can't be undone then."
    )
