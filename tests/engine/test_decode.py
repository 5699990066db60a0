from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from engine.decode import MAX_MEGAPIXELS, PHOTO_SUFFIXES, decode, read_details
from engine.errors import (
    PhotoDamaged,
    PhotoEmpty,
    PhotoError,
    PhotoMissing,
    PhotoNotAnImage,
    PhotoTooLarge,
    PhotoUnreadable,
    PhotoWithoutPreview,
    RawUnsupported,
)
from engine.preprocess import Preprocessing, to_pixels
from tests.fixtures import photos

Colour = tuple[int, int, int]
WHITE = (255, 255, 255)


def at(image: Image.Image, x: float, y: float) -> Colour:
    """The colour at a place given in shares of width and height."""
    red, green, blue = image.getpixel((int(x * image.width), int(y * image.height)))
    return red, green, blue


def near(found: Colour, wanted: Colour, by: int = 12) -> bool:
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= by


def is_upright(image: Image.Image, by: int = 12) -> bool:
    return (
        near(at(image, 0.25, 0.25), photos.RED, by)
        and near(at(image, 0.75, 0.25), photos.GREEN, by)
        and near(at(image, 0.25, 0.75), photos.BLUE, by)
        and near(at(image, 0.75, 0.75), photos.YELLOW, by)
    )


@pytest.mark.parametrize(
    "name", ["a.jpg", "a.jpeg", "a.png", "a.webp", "a.avif", "a.tif", "a.tiff", "a.bmp", "a.gif"]
)
def test_every_format_gives_the_same_rgb_picture(tmp_path: Path, name: str) -> None:
    image = decode(photos.save(photos.corners(), tmp_path / name))

    assert (image.mode, image.size) == ("RGB", (96, 64))
    assert is_upright(image)


def test_a_heic_photo_is_read(tmp_path: Path) -> None:
    image = decode(photos.save_heic(photos.corners(), tmp_path / "a.heic"))

    assert (image.mode, image.size) == ("RGB", (96, 64))
    assert is_upright(image)


def test_a_turned_heic_photo_is_turned_once(tmp_path: Path) -> None:
    stored = photos.corners().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6

    image = decode(photos.save_heic(stored, tmp_path / "a.heic", exif=exif.tobytes()))

    assert image.size == (96, 64)
    assert is_upright(image)


def test_a_heic_preview_is_used_where_it_is_large_enough(tmp_path: Path) -> None:
    path = photos.save_heic(photos.corners(960, 640), tmp_path / "a.heic", thumbnails=[240, 480])

    # The preview of 480 is 320 high: enough for 160, which leaves the one of 240 too small.
    assert decode(path, least_side=320).size == (480, 320)
    assert decode(path, least_side=400).size == (960, 640)
    assert is_upright(decode(path, least_side=320))


def test_a_heic_preview_gives_the_model_the_same_pixels_as_the_whole_photo(
    tmp_path: Path,
) -> None:
    smooth = photos.noise(24, 16).resize((960, 640), Image.Resampling.BICUBIC)
    path = photos.save_heic(smooth, tmp_path / "a.heic", thumbnails=[480])
    how = Preprocessing(size=192, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))

    preview = decode(path, least_side=how.decode_side)

    assert preview.size == (480, 320)
    assert np.abs(to_pixels(preview, how) - to_pixels(decode(path), how)).mean() < 2 / 255


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, None),
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_a_raw_photo_is_read_by_its_preview(
    tmp_path: Path, orientation: int, stored: Image.Transpose | None
) -> None:
    wide = stored in (None, Image.Transpose.ROTATE_180)
    upright = photos.corners(320, 240) if wide else photos.corners(240, 320)
    preview = upright if stored is None else upright.transpose(stored)
    path = photos.dng(tmp_path / "a.DNG", preview, orientation)

    image = decode(path)

    assert (image.mode, image.size) == ("RGB", upright.size)
    assert is_upright(image)
    assert is_upright(decode(path, least_side=60))
    details = read_details(path)
    assert (details.width, details.height) == ((64, 48) if wide else (48, 64))


def test_a_raw_photo_without_preview_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PhotoWithoutPreview, match="Save it as JPEG"):
        decode(photos.dng(tmp_path / "a.dng", None))


def test_without_its_package_a_raw_photo_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)  # as if it were not installed
    path = photos.dng(tmp_path / "a.dng", photos.corners())

    for read in (decode, read_details):
        with pytest.raises(RawUnsupported, match=r"pip install .pairlens\[raw\]"):
            read(path)
    # An ordinary picture that is named like one needs nothing.
    assert is_upright(decode(photos.save(photos.corners(), tmp_path / "a.png").rename(path)))


