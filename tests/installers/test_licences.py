"""The report of licences, on packages made up for it."""

from __future__ import annotations

import json
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
