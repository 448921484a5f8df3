"""What VidEoMT, PMT and LVMT keep of each frame: as many bytes as are told, in the store and nowhere else; or nothing.

That what is in the store takes its size of the process's memory, or none in its file, is tested with DVIS++.
"""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.infer.test_dvis_memory import make_frames, need_of
from tests.infer.test_stage import infer
from tests.models.vmt.folders import write_random
from vsscli.infer.store import FrameStore
from vsscli.models.load import load_model
from vsscli.models.vmt.video import VmtNetwork

KINDS = ("videomt", "pmt", "lvmt")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "what"), [("96", "patches and mask embeddings"), ("16", "mask logits")])
def test_a_frame_keeps_what_is_told(
    size: str, what: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    inner = FrameStore.append

    def append(store: FrameStore, frame: Tensor) -> None:
        kept.append(frame.numel() * frame.element_size())
        inner(store, frame)

    monkeypatch.setattr(FrameStore, "append", append)
    model = write_random(tmp_path / "model", kind, queries=3)
    data = make_frames(tmp_path / "v" / "a", 3, (90, 160)).parent
    infer(data, tmp_path / "run", model, size=size)
    need = need_of(data, model, size)
    assert need.what == what and kept == [need.stored] * 3
    kept.clear()
    infer(data, tmp_path / "causal", model, size=size, causal=True)
    assert not kept


@pytest.mark.parametrize("kind", KINDS)
def test_a_video_on_its_way_holds_the_same_after_few_frames_and_many(kind: str, tmp_path: Path) -> None:
    network = load_model(str(write_random(tmp_path / "model", kind)))
    assert isinstance(network, VmtNetwork)
    passage, held = network.start(), []
    for _ in range(12):
        (seen,) = network.look(torch.randn(1, 3, 64, 96))
        passage.push(seen)
        tensors = [value for value in vars(passage).values() if isinstance(value, Tensor)]
        held.append(sum(tensor.untyped_storage().nbytes() for tensor in tensors))
    assert len(set(held)) == 1 and held[0] == 4 * 10 * 32 + 8 * 10 * 125
