"""The recordings see mistakes: each leaves the share of equal pixels that it left in the published network too."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from tests.fixtures.recorded import class_order, recorded_vmt
from tests.models.dvis.cases import class_prob, pixels
from tests.models.vmt.cases import clip_of, small, watch
from vsscli.infer.semantic import label_map_from_queries
from vsscli.models.vmt import blocks, decoder, encoders
from vsscli.models.vmt.model import Vmt

IDS = torch.tensor(class_order(), dtype=torch.uint8)
Patch = pytest.MonkeyPatch


def _sizes(case: str) -> dict[str, Any]:
    meta = recorded_vmt(case).meta
    return {"padded": meta["padded_hw"], "network": meta["network_hw"], "out": meta["output_hw"]}


def _share(case: str, frames: Tensor | None = None, per_frame: bool = False, ids: Tensor = IDS) -> float:
    """How many pixels of a clip are as recorded."""
    arch, _, clip = case.partition("_clip")
    with torch.no_grad():
        found = watch(small(arch), clip_of(f"clip{clip}") if frames is None else frames)
        logits, masks = found["pred_logits"], found["pred_masks"]
        each = class_prob(logits if per_frame else logits.mean(0).expand_as(logits))
        sizes: dict[str, Any] = {name: tuple(size) for name, size in _sizes(case).items()}
        maps = [label_map_from_queries(p, m, ids=ids, **sizes) for p, m in zip(each, masks, strict=True)]
    return float((np.stack(maps) == recorded_vmt(case)["semantic_vspw"]).mean())


def _forget(patch: Patch) -> None:
    inner = Vmt.step
    patch.setattr(Vmt, "step", lambda self, queries, tokens, grid: inner(self, None, tokens, grid))


def _no_antialias(patch: Patch) -> None:
    patch.setattr(encoders, "interpolate", partial(_blunt, interpolate))


def _blunt(inner: Callable[..., Tensor], *arguments: Any, antialias: bool, **more: Any) -> Tensor:
    return inner(*arguments, antialias=not antialias, **more)


def _following(wrong: Callable[[Vmt, Tensor, Tensor], Tensor]) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(Vmt, "_following", wrong)


def _columns_first(patch: Patch) -> None:
    def wrong(grid: tuple[int, int], channels: int, device: torch.device) -> blocks.Rotation:
        """The right turn with its y and x exchanged."""
        quarter = channels // 4
        return tuple(part.roll(quarter, 1) for part in blocks.rotation(grid, channels, device))  # type: ignore[return-value]

    patch.setattr(decoder, "rotation", wrong)


#: Name -> (what is done, the case, the share of equal pixels that the published network had with that mistake).
MISTAKES: dict[str, tuple[Callable[[Patch], None], str, float]] = {
    "VidEoMT without propagation": (_forget, "videomt_tiny_clipA", 0.02),
    "PMT without propagation": (_forget, "pmt_dinov3_tiny_clipA", 0.03),
    "LVMT without propagation": (_forget, "lvmt_dinov3_tiny_clipA", 0.16),
    "VidEoMT, positions without antialias": (_no_antialias, "videomt_tiny_clipA_short104", 0.61),
    "PMT, positions without antialias": (_no_antialias, "pmt_dinov2_tiny_clipA", 0.84),
    "GRU with input and state exchanged": (
        _following(lambda self, queries, out: self.update(queries, out)),
        "lvmt_dinov3_tiny_clipA",
        0.11,
    ),
    "GRU, and the learned queries added": (
        _following(lambda self, queries, out: self.update(out, queries) + self.queries),
        "lvmt_dinov3_tiny_clipA",
        0.11,
    ),
    "GRU without a memory": (
        _following(lambda self, queries, out: self.update(out, self.queries)),
        "lvmt_dinov2_tiny_clipB",
        0.36,
    ),
    "the learned queries not added": (
        _following(lambda self, queries, out: self.update(out)),
        "videomt_tiny_clipA",
        0.28,
    ),
    "columns before rows in the decoder": (_columns_first, "pmt_dinov3_tiny_clipA", 0.80),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_shows(name: str, monkeypatch: Patch) -> None:
    spoil, case, left = MISTAKES[name]
    spoil(monkeypatch)
    assert _share(case) == pytest.approx(left, abs=0.006)


def test_without_a_mistake() -> None:
    assert _share("lvmt_dinov3_tiny_clipA") > 0.9999


@pytest.mark.parametrize(("case", "left"), [("videomt_tiny_clipA", 0.33), ("lvmt_dinov3_tiny_clipA", None)])
def test_colours_in_the_wrong_order_show(case: str, left: float | None) -> None:
    share = _share(case, pixels("clipA", bgr=True))
    assert share == pytest.approx(left, abs=0.006) if left else share < 0.9


@pytest.mark.parametrize(("case", "left"), [("videomt_tiny_clipA", 0.38), ("lvmt_dinov2_tiny_clipA", 0.43)])
def test_classes_of_single_frames_show(case: str, left: float) -> None:
    assert _share(case, per_frame=True) == pytest.approx(left, abs=0.006)


def test_classes_in_their_own_order_show() -> None:
    assert _share("pmt_dinov2_tiny_clipB", ids=torch.arange(124, dtype=torch.uint8)) < 0.01


@pytest.mark.parametrize(
    ("case", "left"), [("videomt_tiny_clipA_short104", 0.98), ("videomt_tiny_clipB_short240", 0.98)]
)
def test_a_late_sigmoid_shows(case: str, left: float) -> None:
    """Where a frame is resized; ours is `label_map_from_queries`, the mistake is written out here."""
    arch, _, clip = case.partition("_clip")
    with torch.no_grad():
        found, sizes = watch(small(arch), clip_of(f"clip{clip}")), _sizes(case)
        large = interpolate(found["pred_masks"], sizes["padded"], mode="bilinear")
        inner = large[..., : sizes["network"][0], : sizes["network"][1]]

        def share(masks: Tensor) -> float:
            best = torch.einsum("qk,tqhw->tkhw", found["class_prob"], masks).argmax(1)
            return float((IDS[best].numpy() == recorded_vmt(case)["semantic_vspw"]).mean())

        assert share(interpolate(inner.sigmoid(), sizes["out"], mode="bilinear")) > 0.9999
        assert share(interpolate(inner, sizes["out"], mode="bilinear").sigmoid()) == pytest.approx(0.98, abs=0.006)
