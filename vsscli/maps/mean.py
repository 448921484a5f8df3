"""The class with the largest mean probability, from coarse grids of the best few classes of several networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsscli.maps.compiled import compiled

STEPS = 2048  # shares of a bilinear resize are whole numbers of 2048ths: all sums are exact
_NONE = 65535  # where the four cells around a pixel do not agree on the best class

Size = tuple[int, int]


@dataclass(frozen=True)
class Cells:
    """What one network says of a frame: ``classes`` uint8 and ``probabilities`` uint16 [K, h, w].

    The best come first, of equal ones the smaller number.

    ``sizes`` int [4, 2]: (rows, columns) of the whole grid of which these are the first h x w cells, of the padded
    network input that it covers, of the input without padding, and of the frame. ``flip``: the frame was mirrored.
    """

    classes: NDArray[np.uint8]
    probabilities: NDArray[np.uint16]
    sizes: NDArray[np.int32]
    flip: bool

    @property
    def frame(self) -> Size:
        """(H, W) of the frame."""
        return int(self.sizes[3, 0]), int(self.sizes[3, 1])


def mean_classes(cells: Sequence[Cells]) -> NDArray[np.uint8]:
    """The class of every pixel with the largest sum of probabilities, ``uint8 [H, W]``.

    ``cells`` stand in the order of their rank. Probabilities are resized bilinearly (pixel centres aligned) from the
    grid to the frame; a class that is not among the K of a cell has none there. All of it is arithmetic of whole
    numbers: the order counts only in ties, where the class to which the first gives more wins, then the smaller number.

    Raises ValueError for nothing, or for frames of different sizes.
    """
    if not cells or any(one.frame != cells[0].frame for one in cells):
        raise ValueError(f"frames of different sizes: {[one.frame for one in cells]}")
    height, width = cells[0].frame
    most = max(len(one.classes) for one in cells)
    rows, cols = np.empty((len(cells), height, 3), np.int32), np.empty((len(cells), width, 3), np.int32)
    packed, agreed, starts = [], [], [0]
    for i, one in enumerate(cells):
        k, h, w = one.classes.shape
        _taps(rows[i], one.sizes[:, 0], h)
        _taps(cols[i], one.sizes[:, 1], w)
        if one.flip:
            cols[i] = cols[i, ::-1].copy()
        entries = np.zeros((h, w, most), np.uint32)
        entries[..., :k] = (one.probabilities.astype(np.uint32) << 8 | one.classes).transpose(1, 2, 0)
        best = np.empty((h, w), np.uint16)
        _agree(entries, best)
        packed.append(entries.reshape(-1, most))
        agreed.append(best.reshape(-1))
        starts.append(starts[-1] + h * w)
    labels = np.empty((height, width), np.uint8)
    widths = np.array([one.classes.shape[2] for one in cells])
    places = np.array(starts[:-1])
    _paint(np.concatenate(packed), np.concatenate(agreed), places, widths, rows, cols, labels)
    return labels


def _taps(taps: NDArray[np.int32], sizes: NDArray[np.int32], kept: int) -> None:
    """Fills [n, 3]: each position reads cells ``low`` and ``high``, the latter with a share in 2048ths."""
    grid, padded, network, frame = (float(size) for size in sizes)
    centre = (np.arange(len(taps)) + 0.5) * (network / frame * grid / padded) - 0.5
    centre = centre.clip(0, kept - 1)
    low = centre.astype(np.int32)
    taps[:, 0], taps[:, 1] = low, np.minimum(low + 1, kept - 1)
    taps[:, 2] = np.rint((centre - low) * STEPS)


@compiled
def _agree(entries: NDArray[np.uint32], best: NDArray[np.uint16]) -> None:
    """For every cell and its right and lower neighbours: their common best class, where they have one.

    A class that is the best of all four is so wherever a resize reads them, for all shares.
    """
    h, w, _ = entries.shape
    for y in range(h):
        for x in range(w):
            first = entries[y, x, 0] & np.uint32(255)
            same = True
            for j in range(y, min(y + 2, h)):
                for i in range(x, min(x + 2, w)):
                    same &= entries[j, i, 0] & np.uint32(255) == first
            best[y, x] = first if same else _NONE


@compiled
def _paint(
    entries: NDArray[np.uint32],
    agreed: NDArray[np.uint16],
    starts: NDArray[np.int64],
    widths: NDArray[np.int64],
    rows: NDArray[np.int32],
    cols: NDArray[np.int32],
    labels: NDArray[np.uint8],
) -> None:
    """Pixels on whose best class all networks agree cost a look-up; the others are summed up."""
    height, width = labels.shape
    count, most = len(starts), entries.shape[1]
    total, first = np.zeros(256, np.int64), np.zeros(256, np.int64)
    seen, cell, share = np.empty(256, np.int64), np.empty(4, np.int64), np.empty(4, np.int64)
    for y in range(height):
        for x in range(width):
            winner = np.uint16(_NONE)
            for r in range(count):
                place = starts[r] + rows[r, y, 0] * widths[r] + cols[r, x, 0]
                if r == 0:
                    winner = agreed[place]
                elif agreed[place] != winner:
                    winner = np.uint16(_NONE)
                if winner == _NONE:
                    break
            if winner != _NONE:
                labels[y, x] = winner
                continue
            found = 0
            for r in range(count):
                low, high = starts[r] + rows[r, y, 0] * widths[r], starts[r] + rows[r, y, 1] * widths[r]
                cell[0], cell[1], cell[2], cell[3] = (
                    low + cols[r, x, 0],
                    low + cols[r, x, 1],
                    high + cols[r, x, 0],
                    high + cols[r, x, 1],
                )
                down, right = np.int64(rows[r, y, 2]), np.int64(cols[r, x, 2])
                share[0], share[1] = (STEPS - down) * (STEPS - right), (STEPS - down) * right
                share[2], share[3] = down * (STEPS - right), down * right
                for corner in range(4):
                    for k in range(most):
                        entry = entries[cell[corner], k]
                        part = np.int64(entry >> np.uint32(8)) * share[corner]
                        if part == 0:
                            continue
                        c = entry & np.uint32(255)
                        if total[c] == 0:
                            seen[found] = c
                            found += 1
                        total[c] += part
                        if r == 0:
                            first[c] += part
            best = seen[0] if found else np.int64(0)
            for i in range(found):
                c = seen[i]
                ahead = total[c] - total[best]
                if ahead == 0:
                    ahead = first[c] - first[best]
                if ahead > 0 or (ahead == 0 and c < best):
                    best = c
            for i in range(found):
                total[seen[i]], first[seen[i]] = 0, 0
            labels[y, x] = best
