"""A bare Debian in a folder, and ways to run things in it.

Not `chroot`: a process in one may make no user namespaces, and the web engine's sandbox is made of
those. Here the folder becomes the root of mounts of its own, which end with the command.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RELEASE = "bookworm"
PERSON, NUMBER = "ann", 1000
ENTER = """\
set -e
mount --make-rprivate /
mount --bind "$0" "$0"
mount --rbind /dev "$0/dev"
mount -t proc proc "$0/proc"
mkdir -p "$0/tmp/.X11-unix" "$0/before"
mount --bind /tmp/.X11-unix "$0/tmp/.X11-unix"
cd "$0"
pivot_root . before
umount -l /before
cd /
exec "$@"
"""
CLONE_NEWNET = 0x40000000


@dataclass(frozen=True, slots=True)
class Machine:
    """The root folder of a Debian with one ordinary person."""

    root: Path

    @property
    def home(self) -> Path:
        """The person's home folder, from outside."""
        return self.root / "home" / PERSON

    def command(
        self, *words: str, person: bool = False, also: Mapping[str, str] | None = None
    ) -> list[str]:
        """What to run for ``words`` to run inside, as root or as the person."""
        home = f"/home/{PERSON}" if person else "/root"
        variables = {
            "HOME": home, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive", **(also or {}),
        }  # fmt: skip
        who = (
            ["setpriv", f"--reuid={NUMBER}", f"--regid={NUMBER}", "--clear-groups"]
            if person
            else []
        )
        return [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", ENTER,
            str(self.root), *who, "env", "-i", "-C", home,
            *(f"{name}={value}" for name, value in variables.items()), *words,
        ]  # fmt: skip

    def run(
        self, *words: str, person: bool = False, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run and wait; what it said is in the error when it fails."""
        done = subprocess.run(
            self.command(*words, person=person), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, f"{words}:\n{done.stdout}\n{done.stderr}"
        return done

    def install(self, deb: Path) -> None:
        """Install a package file, with what it depends on."""
        shutil.copy(deb, self.root / "tmp" / deb.name)
        self.run(
            "apt-get", "install", "-qq", "--yes", "--no-install-recommends", f"/tmp/{deb.name}"
        )
        (self.root / "tmp" / deb.name).unlink()


def build(base: Path, root: Path) -> Machine:
    """A machine in ``root``, copied from ``base``, which is made first if it is not there."""
    if not (base / "etc" / "debian_version").exists():
        unfinished = base.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        subprocess.run(
            ["debootstrap", "--variant=minbase", RELEASE, str(unfinished), _mirror()],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        unfinished.rename(base)
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "-a", str(base), str(root)], check=True)
    machine = Machine(root)
    machine.run("useradd", "--create-home", f"--uid={NUMBER}", PERSON)
    machine.run("apt-get", "update", "-qq")
    return machine


def _mirror() -> str:
    """Where this machine gets its own packages from."""
    for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
        if not path.is_file():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.match(r"(?:URIs:|deb(?: \[.*?\])?) (\S+/debian/?)(?:\s|$)", line)
            if found:
                return found[1]
    raise AssertionError("no mirror of Debian is named in /etc/apt")


def cut_off() -> None:
    """Leave this process, and all that it starts from now on, with a loopback and nothing else."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "a network of one's own can't be had")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def make_older(deb: Path, work: Path, version: str) -> Path:
    """The same package under an older version, with a file that the new one has no more."""
    unpacked = work / "older"
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(unpacked)], check=True)
    control = unpacked / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    control.write_text(re.sub(r"(?m)^Version: .*", f"Version: {version}", text), encoding="utf-8")
    gone = unpacked / "usr" / "lib" / "pairlens" / "_internal" / "gone.txt"
    gone.write_text("of the version before", encoding="utf-8")
    older = work / f"pairlens_{version}_amd64.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--build", str(unpacked), str(older)], check=True)
    shutil.rmtree(unpacked)
    return older


def files_of(root: Path, names: Sequence[str]) -> set[str]:
    """Every path below ``root``, without the folders ``names`` at its top."""
    found = set()
    for folder, below, files in os.walk(root):
        if Path(folder) == root:
            below[:] = [name for name in below if name not in names]
        found |= {str(Path(folder, name).relative_to(root)) for name in (*below, *files)}
    return found
