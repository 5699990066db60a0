from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.backends.onnx import OnnxBackend
from engine.backends.torch import TorchBackend
from engine.device import choose_device, open_backend
from engine.errors import DeviceMissing
from engine.matcher import load_matcher
from engine.pack import WEIGHTS_FILE, open_pack
from engine.types import DeviceChoice
from tests.fixtures.tiny_pack import TinyPack

# The torch of the tests is one for processors: what CUDA would answer is put in its place.


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


def there() -> bool:
    return True


def absent() -> bool:
    return False


def test_the_processor_is_taken_where_it_is_asked_for(tiny_pack: TinyPack, card: None) -> None:
    device = choose_device(DeviceChoice.CPU, tiny_pack.folder, there)
    assert not device.is_cuda
    assert "asked for" in device.why


@pytest.mark.parametrize("choice", [DeviceChoice.AUTO, DeviceChoice.CUDA])
def test_cuda_is_taken_where_all_of_it_is_there(
    tiny_pack: TinyPack, card: None, choice: DeviceChoice
) -> None:
    assert choose_device(choice, tiny_pack.folder, there).is_cuda


def test_without_a_driver_the_processor_is_taken_and_the_reason_kept(tiny_pack: TinyPack) -> None:
    device = choose_device(DeviceChoice.AUTO, tiny_pack.folder, absent)
    assert not device.is_cuda
    assert device.why == "no NVIDIA driver was found"


def test_weights_that_were_left_out_keep_a_pack_on_the_processor(
    tiny_pack: TinyPack, tmp_path: Path, card: None
) -> None:
    pack = shutil.copytree(tiny_pack.folder, tmp_path / "pack")
    (pack / WEIGHTS_FILE).unlink()
    assert WEIGHTS_FILE in choose_device(DeviceChoice.AUTO, pack, there).why


def test_a_card_that_torch_can_not_use_is_said_so(
    tiny_pack: TinyPack, card: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceMissing, match="no CUDA card"):
        choose_device(DeviceChoice.CUDA, tiny_pack.folder, there)


@pytest.mark.skipif(torch.version.cuda is not None, reason="this torch was built with CUDA")
def test_a_torch_without_cuda_is_said_so(tiny_pack: TinyPack) -> None:
    assert "built without CUDA" in choose_device(DeviceChoice.AUTO, tiny_pack.folder, there).why


def test_cuda_that_is_asked_for_and_missing_says_what_why_and_what_to_do(
    tiny_pack: TinyPack,
) -> None:
    with pytest.raises(DeviceMissing) as caught:
        choose_device(DeviceChoice.CUDA, tiny_pack.folder, absent)
    words = str(caught.value)
    assert "can't run on CUDA: no NVIDIA driver was found" in words
    assert "--device cpu" in words


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA works here")
def test_a_card_that_fails_is_passed_over_unless_it_was_asked_for(
    tiny_pack: TinyPack, card: None
) -> None:
    pack = open_pack(tiny_pack.folder)
    device = choose_device(DeviceChoice.AUTO, pack.folder, there)
    assert isinstance(open_backend(pack, DeviceChoice.AUTO, device), OnnxBackend)
    with pytest.raises(DeviceMissing):
        open_backend(pack, DeviceChoice.CUDA, device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA works here")
def test_the_command_line_says_that_cuda_is_missing(tiny_pack: TinyPack, tmp_path: Path) -> None:
    program = [sys.executable, "-c", "import sys; from desktop.cli import main; sys.exit(main())"]
    words = ["--device", "cuda", "match", tmp_path / "a.jpg", "--caption", "a dog"]
    found = subprocess.run([*program, *words], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.startswith("The model can't run on CUDA: ")


def test_the_device_and_the_reason_are_in_the_log(
    tiny_pack: TinyPack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    load_matcher(tiny_pack.folder, DeviceChoice.CPU)
    assert "on CPU (ONNX Runtime" in caplog.text
    assert "the processor was asked for" in caplog.text


def test_half_precision_stays_near_the_fp32_graphs(tiny_pack: TinyPack) -> None:
    half = TorchBackend(tiny_pack.folder, tiny_pack.recipe.model, "cpu", half=True)
    fp32 = OnnxBackend(tiny_pack.graphs, "fp32")
    assert "half precision" in half.device
    inputs = tiny_pack.inputs
    ids, mask = inputs.ids.numpy(), inputs.mask.numpy()
    wanted, found = (one.encode_images(inputs.pixels.numpy()) for one in (fp32, half))
    texts, read = (one.encode_texts(ids, mask) for one in (fp32, half))
    memory = fp32.fusion_memory(wanted.tokens)
    similarity = np.einsum("pe,pe->p", wanted.embeddings, texts.embeddings)
    logits, halved = (
        one.fuse(one.fusion_memory(wanted.tokens), texts.tokens, mask, similarity)
        for one in (fp32, half)
    )
    for near, exact in (
        (found.embeddings, wanted.embeddings),
        (read.embeddings, texts.embeddings),
        (read.tokens[mask], texts.tokens[mask]),
        (half.fusion_memory(wanted.tokens), memory),
        (halved, logits),
    ):
        assert near.dtype == np.float32
        assert np.linalg.norm(near - exact) <= 5e-3 * np.linalg.norm(exact)


class _SmallCard:
    """A part of the model that has room for so many items at once, as a small card would."""

    def __init__(self, part: Callable[..., Any], room: int) -> None:
        self._part, self._room, self.sizes = part, room, list[int]()

    def __call__(self, *inputs: torch.Tensor) -> Any:
        self.sizes.append(len(inputs[0]))
        if len(inputs[0]) > self._room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self._part(*inputs)


def test_a_batch_the_card_has_no_room_for_is_halved(
    tiny_pack: TinyPack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    backend = TorchBackend(tiny_pack.folder, tiny_pack.recipe.model, "cpu")
    pixels = tiny_pack.inputs.pixels.numpy()[:5]
    whole = backend.encode_images(pixels)
    card = _SmallCard(backend._model.encode_images, 2)
    monkeypatch.setattr(backend._model, "encode_images", card)
    halved = backend.encode_images(pixels)
    assert card.sizes == [5, 2, 3, 1, 2]
    assert "no room for 5 items" in caplog.text
    np.testing.assert_allclose(halved.embeddings, whole.embeddings, atol=1e-5)
    np.testing.assert_array_equal(halved.tokens, whole.tokens)


def test_no_room_for_a_single_photo_is_raised(
    tiny_pack: TinyPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = TorchBackend(tiny_pack.folder, tiny_pack.recipe.model, "cpu")
    card = _SmallCard(backend._model.encode_images, 0)
    monkeypatch.setattr(backend._model, "encode_images", card)
    with pytest.raises(torch.OutOfMemoryError):
        backend.encode_images(tiny_pack.inputs.pixels.numpy()[:4])
    assert card.sizes == [4, 2, 1]
