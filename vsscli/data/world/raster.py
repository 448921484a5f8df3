"""The rasteriser: which face is seen at which pixel, and where shadows fall.

Plain arithmetic on doubles, compiled, in one thread, without contraction or reordering: the same bits everywhere.
A pixel belongs to a face when its centre lies inside (even-odd rule); no pixel is shared, nothing is smoothed.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from vsscli.data.world.mesh import Tables
from vsscli.maps.compiled import compiled

Function = TypeVar("Function", bound=Callable[..., object])

CORNERS = 512  # room for a polygon while it is clipped
NEAR = 0.1  # metres: nothing nearer is drawn


def inner(function: Function) -> Function:
    """A function that compiled functions call; it is compiled and kept with them."""
    return cast(Function, numba.njit(nogil=True, error_model="numpy")(function))


@inner
def _clip(points: NDArray[np.float64], count: int, out: NDArray[np.float64]) -> int:
    """Cuts off what lies nearer than NEAR (Sutherland and Hodgman 1974)."""
    kept = 0
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        a, b = points[i, 2] - NEAR, points[j, 2] - NEAR
        if a >= 0.0 and kept < CORNERS:
            out[kept] = points[i]
            kept += 1
        if (a >= 0.0) != (b >= 0.0) and kept < CORNERS:
            t = a / (a - b)
            for k in range(3):
                out[kept, k] = points[i, k] + t * (points[j, k] - points[i, k])
            kept += 1
    return kept


@inner
def _plane(points: NDArray[np.float64], count: int, plane: NDArray[np.float64]) -> float:
    """Normal (Newell's method) and distance of a polygon; returns its size, about twice the area."""
    plane[:] = 0.0
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        plane[0] += (points[i, 1] - points[j, 1]) * (points[i, 2] + points[j, 2])
        plane[1] += (points[i, 2] - points[j, 2]) * (points[i, 0] + points[j, 0])
        plane[2] += (points[i, 0] - points[j, 0]) * (points[i, 1] + points[j, 1])
    size = np.sqrt(plane[0] * plane[0] + plane[1] * plane[1] + plane[2] * plane[2])
    if size > 1e-12:
        for k in range(3):
            plane[k] /= size
        plane[3] = plane[0] * points[0, 0] + plane[1] * points[0, 1] + plane[2] * points[0, 2]
    return float(size)


@inner
def _to_screen(points: NDArray[np.float64], count: int, view: NDArray[np.float64]) -> None:
    for i in range(count):
        points[i, 0] = view[13] + view[12] * points[i, 0] / points[i, 2]
        points[i, 1] = view[14] - view[12] * points[i, 1] / points[i, 2]


@inner
def _crossings(points: NDArray[np.float64], count: int, y: float, out: NDArray[np.float64]) -> int:
    """Where the outline crosses the row ``y``, sorted."""
    found = 0
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        y0, y1 = points[i, 1], points[j, 1]
        if (y0 <= y) != (y1 <= y):
            x = points[i, 0] + (y - y0) * (points[j, 0] - points[i, 0]) / (y1 - y0)
            k = found
            while k > 0 and out[k - 1] > x:
                out[k] = out[k - 1]
                k -= 1
            out[k] = x
            found += 1
    return found


@inner
def _rows(points: NDArray[np.float64], count: int, height: int) -> tuple[int, int]:
    low, high = points[0, 1], points[0, 1]
    for i in range(1, count):
        low, high = min(low, points[i, 1]), max(high, points[i, 1])
    return int(np.ceil(max(low, 0.0) - 0.5)), int(np.ceil(min(high, height) - 0.5))


@inner
def _fill(
    points: NDArray[np.float64],
    count: int,
    slope: tuple[float, float, float],
    over: bool,
    record: int,
    near: NDArray[np.float32],
    top: NDArray[np.int32],
    cross: NDArray[np.float64],
) -> None:
    """Writes ``record`` where the face is in front: 1/z = slope . (x, y, 1)."""
    height, width = top.shape
    first, last = _rows(points, count, height)
    for row in range(first, last):
        found = _crossings(points, count, row + 0.5, cross)
        for k in range(0, found - 1, 2):
            left = int(np.ceil(max(cross[k], 0.0) - 0.5))
            right = int(np.ceil(min(cross[k + 1], width) - 0.5))
            for column in range(left, right):
                nearness = np.float32(slope[0] * (column + 0.5) + slope[1] * (row + 0.5) + slope[2])
                if over or nearness > near[row, column]:
                    near[row, column] = nearness
                    top[row, column] = record


@inner
def _compose(view: NDArray[np.float64], matrix: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Camera after instance: ``out [3, 4]``."""
    for i in range(3):
        a, b, c = view[3 * i], view[3 * i + 1], view[3 * i + 2]
        for k in range(4):
            out[i, k] = a * matrix[k] + b * matrix[4 + k] + c * matrix[8 + k]
        out[i, 3] -= a * view[9] + b * view[10] + c * view[11]


@inner
def _visible(
    ball: NDArray[np.float64], m: NDArray[np.float64], view: NDArray[np.float64], size: NDArray[np.int64]
) -> bool:
    """Whether the ball around a mesh touches the picture and would cover about a pixel of it."""
    x = m[0, 0] * ball[0] + m[0, 1] * ball[1] + m[0, 2] * ball[2] + m[0, 3]
    y = m[1, 0] * ball[0] + m[1, 1] * ball[1] + m[1, 2] * ball[2] + m[1, 3]
    z = m[2, 0] * ball[0] + m[2, 1] * ball[1] + m[2, 2] * ball[2] + m[2, 3]
    stretch = 0.0
    for k in range(3):
        stretch = max(stretch, m[0, k] * m[0, k] + m[1, k] * m[1, k] + m[2, k] * m[2, k])
    radius = ball[3] * np.sqrt(stretch)
    if z + radius < NEAR:
        return False
    if z > radius and radius * view[12] / z < 0.35:
        return False
    wide, high = size[1] / view[12] * 0.5, size[0] / view[12] * 0.5
    reach_x, reach_y = radius * np.sqrt(1 + wide * wide), radius * np.sqrt(1 + high * high)
    return bool(abs(x) - wide * z <= reach_x and abs(y) - high * z <= reach_y)


@inner
def _inverse(m: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Inverse of the left 3 x 3 of ``m``, in ``out [3, 3]``."""
    out[0, 0] = m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1]
    out[0, 1] = m[0, 2] * m[2, 1] - m[0, 1] * m[2, 2]
    out[0, 2] = m[0, 1] * m[1, 2] - m[0, 2] * m[1, 1]
    out[1, 0] = m[1, 2] * m[2, 0] - m[1, 0] * m[2, 2]
    out[1, 1] = m[0, 0] * m[2, 2] - m[0, 2] * m[2, 0]
    out[1, 2] = m[0, 2] * m[1, 0] - m[0, 0] * m[1, 2]
    out[2, 0] = m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0]
    out[2, 1] = m[0, 1] * m[2, 0] - m[0, 0] * m[2, 1]
    out[2, 2] = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
    det = m[0, 0] * out[0, 0] + m[0, 1] * out[1, 0] + m[0, 2] * out[2, 0]
    for i in range(3):
        for k in range(3):
            out[i, k] /= det


