"""What a report for a bug says of this computer and program, and nothing of the person."""

from __future__ import annotations

import getpass
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from desktop.logs import HIDDEN, NAMELESS_NAME
from engine import __version__, paths
from engine.doctor import Finding, examine
from engine.errors import OutputUnwritable

LAST_LINES = 60
# Whatever still looks like a place on a drive, to the end of its line: names may hold anything.
PLACE = re.compile(
    r"""
    (?: (?<![\w/]) (?<!https:) (?<!http:) /{1,2} (?=[^\s/])   # /srv/photos, //nas/photos
      | \b [A-Za-z] : [\\/]                                  # D:\photos
      | \\\\ (?=\w) | (?<=>) [\\]                            # \\nas\photos, <home>\photos
      | ~ [\\/] | \b file:
    ) .*
    """,
    re.VERBOSE,
)


class Redactor:
    """Takes out of a text what says who somebody is and where they keep their files.

    Args:
        places: folder -> what stands for it, such as "<data>".
        names: words that name the person or the computer.
    """

    def __init__(self, places: Mapping[Path, str], names: Iterable[str]) -> None:
        # The longest first, as one may lie in another.
        self._places = sorted(
            ((str(path), word) for path, word in places.items()), key=lambda item: -len(item[0])
        )
        words = [re.escape(name) for name in names if name.strip()]
        self._names = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.I) if words else None

    def __call__(self, text: str) -> str:
        """``text`` without them."""
        for path, word in self._places:
            text = re.sub(re.escape(path), word, text, flags=re.IGNORECASE)
        text = PLACE.sub(HIDDEN, text)
        return text if self._names is None else self._names.sub(HIDDEN, text)


def redactor(environment: Mapping[str, str] = os.environ) -> Redactor:
    """One that knows this person, this computer and the program's own places."""
    home = Path.home()
    places = {
        home: "<home>",
        Path(sys.prefix): "<python>",
        Path(sys.executable): "<python>",
        paths.resources_dir().parent: "<program>",
        paths.shipped_pack_dir(): "<the pack that comes with it>",
        **_own_places(),
    }
    for variable in (paths.HOME_VARIABLE, paths.PACK_VARIABLE):
        if environment.get(variable):
            places[Path(environment[variable])] = f"<{variable}>"
    return Redactor(
        {place: word for place, word in places.items() if place != Path(place.anchor)},
        [home.name, _user(), platform.node(), platform.node().split(".")[0]],
    )


def _own_places() -> dict[Path, str]:
    found: dict[Path, str] = {}
    for find, word in (
        (paths.data_dir, "<data>"),
        (paths.cache_dir, "<cache>"),
        (paths.log_dir, "<logs>"),
    ):
        try:
            found[find()] = word
        except OutputUnwritable:
            continue
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user, as in a container
        return ""


def write_report(
    about: Mapping[str, str],
    redact: Callable[[str], str],
    findings: Iterable[Finding] | None = None,
) -> str:
    """The report, in English, for those who mend the program.

    Args:
        about: what the program says of itself, such as the model's name.
        redact: takes out what is private.
        findings: what the doctor finds; it is asked if they are left out.
    """
    lines = [f"PairLens {__version__}", *(f"{name}: {value}" for name, value in about.items()), ""]
    for finding in examine() if findings is None else findings:
        lines.append(f"{'ok' if finding.ok else '!!'}  {finding.name}: {finding.value}")
        if finding.remedy:
            lines.append(f"      {finding.remedy}")
    lines += ["", *last_lines()]
    return "\n".join(redact(line) for line in lines)


def last_lines() -> list[str]:
    """The end of the log that names nothing of the person's."""
    try:
        text = (paths.log_dir() / NAMELESS_NAME).read_text(encoding="utf-8", errors="replace")
    except (OSError, OutputUnwritable):
        return []
    return text.splitlines()[-LAST_LINES:]
