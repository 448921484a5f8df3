"""Tileable gray textures with all their halvings, in one table.

A value says how far a surface's colour goes from its light to its dark colour. Textures are the same in every world;
worlds differ in colours and sizes.
"""

from enum import IntEnum
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsscli.data.world.chance import noise

SIDE = 128  #: texels along the side of a tile

Gray = NDArray[np.float64]


class Texture(IntEnum):
    """The rows of the table."""

    PLAIN = 0
    GRAIN = 1  # asphalt, sand, plaster
    PATCHES = 2  # large soft blotches
    GRASS = 3
    BRICKS = 4
    PAVING = 5
    PLANKS = 6
    WINDOWS = 7  # 2 x 2 windows a tile
    GLASS = 8  # an office front: 2 floors of bands a tile
    BALCONIES = 9  # 2 x 2, a door and a railing each
    WAVES = 10
    LEAVES = 11
    STRIPES = 12
    SHINGLES = 13
    ROCK = 14
    WEAVE = 15
    BOOKS = 16
    SNOW = 17
    BARK = 18
    CHECKS = 19
    FURROWS = 20
    CLOUDS = 21
    FALLS = 22  # water that falls
    FUR = 23


def _grid() -> tuple[Gray, Gray]:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    return x, y


def _smooth_noise(seed: int, across: int, down: int) -> Gray:
    """Value noise with ``across x down`` cells on a tile, 0..1."""
    lattice = noise(seed, down, across)
    x, y = _grid()
    u, v = x * across / SIDE, y * down / SIDE
    iu, iv = u.astype(np.int64), v.astype(np.int64)
    fu, fv = u - iu, v - iv
    fu, fv = fu * fu * (3 - 2 * fu), fv * fv * (3 - 2 * fv)
    ju, jv = (iu + 1) % across, (iv + 1) % down
    top = lattice[iv, iu] + (lattice[iv, ju] - lattice[iv, iu]) * fu
    low = lattice[jv, iu] + (lattice[jv, ju] - lattice[jv, iu]) * fu
    return top + (low - top) * fv


def _layers(seed: int, across: int, down: int, octaves: int, fade: float = 0.5) -> Gray:
    total, weight, amount = np.zeros((SIDE, SIDE)), 0.0, 1.0
    for i in range(octaves):
        if max(across, down) << i > SIDE:
            break
        total += amount * _smooth_noise(seed + i, across << i, down << i)
        weight += amount
        amount *= fade
    return _stretch(total / weight)


def _stretch(gray: Gray) -> Gray:
    low, high = float(gray.min()), float(gray.max())
    return (gray - low) / (high - low)


def _bricks(across: int, down: int, joint: float, seed: int, shift: float) -> Gray:
    """Bricks of varied tone, dark joints; every second row is shifted by ``shift`` of a brick."""
    x, y = _grid()
    row = (y * down / SIDE).astype(np.int64)
    u = x * across / SIDE + shift * (row % 2)
    column = u.astype(np.int64) % across
    tone = 0.15 + 0.45 * noise(seed, down, across)[row, column]
    du, dv = (u - np.floor(u)) * SIDE / across, (y * down / SIDE - row) * SIDE / down
    return np.where((du < joint) | (dv < joint), 1.0, tone + 0.12 * noise(seed + 1, SIDE, SIDE))


