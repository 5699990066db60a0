"""From another's model to a model pack that was compared with the model's own code."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.architecture import RUN_AS
from engine.calibration import Calibration
from engine.decode import decode
from engine.matcher import load_matcher
from engine.pack import MANIFEST, TOKENIZER, Manifest, file_entry, read_manifest
from engine.training.convert.foreign import Foreign, NotConvertible
from engine.training.convert.graphs import export, quantise
from engine.training.convert.samples import CAPTIONS, write_photos
from engine.types import DeviceChoice, FloatArray

# How far what graphs say of a pair may be from what the model's own code says, before scale and
# bias: for similarities, which lie between -1 and 1, and for shares of the range of logits.
TOLERANCE = {"fp32": 1e-3, "int8": 0.05}
_LARGEST_LICENCE = 1 << 20

Tell = Callable[[str], None]


def make_pack(
    foreign: Foreign, source: Path, out: Path, name: str, precision: str, tell: Tell
) -> None:
    """Write a pack with graphs in one precision, "int8" or "fp32", into the empty folder ``out``.

    The fp32 graphs are compared with the model's own code in any case. Raises NotConvertible.
    """
    if precision == "fp32":
        exact_pack(foreign, source, out, name, tell)
        return
    with tempfile.TemporaryDirectory() as scratch:
        exact_pack(foreign, source, Path(scratch), name, tell)
        small_pack(foreign, source, Path(scratch), out, tell)


def exact_pack(foreign: Foreign, source: Path, out: Path, name: str, tell: Tell) -> None:
    """A pack with fp32 graphs. Raises NotConvertible."""
    for graph in foreign.graphs:
        tell(f"exporting the {graph.name} graph")
        export(graph, foreign.config.max_tokens, out)
    _finish(_described(foreign, source, name), foreign, source, out)
    tell("comparing it with transformers")
    found, parity = _compared(foreign, out, "fp32")
    manifest = replace(read_manifest(out), metrics={"parity": {"fp32": parity}})
    if foreign.bias is None:
        bias = _unrelated(foreign.scale * found)
        manifest = replace(manifest, calibration=replace(manifest.calibration, bias=bias))
    _finish(manifest, foreign, source, out)
    tell(_measured(parity))


def small_pack(foreign: Foreign, source: Path, exact: Path, out: Path, tell: Tell) -> None:
    """A pack with int8 graphs made of one with fp32 graphs. Raises NotConvertible."""
    for graph in foreign.graphs:
        tell(f"quantising the {graph.name} graph")
        quantise(graph, exact, out)
    manifest = replace(read_manifest(exact), version="int8")
    _finish(manifest, foreign, source, out)
    tell("comparing it again")
    _, parity = _compared(foreign, out, "int8")
    metrics = {"parity": {**manifest.metrics["parity"], "int8": parity}}
    _finish(replace(manifest, metrics=metrics), foreign, source, out)
    tell(_measured(parity))


def _measured(parity: dict[str, float]) -> str:
    return f"scores differ by {parity['mean']:.1g} on average, {parity['most']:.1g} at most"


def _described(foreign: Foreign, source: Path, name: str) -> Manifest:
    licence, notice = _licence(source)
    bias = 0.0 if foreign.bias is None else foreign.bias
    return Manifest(
        name=name,
        version="fp32",
        kind=RUN_AS[foreign.architecture],
        licence=licence,
        notice=notice,
        languages=foreign.languages,
        architecture=foreign.architecture,
        model=foreign.config,
        preprocessing=foreign.preprocessing,
        calibration=Calibration(foreign.scale, bias, 0.5, fitted=False),
        search=None,
        files={},
        metrics={},
        tokenizer=foreign.tokenizer,
    )


def _compared(foreign: Foreign, pack: Path, precision: str) -> tuple[FloatArray, dict[str, float]]:
    """What a pack says of every photo with every caption [N, M], and how far that is off.

    The mean and the largest difference. Raises NotConvertible above `TOLERANCE`.
    """
    matcher = load_matcher(pack, DeviceChoice.CPU)
    with tempfile.TemporaryDirectory() as scratch:
        photos = write_photos(Path(scratch))
        pixels = np.stack([matcher.prepare(photo) for photo in photos])
        wanted = foreign.reference([decode(photo) for photo in photos], CAPTIONS)
    images, texts = matcher.encode(pixels), matcher.encode_captions(CAPTIONS)
    pairs = np.indices(wanted.shape).reshape(2, -1)
    found = matcher.logits(images, texts, *pairs).reshape(wanted.shape)
    apart = np.abs(found - wanted) / (np.ptp(wanted) if foreign.relative else 1)
    if not float(apart.max()) <= TOLERANCE[precision]:
        remedy = "; try it with --precision fp32" if precision == "int8" else ""
        raise NotConvertible(
            f"its {precision} graphs differ from transformers by {float(apart.max()):.2g}, and "
            f"{TOLERANCE[precision]:g} is the most{remedy}"
        )
    return found, {"mean": float(apart.mean()), "most": float(apart.max())}


def _unrelated(scaled: FloatArray) -> float:
    """The bias for a model that was trained to tell right captions from others, without one.

    Its scaled similarity less the log of the mean of their exponentials over unrelated pairs is the
    log-odds that such training aims at (van den Oord, Li and Vinyals, arXiv 1807.03748). The photos
    here were made up, so this is a guess, and the pack stays uncalibrated.
    """
    values = scaled.astype(np.float64).ravel()
    return -float(np.logaddexp.reduce(values) - np.log(len(values)))


def _finish(manifest: Manifest, foreign: Foreign, source: Path, folder: Path) -> None:
    """Write everything that is no graph, and the manifest of all files."""
    (folder / TOKENIZER).write_text(foreign.tokenizer_json, encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(_card(manifest), encoding="utf-8")
    licence = source / "LICENSE"
    if licence.is_file() and licence.stat().st_size <= _LARGEST_LICENCE:
        text = licence.read_bytes().decode("utf-8", "replace").replace("\0", "")
        (folder / "LICENSE").write_text(text, encoding="utf-8")
    files = {path.name: file_entry(path) for path in folder.iterdir() if path.name != MANIFEST}
    values: dict[str, Any] = replace(manifest, files=files).to_dict()
    text = json.dumps(values, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _card(manifest: Manifest) -> str:
    measured = "".join(
        f"- {precision}: {error['mean']:.2g} on average, {error['most']:.2g} at most\n"
        for precision, error in manifest.metrics.get("parity", {}).items()
    )
    return f"""# {manifest.name} {manifest.version}

{manifest.notice}

Converted by PairLens from a folder as the Hugging Face hub has them. Where the model comes from,
what it was trained on and what it can't do, its own description says.

Its match probabilities are **not calibrated**: they are the model's own numbers through a logistic
function. It has no rule for whether anything fits a search.

How far its scores are from those of transformers, on made-up photos and captions:

{measured}"""


def _licence(source: Path) -> tuple[str, str]:
    """The licence that the folder's README names, and a sentence on it."""
    try:
        readme = (source / "README.md").read_bytes()[:20_000].decode("utf-8", "replace")
    except OSError:
        readme = ""
    head = re.match(r"---\s*\n(.*?)\n---\s*\n", readme, re.DOTALL)
    found = head and re.search(r"^license:\s*[\"']?([\w.+-]{1,60})", head[1], re.MULTILINE)
    if not found:
        return "LicenseRef-unknown", "Its licence is not known: ask where the model came from."
    if found[1] in ("other", "unknown"):
        return f"LicenseRef-{found[1]}", "It has a licence of its own: read it before you use it."
    return found[1], f"Its maker says that its licence is {found[1]}."
