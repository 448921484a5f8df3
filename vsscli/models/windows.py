"""Sliding windows, for networks that take squares of one size."""

from collections.abc import Callable
from math import ceil

import torch
from torch import Tensor
from torch.nn.functional import pad


def window_starts(length: int, side: int, stride: int) -> list[int]:
    """Where windows of ``side`` begin along ``length``: evenly spread, as few as keep them within ``stride``."""
    if length <= side:
        return [0]
    gaps = ceil((length - side) / stride)
    return [i * (length - side) // gaps for i in range(gaps + 1)]


def slide(pixels: Tensor, side: int, stride: int, function: Callable[[Tensor], Tensor]) -> Tensor:
    """The mean of what ``function`` says in overlapping windows.

    ``pixels`` is [B, 3, H, W], padded with zeros where it is smaller than a window; ``function`` turns [B, 3, side,
    side] into [B, K, side, side]. Returns float32 [B, K, H, W].
    """
    batch, _, height, width = pixels.shape
    pixels = pad(pixels, (0, max(side - width, 0), 0, max(side - height, 0)))
    places = [
        (slice(top, top + side), slice(left, left + side))
        for top in window_starts(pixels.shape[2], side, stride)
        for left in window_starts(pixels.shape[3], side, stride)
    ]
    total: Tensor | None = None
    count = pixels.new_zeros(pixels.shape[2:], dtype=torch.float32)
    for rows, columns in places:
        scores = function(pixels[:, :, rows, columns]).float()
        if total is None:
            total = scores.new_zeros(batch, scores.shape[1], *pixels.shape[2:])
        total[:, :, rows, columns] += scores
        count[rows, columns] += 1
    assert total is not None
    return total.div_(count)[:, :, :height, :width]
