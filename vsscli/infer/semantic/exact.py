"""The values of single pixels in double precision: the judge where single precision cannot tell."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from vsscli.infer.semantic.grid import Axis, Grid

CHUNK_VALUES = 1 << 19
"""Values (pixels times channels) handled at once: a few arrays of 4 MB each."""


def first_best(
    z: Tensor,
    grid: Grid,
    ys: Tensor,
    xs: Tensor,
    tie: float,
    *,
    squash: bool,
    combine: Callable[[Tensor], Tensor],
) -> Tensor:
    """The best channel of each pixel (ys[i], xs[i]), int64 [n]; scores within ``tie`` are equal: the smallest wins.

    ``combine`` turns resized values [m, C] (float64) into class scores [m, K].
    """
    best: list[Tensor] = []
    step = max(1, CHUNK_VALUES // z.shape[2])
    for start in range(0, ys.numel(), step):
        chunk = slice(start, start + step)
        scores = combine(_values(z, grid, ys[chunk], xs[chunk], squash=squash))
        near = scores >= scores.amax(1, keepdim=True) - tie
        best.append(near.to(torch.uint8).argmax(1))
    return torch.cat(best)


def _values(z: Tensor, grid: Grid, ys: Tensor, xs: Tensor, *, squash: bool) -> Tensor:
    """The resized values of the pixels, float64 [n, C]."""
    total = torch.zeros(ys.numel(), z.shape[2], dtype=torch.float64, device=z.device)
    for y, y_share in _network_sources(grid.rows, ys):
        for x, x_share in _network_sources(grid.cols, xs):
            value = _network_values(z, grid, y, x)
            if squash:
                value = value.sigmoid_()
            total += value.mul_((y_share * x_share)[:, None])
    return total


def _network_sources(axis: Axis, at: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The network positions (one or two) that the frame positions ``at`` read, with their shares."""
    if axis.down is None:
        yield at, torch.ones(at.numel(), dtype=torch.float64, device=at.device)
        return
    taps = axis.down.at(at)
    yield taps.low, 1.0 - taps.weight
    yield taps.high, taps.weight


def _network_values(z: Tensor, grid: Grid, ys: Tensor, xs: Tensor) -> Tensor:
    """The coarse values resized to the network's positions, float64 [n, C]."""
    rows, cols = grid.rows.up.at(ys), grid.cols.up.at(xs)
    across = cols.weight[:, None]
    upper, lower = (
        torch.lerp(z[y, cols.low].double(), z[y, cols.high].double(), across) for y in (rows.low, rows.high)
    )
    return torch.lerp(upper, lower, rows.weight[:, None])
