"""Bilinear resizing of a strip of rows in single precision, channels last, in reused buffers."""

import math

import torch
from torch import Tensor

from vsscli.infer.semantic.grid import Grid, Taps


class Scratch:
    """Buffers by name, grown to the largest request. Fresh arrays of this size cost more to map than to fill."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._flat: dict[str, Tensor] = {}

    def take(self, name: str, *shape: int) -> Tensor:
        """A contiguous fp32 array of undefined content, valid until ``name`` is taken again."""
        size = math.prod(shape)
        flat = self._flat.get(name)
        if flat is None or flat.numel() < size:
            flat = self._flat[name] = torch.empty(size, dtype=torch.float32, device=self._device)
        return flat[:size].view(shape)


def interpolate(x: Tensor, dim: int, taps: Taps, scratch: Scratch, name: str) -> Tensor:
    """``x`` resized along ``dim``; the result lives in ``scratch`` under ``name``."""
    shape = list(x.shape)
    shape[dim] = taps.low.numel()
    low = torch.index_select(x, dim, taps.low, out=scratch.take(name, *shape))
    high = torch.index_select(x, dim, taps.high, out=scratch.take("high", *shape))
    weight = taps.weight.float().view([-1 if d == dim else 1 for d in range(x.dim())])
    return torch.lerp(low, high, weight, out=low)


def resize_strip(
    z: Tensor,
    grid: Grid,
    rows: tuple[int, int],
    cols: Tensor,
    scratch: Scratch,
    *,
    squash: bool,
    channels: Tensor | None = None,
) -> Tensor:
    """The frame's rows ``rows[0]:rows[1]`` at the columns ``cols`` (ascending) of the coarse ``z`` [h, w, C].

    Returns fp32 [rows, cols, C], or only the ``channels`` asked for. ``squash`` applies the sigmoid at the network's
    size, between the two resizes.
    """
    first, last = grid.rows.network_span(*rows)
    up = grid.rows.up.at(slice(first, last))
    origin = int(up.low[0])
    wanted, across = _network_columns(grid, cols)
    x = z[origin : int(up.high[-1]) + 1]
    if channels is not None:
        x = x.index_select(2, channels)
    x = interpolate(x, 1, grid.cols.up.at(wanted), scratch, "up_across")
    x = interpolate(x, 0, up.shifted(origin), scratch, "up_down")
    if squash:
        x = x.sigmoid_()
    if grid.rows.down is not None:
        x = interpolate(x, 0, grid.rows.down.at(slice(*rows)).shifted(first), scratch, "frame_down")
    if across is not None:
        x = interpolate(x, 1, across, scratch, "frame_across")
    return x


def _network_columns(grid: Grid, cols: Tensor) -> tuple[Tensor, Taps | None]:
    """The network's columns that the frame's ``cols`` read, and the taps from those to ``cols`` (None: the same)."""
    if grid.cols.down is None:
        return cols, None
    taps = grid.cols.down.at(cols)
    used = torch.zeros(grid.cols.up.low.numel(), dtype=torch.bool, device=cols.device)
    used[taps.low] = True
    used[taps.high] = True
    place = used.cumsum(0) - 1
    return used.nonzero()[:, 0], Taps(place[taps.low], place[taps.high], taps.weight)