@pytest.mark.parametrize("content", [b"words", b"II*\0", b"II*\0" + bytes(200)])
def test_what_is_only_named_raw_is_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nef").write_bytes(content)

    with pytest.raises((PhotoNotAnImage, PhotoDamaged)):
        decode(tmp_path / "a.nef")


def test_a_raw_photo_cut_short_is_named_as_damaged(tmp_path: Path) -> None:
    path = photos.dng(tmp_path / "a.dng", photos.noise(200, 150))
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises((PhotoDamaged, PhotoWithoutPreview)):
        decode(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif", "a.tif", "a.heic"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_details_have_the_size_of_the_upright_picture(
    tmp_path: Path, name: str, orientation: int
) -> None:
    path, exif = tmp_path / name, photos.taken("2021:07:08 09:10:11", orientation)
    if name.endswith("heic"):
        photos.save_heic(photos.corners(), path, exif=exif.tobytes())
    else:
        photos.save(photos.corners(), path, exif=exif)

    details = read_details(path)

    assert (details.width, details.height) == decode(path).size
    if name in ("a.jpg", "a.png", "a.webp", "a.heic"):
        assert details.taken == "2021-07-08T09:10:11"


@pytest.mark.parametrize("when", ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "x\0"])
def test_without_a_date_a_photo_was_taken_when_its_file_was_written(
    tmp_path: Path, when: str
) -> None:
    path = photos.save(photos.corners(), tmp_path / "a.jpg", exif=photos.taken(when))
    os.utime(path, (86400 * 365, 86400 * 365))

    assert read_details(path).taken.startswith(("1970-12-31", "1971-01-01"))


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    path = photos.save(photos.corners(), tmp_path / "a.png")

    assert is_upright(decode(path.rename(tmp_path / "a.jpg")))


def test_suffixes_are_lower_case_with_a_dot() -> None:
    assert {".jpg", ".heic", ".tiff"} <= PHOTO_SUFFIXES
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in PHOTO_SUFFIXES)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_puts_a_photo_upright(tmp_path: Path, orientation: int) -> None:
    image = decode(photos.turned(tmp_path / "a.jpg", orientation))

    assert image.size == (96, 64)
    assert is_upright(image)


