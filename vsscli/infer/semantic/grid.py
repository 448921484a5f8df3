"""Where a pixel of the frame reads the network's coarse output: geometry only, computed in float64.

An axis goes from the coarse grid (``n`` cells) to the padded network input, loses the padding, and goes on to the
frame. Both steps are bilinear with pixel centres aligned (``align_corners=False``) and without antialiasing.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

TILE_PIXELS = 8
"""Wanted side of a tile in pixels of the frame: smaller ones cost more to bound, larger ones are decided less often."""


@dataclass(frozen=True)
class Taps:
    """Each target position reads two sources: ``low`` with ``1 - weight`` and ``high`` with ``weight`` (float64)."""

    low: Tensor
    high: Tensor
    weight: Tensor

    def at(self, index: slice | Tensor) -> "Taps":
        return Taps(self.low[index], self.high[index], self.weight[index])

    def shifted(self, origin: int) -> "Taps":
        """The same taps into an array that starts at source position ``origin``."""
        return Taps(self.low - origin, self.high - origin, self.weight)


def bilinear_taps(source: int, target: int, keep: int, device: torch.device) -> Taps:
    """The first ``keep`` positions of a bilinear resize from ``source`` to ``target`` positions."""
    centre = ((np.arange(keep, dtype=np.float64) + 0.5) * (source / target) - 0.5).clip(0.0)
    low = np.minimum(centre.astype(np.int64), source - 1)
    high = np.minimum(low + 1, source - 1)
    parts = (torch.from_numpy(part).to(device) for part in (low, high, centre - low))
    return Taps(*parts)


@dataclass(frozen=True)
class Axis:
    """One axis of the way from the coarse grid to the frame, cut into tiles.

    A tile is a run of frame positions that read the same block of coarse cells: ``start[i]:stop[i]``, reading the
    coarse positions ``first[i]..last[i]``. ``tile_of`` gives each frame position its tile. ``down`` is None where the
    frame has the network's size.
    """

    up: Taps
    down: Taps | None
    tile_of: Tensor
    start: tuple[int, ...]
    stop: tuple[int, ...]
    first: Tensor
    last: Tensor

    @property
    def size(self) -> int:
        return self.tile_of.numel()

    @property
    def tiles(self) -> int:
        return len(self.start)

    def span(self, tiles: range) -> tuple[int, int]:
        """The frame positions ``a:b`` of consecutive tiles."""
        return self.start[tiles.start], self.stop[tiles.stop - 1]

    def network_span(self, start: int, stop: int) -> tuple[int, int]:
        """The network positions ``a:b`` that the frame positions ``start:stop`` read."""
        if self.down is None:
            return start, stop
        return int(self.down.low[start]), int(self.down.high[stop - 1]) + 1


def axis(coarse: int, padded: int, network: int, out: int, device: torch.device) -> Axis:
    """The way of ``coarse`` cells over ``padded`` and ``network`` to ``out`` positions."""
    up = bilinear_taps(coarse, padded, network, device)
    down = None if network == out else bilinear_taps(network, out, out, device)
    low, high = (up.low, up.high) if down is None else (up.low[down.low], up.high[down.high])
    pixels_per_cell = out / network * padded / coarse
    block = max(1, round(TILE_PIXELS / pixels_per_cell))
    _, tile_of, counts = torch.unique_consecutive(low // block, return_inverse=True, return_counts=True)
    stop = counts.cumsum(0)
    start = stop - counts
    return Axis(up, down, tile_of, tuple(start.tolist()), tuple(stop.tolist()), low[start], high[stop - 1])


@dataclass(frozen=True)
class Grid:
    """Both axes."""

    rows: Axis
    cols: Axis

    @property
    def tiles(self) -> tuple[int, int]:
        return self.rows.tiles, self.cols.tiles


Size = tuple[int, int]


def check_sizes(coarse: Size, padded: Size, network: Size, out: Size) -> None:
    """Raises ValueError unless all sizes are positive and the network input lies in its padded form."""
    if min(*coarse, *padded, *network, *out) < 1:
        raise ValueError(f"Sizes must be positive: coarse {coarse}, padded {padded}, network {network}, out {out}.")
    if network[0] > padded[0] or network[1] > padded[1]:
        raise ValueError(f"The network input {network} is larger than its padded form {padded}.")


def grid(coarse: Size, padded: Size, network: Size, out: Size, device: torch.device) -> Grid:
    """The way of a ``coarse`` (h, w) output to a frame of size ``out`` (H, W)."""
    check_sizes(coarse, padded, network, out)
    rows, cols = (axis(coarse[i], padded[i], network[i], out[i], device) for i in (0, 1))
    return Grid(rows, cols)
