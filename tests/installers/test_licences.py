"""The report of licences, on packages made up for it."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import Distribution, distributions
from pathlib import Path

import licence_tables
import licences
import origins
import pytest


def package(site: Path, name: str, metadata: str, files: dict[str, str] | None = None) -> None:
    """Install a package with one module and these metadata."""
    info = f"{name}-1.2.dist-info"
    contents = {
        f"{name}/__init__.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.2\n{metadata}\n",
        **{path.replace("INFO", info): text for path, text in (files or {}).items()},
    }
    for path, text in contents.items():
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    (site / info / "RECORD").write_text(record, encoding="utf-8")


def only(site: Path) -> Distribution:
    (found,) = distributions(path=[str(site)])
    return found


def shipped(site: Path, root: Path, *more: origins.Entry) -> origins.Origins:
    """What a bundle of every module in ``site`` is made of."""
    entries = [
        (str(path.relative_to(site)), str(path), "PYMODULE")
        for path in sorted(site.glob("*/__init__.py"))
    ]
    return origins.origins([*entries, *more], root, distributions(path=[str(site)]))


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT OR GPL-3.0-only", "MIT OR GPL-3.0-only"),
        ("License: MIT License", "MIT"),
        (
            "License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License",
            "BSD-3-Clause",
        ),
        ("Classifier: License :: OSI Approved :: Apache Software License", "Apache-2.0"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
    ],
)
def test_a_licence_is_read_from_whichever_field_names_it(
    tmp_path: Path, metadata: str, licence: str
) -> None:
    package(tmp_path, "made_up", metadata)
    assert licences.licence_of(only(tmp_path)) == licence


@pytest.mark.parametrize(
    "metadata", ["", "License: see the file", "Classifier: License :: OSI Approved :: BSD License"]
)
def test_a_package_that_names_no_licence_ends_the_build(
    tmp_path: Path, repository: Path, metadata: str
) -> None:
    package(tmp_path, "made_up", metadata)
    with pytest.raises(licences.LicenceError, match=r"made_up 1\.2 does not say its licence"):
        licences.report(shipped(tmp_path, repository), repository)


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "CC-BY-NC-4.0", "Proprietary", "BSD"])
def test_a_licence_that_may_not_be_passed_on_ends_the_build(
    tmp_path: Path, repository: Path, licence: str
) -> None:
    package(tmp_path, "made_up", f"License-Expression: {licence}")
    with pytest.raises(licences.LicenceError, match=f"made_up is under {licence}"):
        licences.report(shipped(tmp_path, repository), repository)


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-2.0-only", False),
        ("GPL-2.0-only OR MIT", True),
        ("MIT AND GPL-2.0-only", False),
        ("MIT AND (GPL-2.0-only OR Zlib)", True),
        ("MIT AND Zlib OR GPL-2.0-only", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("GPL-3.0-or-later WITH Classpath-exception-2.0", False),
        ("Apache-2.0 WITH LLVM-exception AND MIT", True),
    ],
)
def test_expressions_are_judged_as_they_are_meant(expression: str, allowed: bool) -> None:
    assert licences.allowed(expression) is allowed


@pytest.mark.parametrize(
    "text", ["", "MIT License", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT, BSD"]
)
def test_prose_is_no_expression(text: str) -> None:
    with pytest.raises(licences.LicenceError):
        licences.allowed(text)


def test_every_text_of_a_package_is_in_the_report(tmp_path: Path, repository: Path) -> None:
    package(
        tmp_path, "made_up", "License-Expression: MIT",
        {
            "INFO/licenses/LICENSE": "Made Up's terms",
            "INFO/licenses/vendored/COPYING": "Another's terms",
            "made_up/NOTICE.txt": "Take notice",
            "made_up/deep/down/LICENSE": "of a test file",
        },
    )  # fmt: skip
    (part,) = (
        one for one in licences.report(shipped(tmp_path, repository), repository)
        if one.name == "made_up"
    )  # fmt: skip
    assert (part.version, part.licence) == ("1.2", "MIT")
    assert {*part.text.split("\n\n")} == {"Made Up's terms", "Another's terms", "Take notice"}


def test_a_package_without_a_text_gets_its_licences_with_its_author(
    tmp_path: Path, repository: Path
) -> None:
    package(tmp_path, "made_up", "License: MIT\nAuthor: Ann Onymous")
    parts = licences.report(shipped(tmp_path, repository), repository)
    (text,) = (part.text for part in parts if part.name == "made_up")
    assert text.startswith("Copyright Ann Onymous")
    assert "Permission is hereby granted" in text


def test_libraries_in_wheels_and_fonts_are_parts_of_their_own(
    tmp_path: Path, repository: Path
) -> None:
    package(tmp_path, "made_up", "License: MIT", {"made_up.libs/libx265-4883ecb5.so.217": ""})
    library = tmp_path / "made_up.libs" / "libx265-4883ecb5.so.217"
    font = tmp_path / "made_up" / "KaTeX_Main.woff2"
    font.write_bytes(b"")
    found = shipped(
        tmp_path, repository,
        ("made_up.libs/libx265-4883ecb5.so.217", str(library), "BINARY"),
        ("made_up/KaTeX_Main.woff2", str(font), "DATA"),
    )  # fmt: skip
    parts = {part.name: part for part in licences.report(found, repository)}
    assert parts["x265"].licence == "GPL-2.0-or-later"
    assert "GNU GENERAL PUBLIC LICENSE" in parts["x265"].text
    assert parts["Fonts of KaTeX"].licence == "OFL-1.1"


# As they lie in the wheels of pillow-heif, Pillow, NumPy, rawpy, lapx and pandas.
ELSEWHERE = [
    "lapx.libs/msvcp140-7c26614e1d733892c2deac7e245ce115.dll",
    "numpy.libs/libscipy_openblas64_-63c857e738469261263c764a36be9436.dll",
    "libde265-0-da04b6b2448c39c0b7f218769dedb2f1.dll",
    "libgcc_s_seh-1-60817ff87b1fa8e35c12cd1a333734a3.dll",
    "libheif-18c57b017b404cb1ef96dee8a6eef027.dll",
    "libstdc++-6-e4d43a335d57132a6ec3004cece76b4f.dll",
    "libwinpthread-1-71c5c74678606753e0a2f79ceb8c68f9.dll",
    "libx265-217-276e7d75772a32bd086b54d54e01fd11.dll",
    "rawpy/raw_r.dll",
    "rawpy/vcomp140.dll",
    "PIL/.dylibs/libbrotlicommon.1.2.0.dylib",
    "PIL/.dylibs/liblcms2.2.dylib",
    "PIL/.dylibs/libpng16.16.dylib",
    "PIL/.dylibs/libxcb.1.1.0.dylib",
    "PIL/.dylibs/libjpeg.62.4.0.dylib",
    "PIL/.dylibs/libfreetype.6.dylib",
    "PIL/.dylibs/libharfbuzz.0.dylib",
    "PIL/.dylibs/libsharpyuv.0.dylib",
    "PIL/.dylibs/libopenjp2.2.5.4.dylib",
    "PIL/.dylibs/libavif.16.4.2.dylib",
    "PIL/.dylibs/libz.1.3.1.zlib-ng.dylib",
    "PIL/.dylibs/libwebpmux.3.dylib",
    "PIL/.dylibs/libXau.6.dylib",
    "PIL/.dylibs/liblzma.5.dylib",
    "PIL/.dylibs/libtiff.6.dylib",
    "pillow_heif/.dylibs/libheif.1.23.6.dylib",
    "pillow_heif/.dylibs/libx265.217.dylib",
    "rawpy/libraw_r.25.dylib",
    "rawpy/.dylibs/libjasper.7.0.0.dylib",
]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_libraries_in_wheels_for_windows_and_macos_are_told_from_their_carriers(
    tmp_path: Path, repository: Path, name: str
) -> None:
    package(tmp_path, "made_up", "License: MIT", {name: ""})
    found = shipped(tmp_path, repository, (name, str(tmp_path / name), "BINARY"))
    assert found.libraries == {Path(name).name}
    ours = {part.name for part in licences.report(shipped(tmp_path, repository), repository)}
    (more,) = {part.name for part in licences.report(found, repository)} - ours
    assert more not in ("made_up", "")


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="a system of Debian's family")
def test_a_library_of_the_system_comes_with_what_its_package_says(
    tmp_path: Path, repository: Path
) -> None:
    library = next(Path("/usr/lib/x86_64-linux-gnu").glob("libbz2.so.1.0"))
    package(tmp_path, "made_up", "License: MIT")
    found = shipped(tmp_path, repository, (library.name, str(library), "BINARY"))
    text = next(p.text for p in licences.report(found, repository) if p.name == "bzip2")
    assert "Julian R Seward" in text


@pytest.mark.parametrize("name", ["libsecret_sauce-0123.so.1", "Handwritten.ttf"])
def test_a_library_or_font_that_nobody_named_ends_the_build(
    tmp_path: Path, repository: Path, name: str
) -> None:
    package(tmp_path, "made_up", "License: MIT", {f"made_up.libs/{name}": ""})
    entry = (f"made_up.libs/{name}", str(tmp_path / "made_up.libs" / name), "BINARY")
    with pytest.raises(licences.LicenceError, match=f"{name} is not known"):
        licences.report(shipped(tmp_path, repository, entry), repository)


def test_a_file_of_no_package_ends_the_build(tmp_path: Path, repository: Path) -> None:
    stray = tmp_path / "elsewhere" / "stray.py"
    stray.parent.mkdir()
    stray.write_text("")
    with pytest.raises(origins.UnknownOriginError, match="stray"):
        origins.origins([("stray", str(stray), "PYMODULE")], repository, [])


def test_the_model_pack_and_python_are_in_every_report(repository: Path) -> None:
    parts = {part.name: part for part in licences.report(origins.Origins(), repository)}
    assert parts["Python"].licence == "Python-2.0"
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in parts["Python"].text
    (pack,) = (part for name, part in parts.items() if name.startswith("Model pack"))
    assert "non-commercial" in pack.text


def test_the_report_is_written_for_the_window_and_for_people(
    tmp_path: Path, repository: Path
) -> None:
    package(tmp_path / "site", "made_up", "License: MIT")
    found = shipped(tmp_path / "site", repository)
    listed, readable = licences.write(licences.report(found, repository), tmp_path / "out")
    parts = json.loads(listed.read_text(encoding="utf-8"))
    assert all({*part} == {"name", "version", "licence", "text"} for part in parts)
    assert [part["name"] for part in parts] == sorted(
        (part["name"] for part in parts), key=str.lower
    )
    text = readable.read_text(encoding="utf-8")
    assert "made_up 1.2: MIT" in text
    assert "may be replaced there by versions of your own" in text


def test_what_was_decided_by_a_person_has_its_reason() -> None:
    for named in (*licence_tables.NAMED.values(), *licence_tables.GRANTED.values()):
        assert len(named.why) > 20
    for pattern, name, licence in (*licence_tables.LIBRARIES, *licence_tables.FONTS):
        key = "microsoft-runtime" if "Microsoft" in name else origins.canonical(name)
        assert key in licence_tables.GRANTED or licences.allowed(licence), pattern


def test_the_notices_of_chromium_come_with_its_engine(tmp_path: Path, repository: Path) -> None:
    version = f"6.12.0.{licences.NOTICES_ARE_FOR}"
    site = tmp_path / "site"
    package(site, "pyside6_webengine", "License-Expression: LGPL-3.0-only")
    (info,) = site.glob("*.dist-info/METADATA")
    info.write_text(info.read_text().replace("Version: 1.2", f"Version: {version}"))
    parts = licences.report(shipped(site, repository), repository)
    files = {file.name: file for file in licences.write(parts, tmp_path / "out")}
    told = next(part.text for part in parts if part.name == licences.CHROMIUM)
    assert "CHROMIUM.txt" in told
    notices = files["CHROMIUM.txt"].read_text(encoding="utf-8")
    assert all(name in notices for name in ("\nSkia\n", "\nffmpeg\n", "third_party/opus"))


def test_notices_of_another_chromium_end_the_build(tmp_path: Path, repository: Path) -> None:
    site = tmp_path / "site"
    package(site, "pyside6_webengine", "License-Expression: LGPL-3.0-only")
    with pytest.raises(licences.LicenceError, match="make them anew"):
        licences.report(shipped(site, repository), repository)
