"""One model pack of two: the embeddings of one find photos, the fusion of the other decides."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from engine.architecture import DECIDER, PAIR, RUN_AS
from engine.config import DualConfig
from engine.deciding import BlipConfig, PairConfig, ViltConfig
from engine.errors import PackNotPairable, PackNotStored
from engine.installed import Installed
from engine.pack import MANIFEST, TOKENIZER, Manifest, Pack, file_entry, open_pack
from engine.pack_install import Imported, import_folder

_LONGEST_NAME = 100
# A BLIP that only decides needs no text encoder of its own.
_NOT_NEEDED = "text"


def pair(finder: Installed, decider: Installed, name: str | None = None) -> Imported:
    """Make a pack of two that are here, and import it; both stay as they are.

    Args:
        finder: made of two encoders, such as CLIP.
        decider: BLIP or ViLT; the pair is as calibrated as this one is.
        name: what the pack is to be called; after both if it is left out.

    Raises PackNotPairable, PackMissing, PackDamaged, PackUnsupported; and as `import_folder`.
    """
    finds, decides = open_pack(finder.folder), open_pack(decider.folder)
    config = _config(finds, decides)
    try:
        with tempfile.TemporaryDirectory(prefix="pairlens-") as scratch:
            made = Path(scratch)
            _copy(finds, made, "")
            _copy(decides, made, DECIDER)
            _describe(finds.manifest, decides.manifest, config, made, name)
            return import_folder(made)
    except OSError as error:
        raise PackNotStored(path=tempfile.gettempdir(), reason=error.strerror or error) from error


def _config(finder: Pack, decider: Pack) -> PairConfig:
    found, judged = finder.manifest, decider.manifest
    if not isinstance(found.model, DualConfig):
        reason = f"its architecture is {found.architecture}"
        raise PackNotPairable(path=finder.folder, part="FINDER", reason=reason)
    decides, reads = judged.model, judged.tokenizer
    if not isinstance(decides, BlipConfig | ViltConfig) or reads is None:
        reason = f"its architecture is {judged.architecture}"
        raise PackNotPairable(path=decider.folder, part="DECIDER", reason=reason)
    if not set(found.languages) & set(judged.languages):
        reason = f"it reads {', '.join(judged.languages)}, the finder {', '.join(found.languages)}"
        raise PackNotPairable(path=decider.folder, part="DECIDER", reason=reason)
    return PairConfig(found.model, decides, judged.preprocessing, reads)


def _copy(pack: Pack, into: Path, prefix: str) -> None:
    """Copy what computes, and the licence."""
    for name in pack.manifest.files:
        graph = name.endswith(".onnx") and not (prefix and name.startswith(f"{_NOT_NEEDED}."))
        if graph or name == TOKENIZER:
            shutil.copyfile(pack.folder / name, into / f"{prefix}{name}")
        elif name == "LICENSE":
            shutil.copyfile(pack.folder / name, into / (f"{prefix}LICENSE.txt" if prefix else name))


def _describe(
    finder: Manifest, decider: Manifest, config: PairConfig, folder: Path, name: str | None
) -> None:
    title = (name or f"{finder.name} + {decider.name}")[:_LONGEST_NAME]
    licences = list(dict.fromkeys((finder.licence, decider.licence)))
    notices = list(dict.fromkeys((finder.notice, decider.notice)))
    card = (
        f"# {title}\n\n{finder.name} {finder.version} finds; {decider.name} {decider.version} "
        f"decides.\n\n{' '.join(notices)}\n"
    )
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    manifest = Manifest(
        name=title,
        version=f"{finder.version} + {decider.version}"[:_LONGEST_NAME],
        kind=RUN_AS[PAIR],
        licence=" AND ".join(licences),
        notice=" ".join(notices),
        languages=tuple(each for each in finder.languages if each in decider.languages),
        architecture=PAIR,
        model=config,
        preprocessing=finder.preprocessing,
        calibration=decider.calibration,
        search=finder.search,
        files={path.name: file_entry(path) for path in sorted(folder.iterdir())},
        metrics={},
        tokenizer=finder.tokenizer,
    )
    text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
