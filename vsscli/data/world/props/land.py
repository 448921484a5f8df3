"""Mountains, hills, belts of forest, clouds of birds: what closes the view."""

import math

import numpy as np

from vsscli.data.world.chance import Dice, cos, noise, sin
from vsscli.data.world.geometry import Faces, area, place, relief, sheet
from vsscli.data.world.mesh import Brush, Color, Mesh
from vsscli.data.world.paint import coat, near, scaled, soil
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture


def _ridge(seed: int, count: int) -> Faces:
    """Heights 0..1 along a ridge: noise of several scales."""
    total = np.zeros(count)
    for octave, weight in ((4, 1.0), (9, 0.5), (19, 0.28), (40, 0.14)):
        nodes = noise(seed + octave, octave + 2)
        at = np.arange(count) * (octave / count)
        i = at.astype(np.int64)
        f = at - i
        f = f * f * (3 - 2 * f)
        total += weight * (nodes[i] + (nodes[i + 1] - nodes[i]) * f)
    low, high = float(total.min()), float(total.max())
    return (total - low) / (high - low)


def mountains(
    scene: Scene,
    dice: Dice,
    distance: float,
    height: float,
    color: Color,
    *,
    snow: float = 0.72,
    middle: float = 0.0,
    width: float = 2.6,
) -> None:
    """A range around the viewer at ``distance``, ``width`` radians wide around the direction ``middle``.

    What rises above the share ``snow`` of ``height`` is white.
    """
    columns, rows = 56, 6
    ridge = 0.25 + 0.75 * _ridge(dice.whole(0, 1 << 30), columns)
    jitter = noise(dice.whole(0, 1 << 30), rows, columns)
    points = np.empty((rows, columns, 3))
    for j in range(columns):
        angle = middle + width * (j / (columns - 1) - 0.5)
        for i in range(rows):
            share = i / (rows - 1)
            rise = share**1.15 * ridge[j] * (1 + 0.28 * (jitter[i, j] - 0.5) * (i < rows - 1))
            away = distance * (1 + 0.35 * share + 0.06 * (jitter[i, j] - 0.5))
            points[i, j] = (away * sin(angle), height * rise - 2, away * cos(angle))
    faces = sheet(points)[0]
    high = faces[..., 1].mean(axis=1) > height * snow
    rock = Brush("mountain", color, scaled(color, 0.66), Texture.ROCK, distance / 5, blotch=0.5)
    mesh = Mesh().add([faces[~high]], rock)
    if high.any():
        mesh.add([faces[high]], Brush("mountain", (236, 240, 246), (206, 216, 230), Texture.ROCK, distance / 6))
    scene.put(mesh, casts=False)


def hill(dice: Dice, width: float, height: float, what: str, color: Color, texture: Texture = Texture.GRASS) -> Mesh:
    """A round hill."""
    count = 13
    grid = np.linspace(-1, 1, count)
    bump = np.maximum(0.0, 1 - grid[:, None] ** 2) * np.maximum(0.0, 1 - grid[None] ** 2)
    bump = bump * (0.85 + 0.3 * noise(dice.whole(0, 1 << 30), count, count)) * height - 0.05
    brush = Brush(what, color, scaled(color, 0.7), texture, 3.0, blotch=0.6)
    return Mesh().add(relief(bump, width, width), brush)


def plain(scene: Scene, brush: Brush, reach: float = 6000.0) -> None:
    """The ground as far as one sees."""
    scene.lay(area(-reach, -reach, reach, reach), brush)


def meadow(dice: Dice, color: Color = (126, 158, 72)) -> Brush:
    """A brush for grass."""
    return soil("grass", near(color, dice), Texture.GRASS, 2.2, 0.7, 0.55)


def forest(
    scene: Scene,
    dice: Dice,
    trees: list[Mesh],
    *,
    distance: float,
    count: int,
    middle: float = 0.0,
    width: float = 2.4,
    depth: float = 0.25,
) -> None:
    """``count`` trees at about ``distance``, spread over ``width`` radians around the direction ``middle``."""
    for i in range(count):
        angle = middle + width * ((i + dice.between(0.1, 0.9)) / count - 0.5)
        away = distance * dice.between(1, 1 + depth)
        bright = dice.between(0.82, 1.08)
        at = place(away * sin(angle), 0, away * cos(angle), turn=dice.between(0, 6), size=dice.between(0.9, 1.5))
        scene.put(dice.pick(trees), at, tint=(bright, bright, bright), casts=False)


def plant(scene: Scene, dice: Dice, trees: list[Mesh], spots: list[tuple[float, float]], size: float = 1.0) -> None:
    """A tree at every spot, each turned, stretched and tinted by chance."""
    for x, z in spots:
        bright = dice.between(0.85, 1.1)
        at = place(x, 0, z, turn=dice.between(0, 2 * math.pi), size=size * dice.between(0.8, 1.2))
        scene.put(dice.pick(trees), at, tint=(bright, bright, bright))


def scatter(
    dice: Dice, count: int, x0: float, x1: float, z0: float, z1: float, apart: float = 0.0
) -> list[tuple[float, float]]:
    """Up to ``count`` points in a rectangle, at least ``apart`` from each other."""
    found: list[tuple[float, float]] = []
    for _ in range(count * 3):
        if len(found) == count:
            break
        x, z = dice.between(x0, x1), dice.between(z0, z1)
        if all((x - a) ** 2 + (z - b) ** 2 >= apart * apart for a, b in found):
            found.append((x, z))
    return found


def tufts(scene: Scene, dice: Dice, meshes: list[Mesh], spots: list[tuple[float, float]], size: float = 1.0) -> None:
    """Small things without shadows at every spot."""
    for x, z in spots:
        scene.put(
            dice.pick(meshes), place(x, 0, z, turn=dice.between(0, 6), size=size * dice.between(0.7, 1.3)), casts=False
        )


def stones(dice: Dice, color: Color) -> Brush:
    """A brush for gravel (stone)."""
    return soil("stone", near(color, dice), Texture.ROCK, 1.6, 0.6)


def cliff(dice: Dice, width: float, height: float, depth: float) -> Mesh:
    """A headland of rock along x (stone)."""
    columns, rows = 15, 6
    jitter = noise(dice.whole(0, 1 << 30), rows, columns)
    points = np.empty((rows, columns, 3))
    for j in range(columns):
        s = 2 * j / (columns - 1) - 1
        crest = height * (1 - s * s) ** 0.5 * (0.8 + 0.4 * jitter[0, j])
        for i in range(rows):
            share = i / (rows - 1)
            points[i, j] = (
                width / 2 * s + 0.05 * width * (jitter[i, j] - 0.5),
                crest * min(1.0, 1.6 * share) - 0.3,
                depth * (share - 0.5) * (1 - 0.6 * s * s) + 0.12 * depth * (jitter[i, j] - 0.5),
            )
    mesh = Mesh().add(sheet(points), coat("stone", near((150, 138, 120), dice), Texture.ROCK, 6, 0.5))
    back = points[-1].copy()
    back[:, 1] = -0.3
    return mesh.add(sheet(np.stack([points[-1], back])), coat("stone", (120, 110, 96), Texture.ROCK, 6, 0.5))
