"""From shapes and brushes to flat tables that the rasteriser reads.

A brush says at once how a surface looks and what it is: whatever is painted has the class of its brush. That is why
masks are exact.
"""

from dataclasses import dataclass, field
from enum import IntFlag
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import vspw_classes
from vsscli.data.world.geometry import Faces, Shape
from vsscli.data.world.textures import SIDE, Texture

Color = tuple[float, float, float]

MOST_CORNERS = 256  #: of a face: the rasteriser has room for twice as many while it clips
OTHERS = "others"  #: what no class of VSPW names; stored as 0


class Kind(IntFlag):
    """How a surface is treated."""

    SOLID = 0
    GROUND = 1  # painted in order without a depth test, before all else; takes shadows
    WATER = 2  # mirrors what stands behind it
    GLOW = 4  # shines by itself: no light falls on it


@dataclass(frozen=True)
class Brush:
    """Look and class of a surface.

    Colours are RGB 0..255; the texture leads from ``light`` to ``dark``. ``tile`` is the size of a tile of texture in
    metres; with ``fit``, halves of a tile are fitted to the face (windows to a wall). ``flow`` moves the texture
    (metres a second); ``blotch`` is the strength of large soft blotches that hide the repetition of tiles.
    """

    what: str
    light: Color
    dark: Color | None = None
    texture: Texture = Texture.PLAIN
    tile: float = 1.0
    kind: Kind = Kind.SOLID
    fit: bool = False
    flow: tuple[float, float] = (0.0, 0.0)
    blotch: float = 0.0


class Tables(NamedTuple):
    """All faces of all meshes."""

    points: NDArray[np.float64]  # [corners, 3]
    first: NDArray[np.int32]  # [faces + 1] into points
    label: NDArray[np.uint8]  # [faces] as VSPW stores it
    texture: NDArray[np.int32]  # [faces]
    kind: NDArray[np.int32]  # [faces]
    color: NDArray[np.float32]  # [faces, 9]: light, dark, blotch, flow in texels a second
    uv: NDArray[np.float64]  # [faces, 8]: texel u = uv[0:3] . point + uv[3]; v likewise
    mesh: NDArray[np.int32]  # [meshes + 1] into faces
    ball: NDArray[np.float64]  # [meshes, 4]: a ball around the mesh


@dataclass
class Mesh:
    """Painted shapes that move as one."""

    parts: list[tuple[Faces, Brush]] = field(default_factory=list)

    def add(self, shape: Shape, brush: Brush) -> "Mesh":
        """Paints ``shape``; returns the mesh itself."""
        self.parts += [(faces, brush) for faces in shape]
        return self


@cache
def stored_value(what: str) -> int:
    """The value VSPW stores for a class name; 0 for `OTHERS`."""
    return 0 if what == OTHERS else vspw_classes().index(what) + 1


def tables(meshes: list[Mesh]) -> Tables:
    """The tables of ``meshes``, none of them empty."""
    parts = [part for mesh in meshes for part in mesh.parts]
    counts = np.array([len(faces) for faces, _ in parts])
    corners = np.array([faces.shape[1] for faces, _ in parts])
    assert corners.max() <= MOST_CORNERS
    points = np.concatenate([faces.reshape(-1, 3) for faces, _ in parts])
    own = np.cumsum([0] + [len(mesh.parts) for mesh in meshes])
    part_ends = np.concatenate([[0], np.cumsum(counts)])
    return Tables(
        points=points,
        first=np.concatenate([[0], np.cumsum(np.repeat(corners, counts))]).astype(np.int32),
        label=np.repeat(np.array([stored_value(brush.what) for _, brush in parts], np.uint8), counts),
        texture=np.repeat(np.array([brush.texture for _, brush in parts], np.int32), counts),
        kind=np.repeat(np.array([brush.kind for _, brush in parts], np.int32), counts),
        color=np.repeat(np.array([_color(brush) for _, brush in parts], np.float32), counts, axis=0),
        uv=_all_texels(parts, corners, part_ends),
        mesh=part_ends[own].astype(np.int32),
        ball=_balls(points, np.concatenate([[0], np.cumsum(counts * corners)])[own[:-1]]),
    )


def _color(brush: Brush) -> tuple[float, ...]:
    texels = SIDE / brush.tile
    return (*brush.light, *(brush.dark or brush.light), brush.blotch, brush.flow[0] * texels, brush.flow[1] * texels)


def _balls(points: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """A ball around each run of ``points`` that begins at ``starts``."""
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    middle = (low + high) / 2
    runs = np.diff(np.append(starts, len(points)))
    squares = ((points - np.repeat(middle, runs, axis=0)) ** 2).sum(axis=1)
    return np.concatenate([middle, np.sqrt(np.maximum.reduceat(squares, starts))[:, None]], axis=1)


def _all_texels(
    parts: list[tuple[Faces, Brush]], corners: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """``uv`` of `Tables`: parts with as many corners are treated together, one by one would be slow."""
    result = np.empty((int(ends[-1]), 8))
    for number in np.unique(corners).tolist():
        chosen = np.flatnonzero(corners == number).tolist()
        faces = np.concatenate([parts[i][0] for i in chosen])
        sizes = [len(parts[i][0]) for i in chosen]
        tile = np.repeat([float(parts[i][1].tile) for i in chosen], sizes)
        fit = np.repeat([parts[i][1].fit for i in chosen], sizes)
        where = np.concatenate([np.arange(ends[i], ends[i + 1]) for i in chosen])
        result[where] = _texels(faces, tile, fit)
    return result


def _texels(faces: Faces, tile: NDArray[np.float64], fit: NDArray[np.bool_]) -> NDArray[np.float64]:
    """``[faces, 8]``: on walls u runs horizontally and v downwards; on level faces u is x and v is z."""
    normal = np.cross(faces, np.roll(faces, -1, axis=1)).sum(axis=1)
    normal = _unit(normal)
    level = np.abs(normal[:, 1:2]) > 0.95
    across = _unit(np.stack([normal[:, 2], np.zeros(len(faces)), -normal[:, 0]], axis=1))
    down = np.cross(normal, across)
    down = np.where(down[:, 1:2] > 0, -down, down)
    result = []
    for axis in (np.where(level, (1.0, 0.0, 0.0), across), np.where(level, (0.0, 0.0, 1.0), down)):
        along = (faces * axis[:, None]).sum(axis=2)
        low = along.min(axis=1)
        extent = np.maximum(along.max(axis=1) - low, 1e-9)
        halves = np.maximum(1, np.round(extent / tile * 2))
        scale = np.where(fit, halves / 2 / extent, 1 / tile) * SIDE
        result += [axis * scale[:, None], np.where(fit, -low * scale, 0.0)[:, None]]
    return np.concatenate(result, axis=1)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length: NDArray[np.float64] = np.sqrt((vectors**2).sum(axis=1, keepdims=True)) + 1e-30
    return vectors / length
