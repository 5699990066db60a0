"""Wrap dist/pairlens for Linux: a .deb, and an archive that runs from where it is unpacked.

    python packaging/linux/installers.py [--program dist/pairlens] [--out dist]

The same program gives the same bytes: times are those of the commit, or SOURCE_DATE_EPOCH.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent), str(HERE)]

from needs import depends  # noqa: E402  (found through the line above)
from photo_types import desktop_types  # noqa: E402

from engine import __version__  # noqa: E402

ARCHITECTURE = "amd64"
CONTROL = """\
Package: pairlens
Version: {version}
Architecture: {architecture}
Maintainer: The PairLens authors <pairlens@localhost>
Installed-Size: {kilobytes}
Depends: {depends}
Suggests: fonts-noto-cjk
Section: graphics
Priority: optional
Description: match photos with text on your own computer
 Give PairLens photos and captions, and it tells you for every pair how likely
 it is that the caption describes the photo. It works on single photos, on whole
 folders, and as a search with your own words, in English and Chinese. Nothing
 leaves your computer.
 .
 The model that comes with it is for non-commercial use only.
"""


def moment() -> int:
    """The time that everything bears: seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    said = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(said.stdout)


def lay_out(program: Path, stage: Path, when: int) -> None:
    """Put the program and what the desktop wants to know of it where Debian has such things."""
    shutil.rmtree(stage, ignore_errors=True)
    share = stage / "usr" / "share"
    home = stage / "usr" / "lib" / "pairlens"
    shutil.copytree(program, home, symlinks=True)
    shutil.copyfile(HERE / "apparmor", home / "apparmor")
    (stage / "usr" / "bin").mkdir()
    (stage / "usr" / "bin" / "pairlens").symlink_to("../lib/pairlens/pairlens")

    types = ";".join(desktop_types()) + ";"
    date = time.strftime("%Y-%m-%d", time.gmtime(when))
    filled = {"@TYPES@": types, "@VERSION@": __version__, "@DATE@": date}
    _fill("pairlens.desktop", share / "applications" / "pairlens.desktop", filled)
    _fill("servicemenu.desktop", share / "kio" / "servicemenus" / "pairlens.desktop", filled)
    _fill("metainfo.xml", share / "metainfo" / "pairlens.metainfo.xml", filled)
    documents = share / "doc" / "pairlens"
    _fill("copyright", documents / "copyright", filled)
    (documents / "changelog.gz").write_bytes(
        gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=0)
    )
    for picture in (ROOT / "resources" / "icons").iterdir():
        if picture.suffix == ".svg":
            size, name = "scalable", "pairlens.svg"
        else:
            side = picture.stem.rpartition("-")[2]
            size, name = f"{side}x{side}", "pairlens.png"
        target = share / "icons" / "hicolor" / size / "apps" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)


def _fill(name: str, target: Path, values: dict[str, str]) -> None:
    text = (HERE / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(key, value)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def make_even(folder: Path, when: int) -> None:
    """Modes and times that depend on neither umask nor clock."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or bool(path.stat().st_mode & stat.S_IXUSR)
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (when, when), follow_symlinks=False)


def make_deb(program: Path, out: Path, work: Path) -> Path:
    """Build the .deb; ``work`` is a folder for what it is made of."""
    when, stage = moment(), work / "deb"
    lay_out(program, stage, when)
    files = [path for path in sorted(stage.rglob("*")) if not path.is_dir() or path.is_symlink()]
    control = stage / "DEBIAN"
    control.mkdir()
    sums = []
    for path in files:
        if not path.is_symlink():
            with path.open("rb") as file:
                sums.append(f"{hashlib.file_digest(file, 'md5').hexdigest()}  ")
            sums[-1] += f"{path.relative_to(stage)}\n"
    (control / "md5sums").write_text("".join(sums), encoding="utf-8")
    (control / "control").write_text(
        CONTROL.format(
            version=__version__,
            architecture=ARCHITECTURE,
            kilobytes=sum(path.lstat().st_size for path in files) // 1024,
            depends=", ".join(depends(program)),
        ),
        encoding="utf-8",
    )
    for script in ("postinst", "postrm"):
        shutil.copyfile(HERE / script, control / script)
        (control / script).chmod(0o755)
    make_even(stage, when)
    target = out / f"pairlens_{__version__}_{ARCHITECTURE}.deb"
    # xz makes it smaller than zstd does, and every Debian reads it.
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z9", "--build", str(stage), str(target)],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(when)},
        check=True,
    )
    return target


def make_archive(program: Path, out: Path, work: Path) -> Path:
    """Build the archive: one folder, to be unpacked anywhere."""
    when, name = moment(), f"pairlens-{__version__}"
    stage = work / name
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(program, stage, symlinks=True)
    make_even(stage, when)
    target = out / f"pairlens-{__version__}-linux-x86_64.tar.zst"
    packed = subprocess.Popen(
        ["tar", "--create", "--sort=name", "--format=gnu", "--owner=0", "--group=0",
         "--numeric-owner", f"--directory={work}", name],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    subprocess.run(
        ["zstd", "-q", "-f", "-12", "--long=27", "-T2", "-o", str(target)],
        stdin=packed.stdout,
        check=True,
    )
    if packed.wait() != 0:
        raise subprocess.CalledProcessError(packed.returncode, "tar")
    return target


def main() -> None:
    """Make both and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=ROOT / "dist" / "pairlens")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    if not (given.program / "pairlens").exists():
        raise SystemExit(f"{given.program} holds no program; run: make freeze")
    work = ROOT / "build" / "installers"
    work.mkdir(parents=True, exist_ok=True)
    for make in (make_deb, make_archive):
        made = make(given.program, given.out, work)
        sys.stdout.write(f"{made} ({made.stat().st_size / 1e6:.0f} MB)\n")


if __name__ == "__main__":
    main()
