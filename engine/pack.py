"""Model packs: one folder with a manifest, graphs, a tokenizer, a model card and a licence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from engine import manifest_json
from engine.architecture import CONFIGS, FUSION, expected
from engine.calibration import Calibration
from engine.confidence import SearchConfidence
from engine.config import ModelConfig, TokenizerFacts
from engine.deciding import Config
from engine.errors import PackDamaged, PackMissing, PackUnsupported
from engine.pack_content import check_content
from engine.preprocess import Preprocessing

# Format 3 has neither facts about another model's tokenizer nor models without a rule for searches.
FORMAT = 4
READABLE = (3, FORMAT)
MANIFEST = "manifest.json"
TOKENIZER = "tokenizer.json"
# For torch; optional.
WEIGHTS_FILE = "weights.safetensors"
# What a pack can do: embeddings find, fusion decides.
KINDS = ("embedding", "fusion", "both")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PackFile:
    """One file of a pack. Optional files (training weights) may be absent, never different."""

    sha256: str
    size: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` says of a pack.

    Attributes:
        kind: one of `KINDS`.
        licence: an SPDX name or "LicenseRef-..." of the pack's own LICENSE file.
        notice: one sentence for the user on what the licence allows.
        languages: two-letter codes of the languages it was trained on.
        calibration: what makes match probabilities of logits.
        search: what decides whether a search found anything that fits; None where nothing does.
        metrics: measured values by name, as the model card explains them.
        tokenizer: what there is to know of another model's; None for PairLens's own.
    """

    name: str
    version: str
    kind: str
    licence: str
    notice: str
    languages: tuple[str, ...]
    architecture: str
    model: Config
    preprocessing: Preprocessing
    calibration: Calibration
    search: SearchConfidence | None
    files: dict[str, PackFile]
    metrics: dict[str, Any]
    tokenizer: TokenizerFacts | None = None

    @property
    def model_id(self) -> str:
        """Architecture and weights in one name: features of different ids never mix."""
        digest = hashlib.sha256()
        for name in sorted(self.files):
            if name.endswith((".onnx", ".json")):
                digest.update(f"{name}:{self.files[name].sha256};".encode())
        return f"{self.architecture}-{digest.hexdigest()[:12]}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for `manifest.json`."""
        return {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "kind": self.kind,
            "licence": self.licence,
            "notice": self.notice,
            "languages": list(self.languages),
            "architecture": self.architecture,
            "model": self.model.to_dict(),
            "preprocessing": self.preprocessing.to_dict(),
            "calibration": self.calibration.to_dict(),
            "search": None if self.search is None else self.search.to_dict(),
            "tokenizer": None if self.tokenizer is None else self.tokenizer.to_dict(),
            "files": {
                name: {"sha256": file.sha256, "size": file.size, "optional": file.optional}
                for name, file in sorted(self.files.items())
            },
            "metrics": self.metrics,
        }


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack on disk whose files were checked against its manifest."""

    folder: Path
    manifest: Manifest

    @property
    def model_id(self) -> str:
        """See `Manifest.model_id`."""
        return self.manifest.model_id


def file_entry(path: Path, optional: bool = False) -> PackFile:
    """Measure a file for the manifest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return PackFile(digest, path.stat().st_size, optional)


def read_manifest(folder: Path) -> Manifest:
    """Read a pack's manifest without checking its files.

    Raises PackMissing, PackDamaged (not readable as a manifest) or PackUnsupported (another
    format or kind).
    """
    try:
        with (folder / MANIFEST).open("rb") as file:
            content = file.read(manifest_json.LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PackMissing(path=folder) from error
    except OSError as error:
        raise PackDamaged(path=folder, reason=f"{MANIFEST}: {error}") from error
    return parse_manifest(content, folder)


def parse_manifest(content: bytes, where: Path) -> Manifest:
    """A manifest from what `manifest.json` holds; ``where`` is what errors are about.

    Fields that this version does not know are passed over, except where they would change what
    is computed: in the model's sizes and in the preprocessing. Raises as `read_manifest`.
    """
    try:
        values = manifest_json.parse(content)
    except ValueError as error:
        raise PackDamaged(path=where, reason=f"{MANIFEST}: {error}") from error
    if values.get("format") not in READABLE:
        raise PackUnsupported(path=where, reason=f"its format is {values.get('format')}")
    if values.get("kind") not in KINDS:
        raise PackUnsupported(path=where, reason=f"its kind is {values.get('kind')}")
    try:
        manifest_json.check_types(values)
        return Manifest(
            name=values["name"],
            version=values["version"],
            kind=values["kind"],
            licence=values["licence"],
            notice=values["notice"],
            languages=tuple(values["languages"]),
            architecture=values["architecture"],
            model=CONFIGS.get(values["architecture"], ModelConfig).from_dict(values["model"]),
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
            calibration=Calibration.from_dict(values["calibration"]),
            search=_optional(SearchConfidence.from_dict, values["search"]),
            files={name: _entry(entry) for name, entry in values["files"].items()},
            metrics=values["metrics"],
            tokenizer=_optional(TokenizerFacts.from_dict, values.get("tokenizer")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise PackDamaged(path=where, reason=f"{MANIFEST}: {error!r}") from error


def _optional(read: Callable[[dict[str, Any]], T], values: dict[str, Any] | None) -> T | None:
    return None if values is None else read(values)


def _entry(values: dict[str, Any]) -> PackFile:
    return PackFile(values["sha256"], values["size"], values.get("optional", False))


def open_pack(folder: Path) -> Pack:
    """Read a pack and check every file: its size, its SHA-256, and that it may be used.

    Raises PackMissing, PackDamaged or PackUnsupported.
    """
    manifest = read_manifest(folder)
    there = []
    for name, listed in manifest.files.items():
        path = folder / name
        if not path.is_file():
            if listed.optional:
                continue
            raise PackDamaged(path=folder, reason=f"{name} is missing")
        # The size first: it is free and names a half-copied file without reading it.
        if path.stat().st_size != listed.size:
            raise PackDamaged(path=folder, reason=f"{name} has the wrong size")
        if file_entry(path).sha256 != listed.sha256:
            raise PackDamaged(path=folder, reason=f"{name} has the wrong checksum")
        there.append(name)
    wanted = expected(manifest.architecture, manifest.model)
    if wanted is None:
        raise PackUnsupported(path=folder, reason=f"its architecture is {manifest.architecture}")
    if (shape := manifest.preprocessing.shape) != wanted.pixels:
        reason = f"its pixels are {shape}, its model's {wanted.pixels}"
        raise PackUnsupported(path=folder, reason=reason)
    if (manifest.tokenizer is None) != (manifest.architecture == FUSION):
        raise PackUnsupported(path=folder, reason="its tokenizer is not that of its model")
    try:
        check_content(folder, there, wanted)
    except ValueError as error:
        raise PackUnsupported(path=folder, reason=str(error)) from error
    return Pack(folder, manifest)
