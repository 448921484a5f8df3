"""What VidEoMT, PMT and LVMT keep of each frame: as many bytes as are told, and nowhere else; or nothing."""

from pathlib import Path
from statistics import median

import pytest
import torch
from torch import Tensor

from tests.infer.test_dvis_memory import in_own_process, make_frames, need_of
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


PROBE = """
import sys
from pathlib import Path
import vsscli.infer.store as store
from tests.infer.test_stage import infer
from tests.support import resident
data, out, model, limit = sys.argv[1:]
store.IN_MEMORY, inner = int(limit), store.FrameStore.append
def append(self, frame):
    inner(self, frame)
    print(resident())
store.FrameStore.append = append
infer(Path(data), Path(out), Path(model), size="160", batch=1)
"""


@pytest.mark.parametrize("limit", [1 << 30, 0])
def test_a_frame_takes_what_is_told_of_the_process(limit: int, tmp_path: Path) -> None:
    """In memory; in the file, next to nothing. The heap takes some MB at once now and then, so: the median of 40."""
    model = write_random(tmp_path / "model", "lvmt", dim=256, queries=40)
    data = make_frames(tmp_path / "v" / "a", 120, (90, 160)).parent
    need = need_of(data, model, "160")
    assert need.stored == (40 + 10 * 18) * 256 * 4
    held = [int(line) for line in in_own_process(PROBE, data, tmp_path / "run", model, limit).split()]
    grown = median(held[i + 40] - held[i] for i in range(20, 80)) / 40
    told = f"{grown / 1e6:.2f} MB a frame; {need.stored / 1e6:.2f} MB are kept"
    assert grown <= need.stored / 3 if limit == 0 else 0.9 * need.stored <= grown <= 1.2 * need.stored, told


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
