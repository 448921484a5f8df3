"""Regions of label maps: connected at reduced resolution, with every pixel in exactly one of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_EIGHT = np.ones((3, 3), np.bool_)  # cells that touch at a corner belong together


def block_size(height: int, width: int, longest: int) -> int:
    """The side of the blocks of pixels that become cells, so that the longer side has at most ``longest`` cells."""
    return max(1, -(-max(height, width) // longest))


def shrink(mask: NDArray[np.bool_], block: int) -> NDArray[np.bool_]:
    """Cells ``bool [ceil(H / block), ceil(W / block)]``, true where any pixel of ``mask``, ``bool [H, W]``, is."""
    if block == 1:
        return mask
    return _any_of_rows(_any_of_rows(mask, block).T, block).T


def _any_of_rows(mask: NDArray[np.bool_], block: int) -> NDArray[np.bool_]:
    """Every ``block`` rows joined to one. By slices: several times as fast as ``np.logical_or.reduceat``."""
    joined = mask[::block].copy()
    for first in range(1, min(block, len(mask))):
        rows = mask[first::block]
        joined[: len(rows)] |= rows
    return joined


def enlarge(cells: NDArray[np.int32], block: int, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Each pixel of ``[H, W]`` (``shape``) has the value of its cell."""
    if block == 1:
        return cells
    return np.repeat(np.repeat(cells, block, axis=0), block, axis=1)[: shape[0], : shape[1]]


def connect(mask: NDArray[np.bool_], block: int) -> tuple[NDArray[np.int32], int]:
    """(cells ``int32`` with the number of their region, 1 to n, or 0, n): regions of ``mask`` that touch, by cells."""
    cells, count = ndimage.label(shrink(mask, block), _EIGHT)
    return cells.astype(np.int32, copy=False), count


def count_classes(regions: NDArray[np.int32], count: int, places: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """``int64 [count, classes]``: pixels by region (1 to ``count``) and place of their class in its group.

    ``regions`` and ``places`` are of the pixels of a group alone, in one row each.
    """
    pairs = (regions.astype(np.int64) - 1) * classes + places
    return np.bincount(pairs, minlength=count * classes).reshape(count, classes)


def overlaps(before: NDArray[np.int32], now: NDArray[np.int32], share: float) -> list[tuple[int, int]]:
    """Pairs (region before, region now) that share at least ``share`` of the cells of the smaller one, ascending.

    Both are cells ``int32 [h, w]`` numbered from 1, 0 elsewhere.
    """
    both = (before > 0) & (now > 0)
    if not both.any():
        return []
    sizes_before, sizes_now = np.bincount(before.ravel()), np.bincount(now.ravel())
    pairs = before[both].astype(np.int64) * len(sizes_now) + now[both]
    found, common = np.unique(pairs, return_counts=True)
    first, second = np.divmod(found, len(sizes_now))
    enough = common >= share * np.minimum(sizes_before[first], sizes_now[second])
    return list(zip(first[enough].tolist(), second[enough].tolist(), strict=True))


def place_of(ids: Sequence[int]) -> NDArray[np.uint8]:
    """``uint8 [256]``: label -> its place in ``ids``, 255 for labels that are not among them."""
    places = np.full(256, 255, np.uint8)
    places[list(ids)] = np.arange(len(ids), dtype=np.uint8)
    return places