def test_a_turned_tiff_is_turned_once(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = photos.corners().transpose(Image.Transpose.ROTATE_90)

    image = decode(photos.save(stored, tmp_path / "a.tif", exif=exif))

    assert image.size == (96, 64)
    assert is_upright(image)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_does_not_spoil_the_photo(tmp_path: Path) -> None:
    path = photos.save(photos.corners(), tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")

    assert is_upright(decode(path))


def test_a_cmyk_photo_becomes_rgb(tmp_path: Path) -> None:
    path = photos.save(photos.corners().convert("CMYK"), tmp_path / "a.jpg", quality=95)

    assert is_upright(decode(path))


def test_a_palette_photo_becomes_rgb(tmp_path: Path) -> None:
    path = photos.save(photos.corners().quantize(16), tmp_path / "a.png")

    assert is_upright(decode(path))


def test_a_palette_with_transparency_is_laid_on_white(tmp_path: Path) -> None:
    image = photos.corners().quantize(4)
    clear = image.getpixel((0, 0))

    path = photos.save(image, tmp_path / "a.png", transparency=clear)

    assert at(decode(path), 0.25, 0.25) == WHITE
    assert near(at(decode(path), 0.75, 0.75), photos.YELLOW)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (40, 40), (0, 0, 0)).convert(mode)
    image.putalpha(Image.linear_gradient("L").resize((40, 40)))

    decoded = decode(photos.save(image, tmp_path / "a.png"))

    assert near(at(decoded, 0.5, 0.0), WHITE)
    assert near(at(decoded, 0.5, 0.5), (126, 126, 126))
    assert near(at(decoded, 0.5, 0.99), (0, 0, 0))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bit_greyscale_is_scaled_and_not_clipped(tmp_path: Path, name: str) -> None:
    values = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    path = photos.save(Image.fromarray(values), tmp_path / name)

    grey = np.asarray(decode(path))[..., 0].reshape(-1)

    assert np.abs(grey.astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_32_bit_greyscale_fills_the_range(tmp_path: Path, kind: type[np.generic]) -> None:
    values = np.linspace(-5000, 900_000, 256).astype(kind).reshape(16, 16)
    path = photos.save(Image.fromarray(values), tmp_path / "a.tif")

    grey = np.asarray(decode(path))[..., 0].reshape(-1)

    assert np.abs(grey.astype(int) - np.arange(256)).max() <= 1


def test_an_even_float_picture_is_black_and_no_division_by_zero(tmp_path: Path) -> None:
    values = np.full((8, 8), np.nan, np.float32)

    image = decode(photos.save(Image.fromarray(values), tmp_path / "a.tif"))

    assert at(image, 0.5, 0.5) == (0, 0, 0)


def test_a_black_and_white_picture_is_read(tmp_path: Path) -> None:
    image = Image.new("1", (20, 20), 1)

    assert at(decode(photos.save(image, tmp_path / "a.png")), 0.5, 0.5) == WHITE


def test_a_lab_picture_becomes_rgb(tmp_path: Path) -> None:
    image = Image.new("LAB", (20, 20), (255, 128, 128))

    assert near(at(decode(photos.save(image, tmp_path / "a.tif")), 0.5, 0.5), WHITE)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_an_animation_gives_its_first_frame(tmp_path: Path, name: str) -> None:
    frames = [photos.corners(), Image.new("RGB", (96, 64), (0, 0, 0))]

    path = photos.save(frames[0], tmp_path / name, save_all=True, append_images=frames[1:])

    assert is_upright(decode(path))


def swapped_profile() -> bytes:
    """A profile whose red is what sRGB calls blue, and the other way round."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    # Its name must not claim to be sRGB any longer.
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_an_embedded_colour_profile_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (20, 20), (250, 10, 10))

    path = photos.save(image, tmp_path / "a.png", icc_profile=swapped_profile())

    assert near(at(decode(path), 0.5, 0.5), (10, 10, 250))


def test_an_rgb_profile_on_a_grey_photo_is_harmless(tmp_path: Path) -> None:
    path = photos.save(
        Image.new("L", (20, 20), 128), tmp_path / "a.png", icc_profile=swapped_profile()
    )

    assert near(at(decode(path), 0.5, 0.5), (128, 128, 128), 2)


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_broken_colour_profile_is_ignored(tmp_path: Path, profile: bytes) -> None:
    path = photos.save(photos.corners(), tmp_path / "a.png", icc_profile=profile)

    assert is_upright(decode(path))


def test_a_profile_for_other_channels_is_ignored(tmp_path: Path) -> None:
    path = photos.save(
        photos.corners().convert("CMYK"),
        tmp_path / "a.jpg",
        quality=95,
        icc_profile=swapped_profile(),
    )

    assert is_upright(decode(path))


def test_nothing_of_the_file_stays_with_the_image(tmp_path: Path) -> None:
    image = decode(photos.turned(tmp_path / "a.jpg", 6))

    assert image.info == {}
    assert dict(image.getexif()) == {}
    assert type(image) is Image.Image


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_least_side_gives_a_smaller_image_of_the_same_picture(tmp_path: Path, name: str) -> None:
    path = photos.save(photos.corners(1600, 900), tmp_path / name)

    image = decode(path, least_side=100)

    assert min(image.size) >= 100
    assert max(image.size) < 400
    assert abs(image.width / image.height - 1600 / 900) < 0.05
    assert is_upright(image)


def test_least_side_holds_for_the_shorter_side_of_a_long_photo(tmp_path: Path) -> None:
    path = photos.save(photos.corners(4000, 220), tmp_path / "a.jpg")

    assert decode(path, least_side=200).height >= 200


def test_least_side_never_enlarges(tmp_path: Path) -> None:
    path = photos.save(photos.corners(), tmp_path / "a.jpg")

    assert decode(path, least_side=1000).size == (96, 64)


def test_a_shrunk_photo_is_close_to_the_full_one(tmp_path: Path) -> None:
    smooth = photos.noise(24, 16).resize((1200, 800), Image.Resampling.BICUBIC)
    path = photos.save(smooth, tmp_path / "a.jpg", quality=95)
    size = (64, 64)

    small = np.asarray(decode(path, least_side=96).resize(size, reducing_gap=2.0), dtype=float)
    full = np.asarray(decode(path).resize(size), dtype=float)

    assert np.abs(small - full).mean() < 1.5


def test_a_truncated_jpeg_is_named_as_damaged(tmp_path: Path) -> None:
    path = photos.truncated(tmp_path / "a.jpg")

    with pytest.raises(PhotoDamaged, match=r"a\.jpg.*damaged.*truncated"):
        decode(path)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.avif", "a.gif", "a.tif"])
def test_a_photo_cut_short_is_named_as_damaged(tmp_path: Path, name: str) -> None:
    path = photos.save(photos.noise(), tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(PhotoDamaged):
        decode(path)


def test_a_heic_cut_short_is_named_as_damaged(tmp_path: Path) -> None:
    path = photos.save_heic(photos.noise(), tmp_path / "a.heic")
    path.write_bytes(path.read_bytes()[:300])

    with pytest.raises(PhotoDamaged):
        decode(path)


def test_an_empty_file_is_named_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.touch()

    with pytest.raises(PhotoEmpty):
        decode(path)


def test_text_named_jpg_is_named_as_no_image(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_text("Dear diary, today I took no photo.")

    with pytest.raises(PhotoNotAnImage):
        decode(path)


def test_an_image_of_a_kind_not_offered_is_no_image(tmp_path: Path) -> None:
    # Encapsulated PostScript would be handed to another program.
    path = tmp_path / "a.jpg"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")

    with pytest.raises(PhotoNotAnImage):
        decode(path)


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = photos.bomb(tmp_path / "a.png")

    with pytest.raises(PhotoTooLarge) as refused:
        decode(path)

    assert refused.value.fields["megapixels"] == 2500
    assert refused.value.fields["limit"] == MAX_MEGAPIXELS


def test_the_limit_is_our_own_and_not_pillows(tmp_path: Path) -> None:
    # Above what Image.open refuses and below ours: it is read, and found to hold too little.
    path = photos.bomb(tmp_path / "a.png", 16_000, 12_000)

    with pytest.raises(PhotoDamaged):
        decode(path)


def test_decoding_leaves_pillows_limit_alone(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS

    decode(photos.save(photos.corners(), tmp_path / "a.jpg"))

    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("name", ["gone.jpg", "gone/a.jpg", "a\0b.jpg"])
def test_a_missing_file_is_named_as_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(PhotoMissing):
        decode(tmp_path / name)


def test_a_file_below_a_file_is_missing(tmp_path: Path) -> None:
    path = photos.save(photos.corners(), tmp_path / "a.jpg")

    with pytest.raises(PhotoMissing):
        decode(path / "b.jpg")


def test_a_file_without_permission_is_named_as_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photos.save(photos.corners(), tmp_path / "a.jpg")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Taking the permission away would not stop root, who may be running this.
    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(PhotoUnreadable, match="Permission denied"):
        decode(path)


def test_a_folder_is_named_as_unreadable(tmp_path: Path) -> None:
    with pytest.raises(PhotoUnreadable, match="it is a folder"):
        decode(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")

    with pytest.raises(PhotoUnreadable, match="not an ordinary file"):
        decode(tmp_path / "a.jpg")


def test_running_out_of_memory_is_not_the_photos_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photos.save(photos.corners(), tmp_path / "a.png")

    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "copy", exhausted)

    with pytest.raises(PhotoUnreadable, match="not enough memory"):
        decode(path)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("samples")
    image = photos.noise(24, 16)
    names = ["a.jpg", "a.png", "a.webp", "a.avif", "a.tif", "a.bmp", "a.gif"]
    paths = [photos.save(image, folder / name) for name in names]
    paths.append(photos.save_heic(image, folder / "a.heic"))
    paths.append(photos.save(image, folder / "lzw.tif", compression="tiff_lzw"))
    paths.append(photos.turned(folder / "turned.jpg", 6))
    return [path.read_bytes() for path in paths]


@pytest.mark.filterwarnings("ignore")  # Pillow warns of odd metadata
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_photo_with_flipped_bytes_is_read_or_refused_by_name(
    tmp_path: Path, samples: list[bytes], data: st.DataObject
) -> None:
    content = bytearray(data.draw(st.sampled_from(samples)))
    for _ in range(data.draw(st.integers(1, 8))):
        # Half of the flips in the header, where they do the most harm.
        end = data.draw(st.sampled_from([min(64, len(content)), len(content)]))
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.jpg"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])

    outcome: object
    try:
        outcome = decode(path, least_side=16).mode
    except PhotoError as error:
        outcome = error.fields["path"]

    assert outcome in ("RGB", path)


def test_many_threads_decode_at_once(tmp_path: Path) -> None:
    paths = [photos.turned(tmp_path / f"{n}.jpg", n % 8 + 1) for n in range(16)]
    paths += [photos.save_heic(photos.corners(), tmp_path / f"{n}.heic") for n in range(4)]

    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(decode, paths))

    assert all(is_upright(image) for image in images)


def test_importing_registers_nothing() -> None:
    code = (
        "import engine.decode, sys; from PIL import Image;"
        "print('pillow_heif' in sys.modules, 'HEIF' in Image.OPEN)"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["False", "False"]
