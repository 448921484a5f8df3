"""Class scores of a key frame on a later one, by classical flow or unchanged: for any network of single frames.

This is not MPVSS: one flow for the whole picture, from the two frames alone, and nothing in it was learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate, pad

from vsscli.maps.flow import backward_flow, gray
from vsscli.models.network import Network, QueryScores, Scores
from vsscli.models.preprocess import Preprocess, restore

Size = tuple[int, int]


@dataclass(frozen=True)
class PropagatedKey:
    """A key frame: its ``scores``, and its luma at the network's size, uint8 [h, w]; None where it is not needed."""

    scores: Scores
    luma: NDArray[np.uint8] | None


class Propagated:
    """``network`` as a `vsscli.models.network.KeyFrameNetwork` that carries scores by ``how``: farneback or zero."""

    def __init__(self, network: Network, how: str) -> None:
        self._network, self._by_flow = network, how == "farneback"

    @property
    def classes(self) -> tuple[str, ...]:
        return self._network.classes

    @property
    def preprocess(self) -> Preprocess:
        return self._network.preprocess

    @property
    def parameters(self) -> int:
        return self._network.parameters

    def forward(self, pixels: Tensor) -> list[Scores]:
        return self._network.forward(pixels)

    def segment(self, pixels: Tensor, size: Size) -> list[PropagatedKey]:
        lumas = self._lumas(pixels, size) if self._by_flow else [None] * len(pixels)
        return [PropagatedKey(s, luma) for s, luma in zip(self.forward(pixels), lumas, strict=True)]

    def carry(self, pixels: Tensor, size: Size, keys: Sequence[PropagatedKey]) -> list[Scores]:
        if not self._by_flow:
            return [key.scores for key in keys]
        found, padded = [], (pixels.shape[2], pixels.shape[3])
        for key, luma in zip(keys, self._lumas(pixels, size), strict=True):
            assert key.luma is not None
            found.append(warp_scores(key.scores, torch.from_numpy(backward_flow(key.luma, luma)), padded))
        return found

    def _lumas(self, pixels: Tensor, size: Size) -> list[NDArray[np.uint8]]:
        inside = restore(pixels, self.preprocess)[:, :, : size[0], : size[1]].to(torch.uint8)
        return [gray(frame) for frame in inside.permute(0, 2, 3, 1).contiguous().cpu().numpy()]


def warp_scores(scores: Scores, flow: Tensor, padded: Size) -> Scores:
    """Scores of a key frame as they are where ``flow`` says that each pixel was.

    ``flow`` is float32 [h, w, 2], (dx, dy) in pixels of the network's input without its padding, from the frame back to
    the key frame; ``padded`` is the size (H, W) with padding. A cell of the scores moves by the mean of the flow in it,
    and what was outside of the frame takes the nearest place inside.
    """
    values = scores.mask_logits if isinstance(scores, QueryScores) else scores.values
    warped = _warp(values, flow.to(values.device), padded)
    return replace(scores, mask_logits=warped) if isinstance(scores, QueryScores) else replace(scores, values=warped)


def _warp(values: Tensor, flow: Tensor, padded: Size) -> Tensor:
    """``values`` [C, h, w] over the padded input, resampled bilinearly."""
    inside, cells = (flow.shape[0], flow.shape[1]), (values.shape[1], values.shape[2])
    moved = pad(flow.permute(2, 0, 1)[None], (0, padded[1] - inside[1], 0, padded[0] - inside[0]), mode="replicate")
    moved = interpolate(moved, cells, mode="area")[0]
    places = []
    for axis, shift in ((1, moved[0]), (0, moved[1])):  # x, then y, as grid_sample takes them
        count, scale = cells[axis], cells[axis] / padded[axis]
        at = torch.arange(count, device=flow.device) + 0.5
        at = (at if axis else at[:, None]) + shift * scale  # of the key frame, in cells from its edge
        at = at.clamp(0.5, max(inside[axis] * scale - 0.5, 0.5))
        places.append(2 * at / count - 1)
    grid = torch.stack(places, -1)[None].to(values.dtype)
    return grid_sample(values[None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0]
