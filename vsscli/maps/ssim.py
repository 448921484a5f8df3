"""Structural similarity (SSIM) of two label maps, with their ids taken as gray values or class by class.

Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004), eq. 13, with uniform
windows of 7x7 pixels, K1 = .01, K2 = .03, a range of 255 and sample covariances: what scikit-image computes by default
for ``uint8`` images. Sums over a window are whole numbers, so nothing is lost before the last few operations.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from vsscli.maps.compiled import compiled
from vsscli.maps.confusion import flat

#: The side of the window, in pixels.
WINDOW = 7

_AREA = WINDOW * WINDOW
# Of eq. 13 both fractions are multiplied out, so that sums over a window stand in it in place of means and covariances.
_C1 = (0.01 * 255) ** 2 * _AREA**2
_C2 = (0.03 * 255) ** 2 * _AREA * (_AREA - 1)


def windows_inside(sources: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which windows hold no pixel whose source is outside the frame (negative, see `vsscli.maps.warp`).

    ``bool [H-6, W-6]``, a window standing at its upper left corner; an axis shorter than `WINDOW` has none.
    """
    height, width = (max(side - WINDOW + 1, 0) for side in sources.shape)
    valid = np.ones((height, width), np.bool_)
    if valid.size:
        _mark(sources, valid)
    return valid


def id_ssim(one: NDArray[np.uint8], two: NDArray[np.uint8], valid: NDArray[np.bool_]) -> float | None:
    """The mean SSIM of two maps ``uint8 [H, W]`` over the windows ``valid``, with ids as gray values.

    It depends on how classes are numbered: ids far apart count more than neighbouring ones. None without a window.
    """
    _require_alike(one, two, valid)
    windows = int(np.count_nonzero(valid))
    if not windows:
        return None
    return float(_id_sum(_image(one), _image(two), valid)) / windows


def class_ssim(one: NDArray[np.uint8], two: NDArray[np.uint8], valid: NDArray[np.bool_]) -> float | None:
    """The mean over classes of the SSIM of their masks (0 and 255) in two maps ``uint8 [H, W]``.

    It is taken over the windows ``valid``; the classes are all values that either map holds in one of them. The same
    to the last bit however they are numbered, since windows are counted by what the SSIM of masks depends on: pixels
    in one, in the other, in both. None without a window.
    """
    _require_alike(one, two, valid)
    windows = int(np.count_nonzero(valid))
    if not windows:
        return None
    counts, seen = np.zeros((_AREA + 1, _AREA + 1, _AREA + 1), np.int64), np.zeros(256, np.bool_)
    _count(_image(one), _image(two), valid, counts, seen)
    total = windows * int(np.count_nonzero(seen))
    elsewhere = total - int(counts.sum())  # windows without the class: its masks are equal there
    return (float((counts * _mask_table()).sum()) + elsewhere) / total


def _require_alike(one: NDArray[np.uint8], two: NDArray[np.uint8], valid: NDArray[np.bool_]) -> None:
    windows = tuple(max(side - WINDOW + 1, 0) for side in one.shape)
    if one.shape != two.shape or valid.shape != windows:
        raise ValueError(f"maps are {one.shape} and {two.shape}, windows are {valid.shape}")