def _windows(kind: Texture) -> Gray:
    """Fronts: 0 is wall, 1 is glass, between them frames and sills."""
    x, y = _grid()
    cell = SIDE // 2
    u, v = x % cell / cell, 1 - y % cell / cell  # v grows upwards in the world and downwards in the tile
    wall = 0.06 * _layers(70, 16, 16, 3)
    tone = noise(71, 2, 2)[(y // cell).astype(int), (x // cell).astype(int)]
    if kind is Texture.GLASS:
        pane = (v > 0.30) & (v < 0.95) & (x % (cell / 2) > 1.5)
        return np.where(pane, 0.75 + 0.25 * tone, wall + 0.1)
    low, high = (0.28, 0.82) if kind is Texture.WINDOWS else (0.12, 0.85)
    frame = (u > 0.24) & (u < 0.76) & (v > low - 0.06) & (v < high + 0.05)
    pane = (u > 0.30) & (u < 0.70) & (v > low) & (v < high) & (np.abs(u - 0.5) > 0.02)
    front = np.where(pane, 0.8 + 0.2 * tone, np.where(frame, 0.18, wall))
    if kind is Texture.BALCONIES:
        rail = (u > 0.10) & (u < 0.90) & (v > 0.06) & (v < 0.38)
        bar = (x % 5 < 2) | (v > 0.33) | (v < 0.10)
        front = np.where(rail & bar, 0.42, front)
    return front


def _books() -> Gray:
    x, y = _grid()
    edges = np.cumsum(3 + (4 * noise(80, 64)).astype(int))
    book = np.searchsorted(edges, x[0], side="right")
    height = 0.72 + 0.26 * noise(81, 64)[book]
    row = 1 - (y % (SIDE // 2)) / (SIDE // 2)
    spine = 0.1 + 0.75 * noise(82, 64)[book]
    band = (np.abs(row - 0.55) < 0.05) & (noise(83, 64)[book] > 0.5)
    return np.where(row > height, 1.0, np.where(band, 0.0, spine))


def _shingles() -> Gray:
    x, y = _grid()
    row = (y * 8 / SIDE).astype(np.int64)
    u = x * 8 / SIDE + 0.5 * (row % 2)
    tone = noise(85, 8, 8)[row, u.astype(np.int64) % 8]
    dv = y * 8 / SIDE - row
    edges: Gray = 0.5 * (dv > 0.86) + 0.25 * (np.abs(u - np.round(u)) < 0.04)
    return 0.25 + 0.35 * tone + edges


def _tile(kind: Texture) -> Gray:
    x, y = _grid()
    fine = noise(int(kind), SIDE, SIDE)
    match kind:
        case Texture.GRAIN:
            return 0.55 * fine + 0.45 * _layers(1, 16, 16, 4)
        case Texture.PATCHES | Texture.CLOUDS:
            return _layers(10 + kind, 4, 4, 6, 0.55)
        case Texture.GRASS:
            return 0.6 * _layers(20, 32, 16, 3, 0.8) + 0.4 * fine
        case Texture.BRICKS:
            return _bricks(8, 16, 1.0, 30, 0.5)
        case Texture.PAVING:
            return _bricks(4, 4, 1.5, 33, 0.0)
        case Texture.PLANKS:
            grain = _layers(36, 2, 32, 2)
            return np.where(y % 16 < 1.0, 1.0, 0.2 + 0.35 * grain + 0.25 * noise(37, 8)[(y // 16).astype(int)])
        case Texture.WINDOWS | Texture.GLASS | Texture.BALCONIES:
            return _windows(kind)
        case Texture.WAVES:
            return _layers(40, 4, 12, 4, 0.6)
        case Texture.LEAVES:
            return np.clip(1.5 * _layers(44, 16, 16, 3, 0.8) - 0.25, 0, 1)
        case Texture.STRIPES:
            return (x % 32 < 16).astype(np.float64)
        case Texture.CHECKS:
            return ((x % 64 < 32) ^ (y % 64 < 32)).astype(np.float64)
        case Texture.SHINGLES:
            return _shingles()
        case Texture.ROCK:
            return _stretch(np.abs(_layers(50, 4, 4, 5, 0.65) - 0.5)) * 0.7 + 0.3 * _layers(52, 8, 16, 4)
        case Texture.WEAVE:
            return 0.5 * ((x % 4 < 2) ^ (y % 4 < 2)) + 0.5 * _layers(54, 32, 32, 2)
        case Texture.BOOKS:
            return _books()
        case Texture.SNOW:
            return 0.75 * _layers(56, 4, 8, 4) + 0.25 * fine
        case Texture.BARK:
            return _layers(58, 32, 4, 3, 0.7)
        case Texture.FURROWS:
            return np.clip(np.abs(x % 32 - 16) / 16 * 0.8 + 0.3 * _layers(60, 16, 16, 3) - 0.05, 0, 1)
        case Texture.FALLS:
            return _layers(62, 32, 2, 3, 0.7)
        case Texture.FUR:
            return _layers(64, 16, 8, 3, 0.8)
        case _:
            return np.zeros((SIDE, SIDE))


class Textures(NamedTuple):
    """All textures with all their halvings: level 0 first, each level row by row."""

    values: NDArray[np.float32]  # [textures, texels of all levels], 0..1
    start: NDArray[np.int64]  # [levels]: where a level begins
    side: NDArray[np.int64]  # [levels]: its side


@cache
def texture_table() -> Textures:
    """The textures; they are made once a process."""
    rows = []
    for kind in Texture:
        level = np.clip(_tile(kind), 0, 1)
        parts = [level.ravel()]
        while level.shape[0] > 1:
            level = (level[0::2, 0::2] + level[1::2, 0::2] + level[0::2, 1::2] + level[1::2, 1::2]) / 4
            parts.append(level.ravel())
        rows.append(np.concatenate(parts))
    sizes = [len(part) for part in parts]
    start = np.cumsum([0, *sizes[:-1]])
    return Textures(np.stack(rows).astype(np.float32), start, np.sqrt(sizes).astype(np.int64))