@inner
def _note(
    uv: NDArray[np.float64],
    m: NDArray[np.float64],
    inverse: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Texels as functions of the point seen from the camera: out[0:4] for u, out[4:8] for v."""
    for i in range(2):
        for k in range(3):
            out[4 * i + k] = uv[4 * i] * inverse[0, k] + uv[4 * i + 1] * inverse[1, k] + uv[4 * i + 2] * inverse[2, k]
        out[4 * i + 3] = uv[4 * i + 3] - (out[4 * i] * m[0, 3] + out[4 * i + 1] * m[1, 3] + out[4 * i + 2] * m[2, 3])


@compiled
def draw(
    table: Tables,
    meshes: NDArray[np.int32],
    matrices: NDArray[np.float64],
    view: NDArray[np.float64],
    near: NDArray[np.float32],
    top: NDArray[np.int32],
    owner: NDArray[np.int32],
    notes: NDArray[np.float64],
) -> int:
    """Draws every instance: ``top`` becomes the record seen at each pixel (-1: none), ``near`` its 1/z.

    ``meshes [n]`` and ``matrices [n, 12]`` are the instances; ``view [15]`` is the camera: turning (9, rows right, up,
    ahead), place (3), focal length in pixels, middle x, y. Of each record, ``owner`` holds face and instance and
    ``notes [14]`` the texture's way (8), the slopes of 1/z (3), and the normal in the world (3).
    Returns the number of records.
    """
    raw, cut = np.empty((CORNERS, 3)), np.empty((CORNERS, 3))
    cross, plane, m, inverse = np.empty(CORNERS), np.empty(4), np.empty((3, 4)), np.empty((3, 3))
    size = np.array(top.shape)
    near[:] = 0.0
    top[:] = -1
    records = 0
    for i in range(len(meshes)):
        mesh = meshes[i]
        _compose(view, matrices[i], m)
        if not _visible(table.ball[mesh], m, view, size):
            continue
        _inverse(m, inverse)
        for face in range(table.mesh[mesh], table.mesh[mesh + 1]):
            start, count = table.first[face], table.first[face + 1] - table.first[face]
            for c in range(count):
                p = table.points[start + c]
                for k in range(3):
                    raw[c, k] = m[k, 0] * p[0] + m[k, 1] * p[1] + m[k, 2] * p[2] + m[k, 3]
            kept = _clip(raw, count, cut)
            if kept < 3 or _plane(cut, kept, plane) < 1e-9 or abs(plane[3]) < 1e-9:
                continue
            f, d = view[12], plane[3]
            sx, sy = plane[0] / (f * d), -plane[1] / (f * d)
            slope = (sx, sy, plane[2] / d - sx * view[13] - sy * view[14])
            _to_screen(cut, kept, view)
            owner[records, 0], owner[records, 1] = face, i
            note = notes[records]
            _note(table.uv[face], m, inverse, note)
            note[8], note[9], note[10] = slope
            side = -1.0 if d > 0.0 else 1.0  # the normal looks towards the camera
            for k in range(3):
                note[11 + k] = side * (plane[0] * view[k] + plane[1] * view[3 + k] + plane[2] * view[6 + k])
            _fill(cut, kept, slope, table.kind[face] & 1 == 1, records, near, top, cross)
            records += 1
    return records


@compiled
def cast_shadows(
    table: Tables,
    meshes: NDArray[np.int32],
    matrices: NDArray[np.float64],
    casts: NDArray[np.bool_],
    view: NDArray[np.float64],
    sun: NDArray[np.float64],
    top: NDArray[np.int32],
    owner: NDArray[np.int32],
    shade: NDArray[np.uint8],
) -> None:
    """Marks in ``shade`` the pixels of the ground from which the sun is hidden by a face.

    ``sun [3]`` is the way to the sun. Faces are projected along it to the height 0 and filled like any polygon.
    """
    raw, cut, cross = np.empty((CORNERS, 3)), np.empty((CORNERS, 3)), np.empty(CORNERS)
    shade[:] = 0
    height, width = top.shape
    lean_x, lean_z = sun[0] / sun[1], sun[2] / sun[1]
    for i in range(len(meshes)):
        if not casts[i]:
            continue
        g = matrices[i]
        for face in range(table.mesh[meshes[i]], table.mesh[meshes[i] + 1]):
            start, count = table.first[face], table.first[face + 1] - table.first[face]
            for c in range(count):
                p = table.points[start + c]
                y = max(0.0, g[4] * p[0] + g[5] * p[1] + g[6] * p[2] + g[7])
                x = g[0] * p[0] + g[1] * p[1] + g[2] * p[2] + g[3] - lean_x * y - view[9]
                z = g[8] * p[0] + g[9] * p[1] + g[10] * p[2] + g[11] - lean_z * y - view[11]
                for k in range(3):
                    raw[c, k] = view[3 * k] * x - view[3 * k + 1] * view[10] + view[3 * k + 2] * z
            kept = _clip(raw, count, cut)
            if kept < 3:
                continue
            _to_screen(cut, kept, view)
            first, last = _rows(cut, kept, height)
            for row in range(first, last):
                found = _crossings(cut, kept, row + 0.5, cross)
                for k in range(0, found - 1, 2):
                    left = int(np.ceil(max(cross[k], 0.0) - 0.5))
                    right = int(np.ceil(min(cross[k + 1], width) - 0.5))
                    for column in range(left, right):
                        record = top[row, column]
                        if record >= 0 and table.kind[owner[record, 0]] & 1:
                            shade[row, column] = 1
