"""What must not be in a report is planted where the report is made from."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import bug_report, logs
from desktop.bug_report import Redactor, last_lines, redactor, write_report
from engine import paths
from engine.doctor import Finding, examine
from engine.errors import PhotoMissing

USER = "loveladaada"
PHOTO = "our wedding, at night.jpg"
CAPTION = "Ada kisses Charles by the sea"
SECRETS = (USER, "lovelada ada", "wedding", "kisses", "Holidays", "family-laptop")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home folder, whose name has a space."""
    home = tmp_path / "people" / "Lovelada Ada"
    home.mkdir(parents=True)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, USER)
    monkeypatch.setattr(platform, "node", lambda: "family-laptop.example.org")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(home / "PairLens things"))
    return home


@pytest.fixture
def written(home: Path) -> Iterator[logging.Logger]:
    """A logger of ours, as the program sets it up."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    logs.configure(paths.log_dir())
    yield logging.getLogger("engine.test")
    for handler in root.handlers[:]:
        if handler not in before:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)


def plant(log: logging.Logger, home: Path) -> None:
    """Log in every way that the program does, each time with something private."""
    place = home / "Holidays" / PHOTO
    log.warning("%s: this folder was left out (%s)", place, "Permission denied")
    log.info("%d photos in %.1f s for %r", 7, 2.5, CAPTION)
    log.warning("%s", PhotoMissing(path=place))
    log.info("a mapping %(photo)s", {"photo": str(place)})
    logging.getLogger("uvicorn.error").warning(f"GET /photo/{PHOTO} by {USER}")
    logging.getLogger("py.warnings").warning(f"{place}:1: UserWarning: {CAPTION}")
    try:
        try:
            (home / PHOTO).read_bytes()
        except OSError as error:
            raise ValueError(f"{CAPTION} in {place}") from error
    except ValueError:
        log.exception("a job failed")


def test_nothing_of_the_person_is_in_a_report(
    home: Path, written: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(written, home)
    findings = [
        *examine(),
        Finding("Model pack", True, f"Other 1.0 in {home / 'Holidays' / 'packs'}, as chosen"),
        Finding("Log folder", False, f"D:\\Holidays\\{USER} is full", f'mkdir "/mnt/{PHOTO}"'),
        Finding("Share", True, f"\\\\nas\\Holidays\\{PHOTO}"),
        Finding("Names", True, f"{USER.upper()} on family-laptop"),
    ]
    report = write_report({"Device": "CPU", "Model": "Default 1.0"}, redactor(), findings)
    for secret in (*SECRETS, str(home), home.name, CAPTION, PHOTO):
        assert secret.casefold() not in report.casefold(), report
    # The log proper has them, or nothing was tested.
    assert PHOTO in (paths.log_dir() / logs.FILE_NAME).read_text(encoding="utf-8")


def test_a_report_still_says_what_helps(home: Path, written: logging.Logger) -> None:
    plant(written, home)
    report = write_report({"Device": "CPU (ONNX Runtime)"}, redactor())
    assert report.startswith("PairLens ")
    assert "Device: CPU (ONNX Runtime)" in report
    assert "ok  onnxruntime: " in report
    assert "Data folder: <PAIRLENS_HOME>" in report or "Data folder: <data>" in report
    assert "WARNING engine.test: …: this folder was left out (…)" in report
    assert "INFO engine.test: 7 photos in 2.5 s for '…'" in report
    assert "WARNING engine.test: PhotoMissing" in report
    assert "ERROR engine.test: a job failed\n  ValueError\n" in report
    assert "  FileNotFoundError 2\n" in report
    assert "desktop/test_bug_report.py:" in report
    assert "WARNING uvicorn.error: …" in report


def test_only_the_end_of_the_log_is_taken(home: Path, written: logging.Logger) -> None:
    for number in range(bug_report.LAST_LINES + 10):
        written.info("line %d", number)
    lines = last_lines()
    assert len(lines) == bug_report.LAST_LINES
    assert lines[-1].endswith(f"line {bug_report.LAST_LINES + 9}")


def test_a_report_can_be_made_without_a_log(home: Path) -> None:
    assert last_lines() == []
    assert write_report({}, redactor(), []).startswith("PairLens ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.2 in /opt/pairlens, good", "0.2 in <program>, good"),
        ("at /home/ann/x y.jpg, bad", "at <home>…"),
        ("at /srv/my photos/x.jpg", "at …"),
        ("C:\\Users\\bob\\x y", "…"),
        ("file in ~/Pictures/me.jpg", "file in …"),
        ("CPU/GPU, 3 / 4, and 1/2", "CPU/GPU, 3 / 4, and 1/2"),
        ("Ann said annual", "… said annual"),
        ("https://example.org/a", "https://example.org/a"),
        ("file:///srv/x, //nas/x", "…"),
    ],
)
def test_places_and_names_are_taken_out_of_a_text(text: str, said: str) -> None:
    places = {Path("/home/ann"): "<home>", Path("/opt/pairlens"): "<program>"}
    assert Redactor(places, ["ann", ""])(text) == said
