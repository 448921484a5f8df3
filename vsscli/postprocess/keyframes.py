"""Which frames of a region are shown: well spread, the region large in them, and sharp."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Of each part of a region's time, so many frames are compared for sharpness.
COMPARED = 5


def shortlists(frames: Sequence[int], areas: Sequence[int], parts: int) -> tuple[tuple[int, ...], ...]:
    """For each of up to ``parts`` parts of a region's time the frames to choose from, those at its middle first.

    ``areas`` are the region's pixels in its ``frames`` (ascending). Frames where it has more than twice its median area
    (a mask that flickers runs over), or less than half of the largest of the others, are passed over as long as there
    are enough others; of a part, those with less than 0.8 of its largest area are. Parts are of as many frames each as
    can be, so what is chosen lies apart.
    """
    usual = 2 * sorted(areas)[len(areas) // 2]
    largest = max(area for area in areas if area <= usual)
    large = [i for i, area in enumerate(areas) if area <= usual and 2 * area >= largest]
    if len(large) < parts:
        large = sorted(sorted(range(len(frames)), key=lambda i: (areas[i] > usual, -areas[i], i))[:parts])
    lists = []
    for part in np.array_split(np.array(large), min(parts, len(large))):
        top = max(areas[i] for i in part)
        good = [int(i) for i in part if 10 * areas[i] >= 8 * top]
        middle = (int(part[0]) + int(part[-1])) / 2
        nearest = sorted(good, key=lambda i: (abs(i - middle), i))[:COMPARED]
        lists.append(tuple(frames[i] for i in nearest))
    return tuple(lists)


def sharpness(image: NDArray[np.uint8]) -> float:
    """The variance of the Laplacian of a frame, RGB ``uint8 [H, W, 3]``, gray levels squared; 0 without an inside."""
    gray = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    if min(gray.shape) < 3:
        return 0.0
    inside = gray[1:-1, 1:-1]
    around = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]
    return float((around - 4 * inside).var())
