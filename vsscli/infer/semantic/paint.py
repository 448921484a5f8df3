"""Draws a label map: certain tiles at once, the rest strip by strip, the last pixels one by one."""

from typing import Protocol

import torch
from torch import Tensor

from vsscli.infer.semantic.grid import Axis, Grid
from vsscli.infer.semantic.tiles import tally

STRIP_VALUES = {"cpu": 1 << 20, "cuda": 1 << 25}
"""Values per buffer when nothing is pruned: what a CPU's cache holds, what keeps a large accelerator busy."""


class Scores(Protocol):
    """The class scores of one frame. Labels are small integers held as floats."""

    grid: Grid
    labels: Tensor
    """The label of each channel, fp32 [K]."""
    width: int
    """Values held per pixel of a strip."""

    def alive(self) -> Tensor:
        """Which channels may win somewhere on a tile, bool [K, tiles]; at least one per tile."""

    def strip(self, tiles: range, cols: Tensor) -> tuple[Tensor, Tensor]:
        """The pixels in some rows of tiles at the columns ``cols``, row by row: labels and numbers of possible winners.

        Both [n]; a label is valid where one winner is possible.
        """

    def settle(self, ys: Tensor, xs: Tensor) -> Tensor:
        """The labels of single pixels beyond doubt, fp32 [n]."""


def paint(scores: Scores, *, prune: bool) -> Tensor:
    """The label map, uint8 [H, W]; ``prune`` never changes it."""
    rows, cols = scores.grid.rows, scores.grid.cols
    device = scores.labels.device
    if prune:
        count, label = tally(scores.alive().float(), scores.labels)
        unsure = (count > 1.5).view(rows.tiles, cols.tiles)[:, cols.tile_of]
        canvas = label.to(torch.uint8).view(rows.tiles, cols.tiles)[rows.tile_of][:, cols.tile_of]
    else:
        unsure = torch.ones(rows.tiles, cols.size, dtype=torch.bool, device=device)
        canvas = torch.empty(rows.size, cols.size, dtype=torch.uint8, device=device)
    thin: list[tuple[Tensor, Tensor]] = []
    step = 1 if prune else _tiles_per_strip(rows, cols.size * scores.width, device)
    for first in range(0, rows.tiles, step):
        at = unsure[first].nonzero()[:, 0]
        if at.numel() == 0:
            continue
        tiles = range(first, min(first + step, rows.tiles))
        top, bottom = rows.span(tiles)
        label, count = scores.strip(tiles, at)
        canvas[top:bottom, at] = label.view(bottom - top, -1).to(torch.uint8)
        open_ = (count > 1.5).nonzero()[:, 0]
        if open_.numel():
            thin.append((open_ // at.numel() + top, at[open_ % at.numel()]))
    if thin:
        ys, xs = (torch.cat(part) for part in zip(*thin, strict=True))
        canvas[ys, xs] = scores.settle(ys, xs).to(torch.uint8)
    return canvas


def _tiles_per_strip(rows: Axis, values_per_row: int, device: torch.device) -> int:
    budget = STRIP_VALUES["cpu" if device.type == "cpu" else "cuda"]
    tallest = max(stop - start for start, stop in zip(rows.start, rows.stop, strict=True))
    return max(1, budget // (values_per_row * tallest))