def _image(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return flat(labels).reshape(labels.shape)


@cache
def _mask_table() -> NDArray[np.float64]:
    """The SSIM of two masks in a window by (pixels in one, in the other, in both), ``float64 [50, 50, 50]``.

    Exactly 1 where the masks are equal. What cannot be (more in both than in one) is never counted.
    """
    count = np.arange(_AREA + 1, dtype=np.float64)
    one, two, both = count[:, None, None], count[None, :, None], count[None, None, :]
    product, squares, scale = one * two, one**2 + two**2, 255.0**2
    means = (2 * product * scale + _C1) / (squares * scale + _C1)
    spread = 2 * (_AREA * both - product) * scale + _C2
    return np.asarray(means * spread / ((_AREA * (one + two) - squares) * scale + _C2))


@compiled
def _mark(sources: NDArray[np.int32], valid: NDArray[np.bool_]) -> None:
    """Unmarks the windows of every pixel that has no source."""
    height, width = valid.shape
    for y in range(sources.shape[0]):
        for x in range(sources.shape[1]):
            if sources[y, x] < 0:
                for row in range(max(y - WINDOW + 1, 0), min(y + 1, height)):
                    for column in range(max(x - WINDOW + 1, 0), min(x + 1, width)):
                        valid[row, column] = False


@compiled
def _id_sum(one: NDArray[np.uint8], two: NDArray[np.uint8], valid: NDArray[np.bool_]) -> float:
    """The sum of SSIM over windows.

    Sums over a column slide down, those over a window are added up from seven columns: whole numbers, exact in floating
    point. Short loops over few arrays become vector instructions; each column of windows has its own total.
    """
    height, width = one.shape
    windows = width - WINDOW + 1
    x, y, squares, products = np.zeros(width), np.zeros(width), np.zeros(width), np.zeros(width)
    sum_x, sum_y, sum_squares, sum_products = (
        np.empty(windows),
        np.empty(windows),
        np.empty(windows),
        np.empty(windows),
    )
    total = np.zeros(windows)
    for bottom in range(height):
        for j in range(width):
            a, b = np.float64(one[bottom, j]), np.float64(two[bottom, j])
            x[j] += a
            y[j] += b
            squares[j] += a * a + b * b
            products[j] += a * b
        top = bottom - WINDOW + 1
        if top > 0:
            for j in range(width):
                a, b = np.float64(one[top - 1, j]), np.float64(two[top - 1, j])
                x[j] -= a
                y[j] -= b
                squares[j] -= a * a + b * b
                products[j] -= a * b
        if top < 0:
            continue
        for columns, sums in ((x, sum_x), (y, sum_y), (squares, sum_squares), (products, sum_products)):
            for j in range(windows):
                near = columns[j] + columns[j + 1] + columns[j + 2]
                sums[j] = near + columns[j + 3] + columns[j + 4] + columns[j + 5] + columns[j + 6]
        for j in range(windows):
            a, b = sum_x[j], sum_y[j]
            product, both = 2 * a * b, a * a + b * b
            above = (product + _C1) * (2 * _AREA * sum_products[j] - product + _C2)
            total[j] += above / ((both + _C1) * (_AREA * sum_squares[j] - both + _C2)) * valid[top, j]
    return float(total.sum())


@compiled
def _count(
    one: NDArray[np.uint8],
    two: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    counts: NDArray[np.int64],
    seen: NDArray[np.bool_],
) -> None:
    """Counts windows and the values in them by (pixels in one, in the other, in both); marks these values as ``seen``.

    A window slides along its row. Label maps are flat: mostly the column that enters is like the one that leaves, and
    then the window is only counted once more.
    """
    height, width = one.shape
    pixels = np.zeros((256, 3), np.int64)  # of each value in the window: in one, in two, in both
    values, place, many = np.empty(256, np.int64), np.empty(256, np.int64), np.int64(0)  # the values, where each stands
    alike = np.zeros(width, np.uint8)  # for how many rows a column has been like the seventh after it
    limit, unit = np.uint8(WINDOW), np.uint8(1)
    for bottom in range(height):
        for j in range(width - WINDOW):
            equal = (one[bottom, j] == one[bottom, j + WINDOW]) & (two[bottom, j] == two[bottom, j + WINDOW])
            alike[j] = (min(alike[j], limit) + unit) * equal
        top = bottom - WINDOW + 1
        if top < 0:
            continue
        pixels[:], place[:], many = 0, -1, np.int64(0)
        times = np.int64(0)  # for how many valid windows the pixels have been these
        for j in range(width + 1):
            if WINDOW <= j < width and alike[j - WINDOW] >= limit:
                times += valid[top, j - WINDOW + 1]
                continue
            for k in range(many if times else 0):
                value = values[k]
                counts[pixels[value, 0], pixels[value, 1], pixels[value, 2]] += times
                seen[value] = True
            if j == width:
                break
            for step, column in ((1, j), (-1, j - WINDOW)):
                for i in range(top, bottom + 1 if column >= 0 else top):
                    a, b = one[i, column], two[i, column]
                    pixels[a, 0] += step
                    pixels[b, 1] += step
                    pixels[a, 2] += step * (a == b)
                    for value in (a, b):
                        there = pixels[value, 0] + pixels[value, 1] > 0
                        if there and place[value] < 0:
                            values[many], place[value] = value, many
                            many += 1
                        elif not there and place[value] >= 0:
                            many -= 1
                            last = values[many]
                            values[place[value]], place[last] = last, place[value]
                            place[value] = -1
            times = np.int64(j >= WINDOW - 1 and valid[top, max(j - WINDOW + 1, 0)])
