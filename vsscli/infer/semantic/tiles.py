"""What is certain about whole tiles, and which pixels a strip's scores leave open."""

from collections.abc import Callable

import torch
from torch import Tensor

from vsscli.infer.semantic.grid import Axis, Grid
from vsscli.infer.semantic.resize import Scratch


def extremes(z: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Smallest and largest coarse value that each tile reads: z [h, w, C] -> two [tiles, C], tiles row by row.

    Every step of a bilinear resize is an average whose shares sum to one, so no value on the tile lies outside.
    """
    low, high = (
        _windows(_windows(z, 0, grid.rows, pick), 1, grid.cols, pick).flatten(0, 1)
        for pick in (torch.minimum, torch.maximum)
    )
    return low, high


def _windows(x: Tensor, dim: int, axis: Axis, pick: Callable[..., Tensor]) -> Tensor:
    """``pick`` over positions ``first[i]..last[i]`` of ``dim``, for each tile ``i``."""
    result = x.index_select(dim, axis.first)
    for step in range(1, int((axis.last - axis.first).max()) + 1):
        pick(result, x.index_select(dim, torch.minimum(axis.first + step, axis.last)), out=result)
    return result


def tally(flags: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Per column of ``flags`` [K, N] (0.0 or 1.0): how many are set, and the sum of their ``labels`` [K], at most 255.

    Where one is set the sum is its label: a product of small integers, exact in any arithmetic, and several times
    faster than an argmax.
    """
    count, label = torch.stack([torch.ones_like(labels), labels]) @ flags
    return count, label.clamp_(max=255.0)


def contenders(scores: Tensor, labels: Tensor, slack: float, scratch: Scratch) -> tuple[Tensor, Tensor, Tensor]:
    """Of ``scores`` [K, N]: the best minus ``slack`` [N], how many channels reach that, and their ``tally`` label."""
    n = scores.shape[1]
    bar = torch.amax(scores, 0, out=scratch.take("bar", n)).sub_(slack)
    flags = torch.ge(scores, bar, out=scratch.take("flags", *scores.shape))
    count, label = tally(flags, labels)
    return bar, count, label
