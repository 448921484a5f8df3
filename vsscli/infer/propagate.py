"""Class scores of a key frame on a later one, by classical flow or unchanged: for any network.

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
from vsscli.models.network import QueryScores, Scores
from vsscli.models.preprocess import Preprocess, restore

Size = tuple[int, int]


@dataclass(frozen=True)
class PropagatedKey:
    """A key frame: its ``scores``, and its luma at the network's size, uint8 [h, w]; None where it is not needed."""

    scores: Scores
    luma: NDArray[np.uint8] | None


class Propagation:
    """Carries the scores of key frames on by ``how``: farneback or zero. ``preprocess`` is that of their network."""

    def __init__(self, how: str, preprocess: Preprocess) -> None:
        self._by_flow, self._preprocess = how == "farneback", preprocess

    def lumas(self, pixels: Tensor, size: Size) -> list[NDArray[np.uint8] | None]:
        """What `PropagatedKey` needs of B frames, float32 [B, 3, H, W], of which ``size`` is no padding."""
        if not self._by_flow:
            return [None] * len(pixels)
        inside = restore(pixels, self._preprocess)[:, :, : size[0], : size[1]].to(torch.uint8)
        return [gray(frame) for frame in inside.permute(0, 2, 3, 1).contiguous().cpu().numpy()]

    def carry(self, pixels: Tensor, size: Size, keys: Sequence[PropagatedKey]) -> list[Scores]:
        """As `vsscli.models.network.KeyFrameNetwork.carry`."""
        found, padded = list[Scores](), (pixels.shape[2], pixels.shape[3])
        for key, luma in zip(keys, self.lumas(pixels, size), strict=True):
            assert key.luma is not None and luma is not None, "what is copied needs no flow"
            found.append(warp_scores(key.scores, torch.from_numpy(backward_flow(key.luma, luma)), padded))
        return found


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
