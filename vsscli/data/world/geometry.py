"""Positions and shapes, in metres: x to the right, y up, z ahead.

A *shape* is a list of arrays ``float64 [faces, corners, 3]``: flat polygons, all of one array with as many corners.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vsscli.data.world.chance import cos, noise, sin

Faces = NDArray[np.float64]
Shape = list[Faces]
Point = tuple[float, float, float]
Flat = tuple[float, float]  # x and z on the ground, or x and y on a wall
#: Three rows of four: turning and stretching, then the way.
Matrix = tuple[float, float, float, float, float, float, float, float, float, float, float, float]

HOME: Matrix = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def place(
    x: float = 0.0,
    y: float = 0.0,
    z: float = 0.0,
    *,
    turn: float = 0.0,
    tilt: float = 0.0,
    roll: float = 0.0,
    size: float | Point = 1.0,
) -> Matrix:
    """Stretch by ``size``, roll about z, tilt about x, turn about y (radians), then go to (x, y, z)."""
    sx, sy, sz = (size, size, size) if isinstance(size, (int, float)) else size
    a, b = cos(turn), sin(turn)
    c, d = (cos(tilt), sin(tilt)) if tilt else (1.0, 0.0)
    e, f = (cos(roll), sin(roll)) if roll else (1.0, 0.0)
    return (
        *((a * e + b * d * f) * sx, (b * d * e - a * f) * sy, b * c * sz, x),
        *(c * f * sx, c * e * sy, -d * sz, y),
        *((a * d * f - b * e) * sx, (b * f + a * d * e) * sy, a * c * sz, z),
    )


def chain(outer: Matrix, inner: Matrix) -> Matrix:
    """First ``inner``, then ``outer``."""
    a, b, c, p, d, e, f, q, g, h, i, r = outer
    j, k, m, s, n, o, t, u, v, w, x, y = inner
    return (
        *(a * j + b * n + c * v, a * k + b * o + c * w, a * m + b * t + c * x, a * s + b * u + c * y + p),
        *(d * j + e * n + f * v, d * k + e * o + f * w, d * m + e * t + f * x, d * s + e * u + f * y + q),
        *(g * j + h * n + i * v, g * k + h * o + i * w, g * m + h * t + i * x, g * s + h * u + i * y + r),
    )


def moved(shape: Shape, matrix: Matrix) -> Shape:
    """The shape after ``matrix``."""
    rows = (matrix[0:4], matrix[4:8], matrix[8:12])
    return [
        np.stack([f[..., 0] * a + f[..., 1] * b + f[..., 2] * c + d for a, b, c, d in rows], axis=-1) for f in shape
    ]


def shifted(shape: Shape, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Shape:
    """The shape, moved without turning."""
    way = np.array([x, y, z])
    return [faces + way for faces in shape]


def polygon(*points: Point) -> Shape:
    """One flat polygon."""
    return [np.array([points], np.float64)]


def ground(*points: Flat, y: float = 0.0) -> Shape:
    """A polygon that lies on the ground (or at height ``y``)."""
    return [np.array([[(x, y, z) for x, z in points]], np.float64)]


def area(x0: float, z0: float, x1: float, z1: float, y: float = 0.0) -> Shape:
    """A rectangle on the ground."""
    return ground((x0, z0), (x1, z0), (x1, z1), (x0, z1), y=y)


def ellipse(x: float, z: float, rx: float, rz: float, corners: int = 24) -> list[Flat]:
    """The corners of an ellipse around (x, z)."""
    angles = [2 * math.pi * i / corners for i in range(corners)]
    return [(x + rx * cos(a), z + rz * sin(a)) for a in angles]


def ribbon(line: Sequence[Flat], left: float, right: float, y: float = 0.0) -> Shape:
    """A strip along ``line`` from ``left`` to ``right`` of it (metres; right is positive), as quadrangles."""
    points = np.array(line, np.float64)
    ahead = np.gradient(points, axis=0)
    ahead /= np.sqrt(ahead[:, :1] ** 2 + ahead[:, 1:] ** 2)
    across = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    sides = [points + across * left, points + across * right]
    flat = np.stack([sides[0][:-1], sides[0][1:], sides[1][1:], sides[1][:-1]], axis=1)
    height = np.full(flat.shape[:2], y)
    return [np.stack([flat[..., 0], height, flat[..., 1]], axis=-1)]


def box(width: float, height: float, depth: float, top: float = 1.0) -> Shape:
    """A box that stands on (0, 0, 0), centred in x and z; ``top`` narrows its upper end."""
    return frustum(width, depth, width * top, depth * top, height)


def frustum(w0: float, d0: float, w1: float, d1: float, height: float) -> Shape:
    """Between a rectangle on the ground and one at ``height``."""
    a, b, c, d = w0 / 2, d0 / 2, w1 / 2, d1 / 2
    low = [(-a, 0.0, -b), (a, 0.0, -b), (a, 0.0, b), (-a, 0.0, b)]
    high = [(-c, height, -d), (c, height, -d), (c, height, d), (-c, height, d)]
    sides = [(low[i], low[(i + 1) % 4], high[(i + 1) % 4], high[i]) for i in range(4)]
    return [np.array([low, high, *sides], np.float64)]


def prism(profile: Sequence[Flat], width: float) -> Shape:
    """A profile in (z, y), drawn out over ``width`` along x, closed at both ends."""
    ends = np.array([[(x, y, z) for z, y in profile] for x in (-width / 2, width / 2)], np.float64)
    after = np.roll(ends, -1, axis=1)
    sides = np.stack([ends[0], after[0], after[1], ends[1]], axis=1)
    return [ends, sides]


def tube(low: float, high: float, height: float, corners: int = 8, top: bool = True) -> Shape:
    """A cylinder or cone on (0, 0, 0): radius ``low`` at the foot, ``high`` at ``height``."""
    rings = []
    for radius, y in ((low, 0.0), (high, height)):
        rings.append([(x, y, z) for x, z in ellipse(0, 0, radius, radius, corners)])
    foot, head = np.array(rings, np.float64)
    sides = np.stack([foot, np.roll(foot, -1, axis=0), np.roll(head, -1, axis=0), head], axis=1)
    return [sides, head[None]] if top and high > 0 else [sides]


def rod(start: Point, end: Point, radius: float, corners: int = 6) -> Shape:
    """A thin cylinder between two points."""
    (x, y, z), (dx, dy, dz) = start, (end[0] - start[0], end[1] - start[1], end[2] - start[2])
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    flat = math.sqrt(dx * dx + dz * dz)
    upright = tube(radius, radius, length, corners)
    return moved(upright, place(x, y, z, turn=math.atan2(dx, dz) if flat else 0.0, tilt=math.atan2(flat, dy)))


def disc(radius: float, corners: int = 16, inner: float = 0.0) -> Shape:
    """An upright disc in the plane x = 0 around (0, 0, 0), or a ring around a hole of radius ``inner``."""
    rim = [(0.0, y, z) for z, y in ellipse(0, 0, radius, radius, corners)]
    if inner == 0:
        return [np.array([rim], np.float64)]
    outside = np.array(rim, np.float64)
    hole = outside * (inner / radius)
    return [np.stack([outside, np.roll(outside, -1, axis=0), np.roll(hole, -1, axis=0), hole], axis=1)]


@cache
def _globe(rings: int, corners: int) -> Faces:
    """Points of a ball of radius 1: ``[rings + 1, corners + 1, 3]``, the last column is the first again."""
    points = np.empty((rings + 1, corners + 1, 3))
    for i in range(rings + 1):
        polar = math.pi * i / rings
        rim = ellipse(0, 0, sin(polar), sin(polar), corners)
        points[i] = [(x, cos(polar), z) for x, z in [*rim, rim[0]]]
    return points


def ball(radius: float, rings: int = 4, corners: int = 8, rough: float = 0.0, seed: int = 0) -> Shape:
    """A ball of triangles around (0, 0, 0); ``rough`` moves its corners in and out by that share of the radius."""
    points = _globe(rings, corners) * radius
    if rough:
        bumps = 1 + rough * (2 * noise(seed, rings + 1, corners + 1) - 1)
        bumps[0], bumps[-1], bumps[:, -1] = bumps[0, 0], bumps[-1, 0], bumps[:, 0]
        points *= bumps[..., None]
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    upper = np.stack((a[:-1], c[:-1], d[:-1]), axis=-2).reshape(
        -1, 3, 3
    )  # at the poles every other triangle is nothing
    lower = np.stack((a[1:], b[1:], c[1:]), axis=-2).reshape(-1, 3, 3)
    return [np.concatenate([upper, lower])]


def relief(heights: Faces, width: float, depth: float) -> Shape:
    """A surface of triangles over a rectangle centred on (0, 0): ``heights [rows, columns]``, rows go ahead."""
    rows, columns = heights.shape
    x, z = np.meshgrid(np.linspace(-width / 2, width / 2, columns), np.linspace(-depth / 2, depth / 2, rows))
    return sheet(np.stack([x, heights, z], axis=-1))


def sheet(points: Faces) -> Shape:
    """Triangles over a grid of points ``[rows, columns, 3]``."""
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    return [np.concatenate([np.stack(t, axis=-2).reshape(-1, 3, 3) for t in ((a, b, c), (a, c, d))])]
