"""Buildings, houses, towers, bridges, walls and fences. Fronts look towards -z."""

import math
from itertools import pairwise

from vsscli.data.world.chance import Dice, cos, sin
from vsscli.data.world.geometry import (
    Matrix,
    ball,
    box,
    chain,
    frustum,
    moved,
    place,
    polygon,
    prism,
    rod,
    shifted,
    tube,
)
from vsscli.data.world.mesh import Brush, Mesh
from vsscli.data.world.paint import BLACK, GLASS, PLASTER, STEEL, STONY, WHITE, WOODEN, coat, near, scaled
from vsscli.data.world.textures import Texture


def block(dice: Dice, width: float, depth: float, floors: int) -> Mesh:
    """A town building: a ground floor with shops, floors with windows, a flat or a stepped roof."""
    wall = near(dice.pick((*PLASTER, (170, 98, 78))), dice)
    kind = dice.pick((Texture.WINDOWS, Texture.WINDOWS, Texture.BALCONIES, Texture.GLASS))
    height = 3.2 * floors
    front = Brush("building", wall, scaled(GLASS, 1.1), kind, 6.4, fit=True)
    mesh = Mesh().add(shifted(box(width, height, depth), y=3.6), front)
    mesh.add(box(width, 3.6, depth), coat("building", scaled(wall, 0.82), Texture.PAVING, 3, 0.85))
    shops = max(1, round(width / 5))
    for i in range(shops):
        x = (i + 0.5) * width / shops - width / 2
        mesh.add(shifted(box(width / shops * 0.72, 2.3, depth + 0.1), x, 0.35), coat("building", scaled(GLASS, 1.4)))
        awning = coat(
            "building", near(dice.pick(((186, 60, 50), (60, 110, 90), (60, 90, 150))), dice), Texture.STRIPES, 1.6, 1.35
        )
        shade = prism([(-0.9, 2.6), (0.05, 3.1), (0.05, 2.6)], width / shops * 0.8)
        mesh.add(shifted(shade, x, 0, -depth / 2), awning)
    for y in (3.5, 3.6 + height):
        mesh.add(shifted(box(width + 0.5, 0.35, depth + 0.5), y=y), coat("building", scaled(wall, 1.08)))
    if dice.chance(0.5):
        top = box(width * 0.6, 2.6, depth * 0.6)
        mesh.add(shifted(top, y=3.9 + height), coat("building", scaled(wall, 0.9), Texture.GRAIN, 3, 0.85))
    elif dice.chance(0.5):
        roof = frustum(width + 0.4, depth + 0.4, width * 0.75, depth * 0.5, 3.2)
        mesh.add(shifted(roof, y=3.95 + height), coat("building", (134, 82, 66), Texture.SHINGLES, 2.4, 0.6))
    return mesh


def high_rise(dice: Dice, width: float, floors: int) -> Mesh:
    """An office tower of glass (building)."""
    wall = dice.pick(((170, 180, 190), (196, 188, 172), (120, 132, 148)))
    front = Brush(
        "building", near(wall, dice), dice.pick((GLASS, (70, 110, 140), (60, 90, 90))), Texture.GLASS, 6.5, fit=True
    )
    mesh = Mesh().add(box(width, 3.3 * floors, width * 0.8), front)
    return mesh.add(shifted(box(width * 0.5, 4, width * 0.4), y=3.3 * floors), coat("building", wall))


def house(dice: Dice, width: float = 9.0, depth: float = 8.0, snow: bool = False) -> Mesh:
    """A family's house: gable, chimney, door and windows (house)."""
    wall = near(dice.pick((*PLASTER, (164, 88, 70), (120, 140, 150))), dice)
    face = dice.pick((Texture.GRAIN, Texture.BRICKS, Texture.PLANKS))
    paint = coat("house", wall, face, 2.4, 0.82)
    high, ridge = dice.between(3.0, 5.4), dice.between(2.4, 3.6)
    mesh = Mesh().add(box(width, high, depth), paint)
    gable = [(-depth / 2, high), (0.0, high + ridge), (depth / 2, high)]
    mesh.add(prism(gable, width), paint)
    color = (232, 236, 242) if snow else dice.pick(((152, 78, 60), (104, 84, 80), (120, 60, 50), (86, 92, 100)))
    tiles = coat("house", near(color, dice), Texture.SNOW if snow else Texture.SHINGLES, 2.2, 0.86 if snow else 0.6)
    over = 0.5
    slope = ridge / (depth / 2)
    for side in (-1.0, 1.0):
        eaves, low = side * (depth / 2 + over), high - over * slope
        roof = [(eaves, low), (0.0, high + ridge), (0.0, high + ridge + 0.22), (eaves, low + 0.22)]
        mesh.add(prism(roof, width + 0.8), tiles)
    mesh.add(
        shifted(box(0.8, 1.9, 0.8), width * 0.25, high + ridge * 0.45, 0.8),
        coat("house", (150, 92, 74), Texture.BRICKS, 1),
    )
    frame, pane = coat("house", WHITE), coat("house", GLASS)
    front = -depth / 2
    mesh.add(shifted(box(1.1, 2.15, 0.14), 0, 0, front), coat("house", near((110, 70, 48), dice), Texture.PLANKS, 0.8))
    for floor in range(2 if high > 4.6 else 1):
        for x in (-width * 0.3, width * 0.3):
            for z, deep in ((front, 0.12), (depth / 2, 0.12)):
                mesh.add(shifted(box(1.5, 1.35, deep), x, 1.0 + 2.5 * floor, z), frame)
                for half in (-0.33, 0.33):
                    mesh.add(shifted(box(0.58, 1.1, deep + 0.06), x + half, 1.12 + 2.5 * floor, z), pane)
        for x in (-width / 2, width / 2):
            for z in (-depth * 0.22, depth * 0.22):
                mesh.add(shifted(box(0.12, 1.3, 1.3), x, 1.0 + 2.5 * floor, z), frame)
                mesh.add(shifted(box(0.18, 1.05, 1.05), x, 1.12 + 2.5 * floor, z), pane)
    return mesh


def lighthouse(dice: Dice) -> Mesh:
    """Red and white rings (tower)."""
    mesh, radius = Mesh(), 2.6
    for i in range(6):
        color = (196, 56, 48) if i % 2 else WHITE
        mesh.add(shifted(tube(radius - 0.22 * i, radius - 0.22 * (i + 1), 2.8, 12), y=2.8 * i), coat("tower", color))
    mesh.add(shifted(tube(1.9, 1.9, 0.3, 12), y=16.8), coat("tower", BLACK))
    mesh.add(shifted(tube(0.9, 0.9, 1.8, 10), y=17.1), coat("tower", (250, 226, 150)))
    return mesh.add(shifted(tube(1.3, 0.0, 1.4, 10), y=18.9), coat("tower", (150, 44, 40)))


def church_tower(dice: Dice) -> Mesh:
    """A square tower with a pointed roof (tower)."""
    wall = coat("tower", near(STONY, dice), Texture.BRICKS, 3, 0.75)
    mesh = Mesh().add(box(5, 17, 5), wall).add(shifted(box(5.6, 0.5, 5.6), y=16.8), coat("tower", STONY))
    mesh.add(shifted(frustum(5.8, 5.8, 0.1, 0.1, 9), y=17.2), coat("tower", (86, 110, 104), Texture.SHINGLES, 2))
    for x, z, w, d in ((0, -2.5, 1.2, 0.1), (0, 2.5, 1.2, 0.1), (-2.5, 0, 0.1, 1.2), (2.5, 0, 0.1, 1.2)):
        mesh.add(shifted(box(w + 0.05, 2.6, d + 0.05), x, 12, z), coat("tower", BLACK))
    return mesh


def control_tower(dice: Dice) -> Mesh:
    """Of an airfield (tower)."""
    mesh = Mesh().add(tube(2.2, 1.8, 17, 10), coat("tower", (208, 206, 200), Texture.GRAIN, 4, 0.9))
    mesh.add(shifted(tube(2.4, 4.2, 3.4, 10), y=17), coat("tower", GLASS))
    mesh.add(shifted(tube(4.5, 4.5, 0.6, 10), y=20.4), coat("tower", (196, 60, 50)))
    return mesh.add(rod((0, 21, 0), (0, 25, 0), 0.15), coat("tower", STEEL))


def windmill(dice: Dice) -> list[Mesh]:
    """Tower, and four sails that turn (windmill); see `turning`."""
    stone = coat("windmill", near((224, 214, 196), dice), Texture.BRICKS, 3, 0.85)
    tower = (
        Mesh()
        .add(tube(3.2, 2.1, 10, 10), stone)
        .add(shifted(tube(2.5, 0.3, 2.6, 10), y=10), coat("windmill", (96, 66, 52), Texture.SHINGLES, 2))
    )
    tower.add(shifted(box(1.1, 2.2, 0.3), 0, 0, -3.1), coat("windmill", WOODEN))
    tower.add(shifted(box(1.0, 1.2, 0.3), 0, 6, -2.4), coat("windmill", GLASS))
    sails = Mesh().add(moved(tube(0.3, 0.3, 0.8, 8), place(0, 0, 0.3, tilt=-math.pi / 2)), coat("windmill", WOODEN))
    for i in range(4):
        blade = shifted(box(0.22, 7.2, 0.12), y=0.2)
        cloth = polygon((0.12, 1.4, 0), (1.6, 1.4, 0.1), (1.6, 7.2, 0.1), (0.12, 7.2, 0))
        at = place(roll=i * math.pi / 2)
        sails.add(moved(blade, at), coat("windmill", WOODEN)).add(
            moved(cloth, at), coat("windmill", WHITE, Texture.CHECKS, 1.2, 0.8)
        )
    return [tower, sails]


def turning(at: Matrix, time: float, speed: float, height: float = 9.4, ahead: float = -2.7) -> list[Matrix]:
    """Places of the parts of a `windmill`."""
    return [at, chain(at, place(0, height, ahead, roll=speed * time))]


def bridge(dice: Dice, length: float, width: float, rise: float) -> Mesh:
    """An arched stone bridge along x, its deck ``rise`` above the ground at the middle (bridge)."""
    stone = coat("bridge", near(STONY, dice), Texture.BRICKS, 2.6, 0.7)
    steps = 16
    top = [(length * (i / steps - 0.5), rise * (1 - (2 * i / steps - 1) ** 2) + 0.6) for i in range(steps + 1)]
    half, arch = length * 0.36, []
    for i in range(13):
        a = math.pi * i / 12
        arch.append((half * cos(a), -1.0 + (rise + 0.7) * sin(a)))
    side = [*top, (length / 2, -1.0), *arch, (-length / 2, -1.0)]
    mesh = Mesh()
    for z in (-width / 2, width / 2):
        mesh.add(polygon(*[(x, y + 0.9 if i <= steps else y, z) for i, (x, y) in enumerate(side)]), stone)
    for (x0, y0), (x1, y1) in pairwise(top):
        mesh.add(polygon((x0, y0, -width / 2), (x1, y1, -width / 2), (x1, y1, width / 2), (x0, y0, width / 2)), stone)
    under = coat("bridge", scaled(STONY, 0.6), Texture.BRICKS, 2.6, 0.7)
    for (x0, y0), (x1, y1) in pairwise(arch):
        mesh.add(polygon((x0, y0, -width / 2), (x1, y1, -width / 2), (x1, y1, width / 2), (x0, y0, width / 2)), under)
    return mesh


def girder_bridge(dice: Dice, length: float, width: float, height: float) -> Mesh:
    """A level steel bridge along x on pillars of stone (bridge)."""
    steel = coat("bridge", near(dice.pick(((150, 70, 56), (110, 130, 130), (90, 110, 90))), dice))
    mesh = Mesh().add(
        shifted(box(length, 0.7, width), y=height - 0.7), coat("bridge", (140, 136, 130), Texture.GRAIN, 3)
    )
    for z in (-width / 2, width / 2):
        mesh.add(shifted(box(length, 0.25, 0.25), 0, height + 2.4, z), steel)
        step = 5.0
        for i in range(int(length / step)):
            x = -length / 2 + step * (i + 0.5)
            mesh.add(rod((x - 2.5, height, z), (x, height + 2.5, z), 0.12, 4), steel)
            mesh.add(rod((x, height + 2.5, z), (x + 2.5, height, z), 0.12, 4), steel)
    for x in (-length * 0.25, length * 0.25):
        mesh.add(
            shifted(box(1.6, height + 1, width * 0.9, 0.85), x, -1), coat("bridge", STONY, Texture.BRICKS, 2, 0.75)
        )
    return mesh


def fence(length: float, height: float = 1.0, what: str = "handrail_or_fence", wood: bool = True) -> Mesh:
    """Posts and rails along x."""
    color = WOODEN if wood else STEEL
    brush, mesh = coat(what, color, Texture.BARK if wood else Texture.PLAIN, 1.0, 0.7), Mesh()
    posts = max(2, round(length / 2) + 1)
    for i in range(posts):
        mesh.add(shifted(box(0.12, height, 0.12), length * (i / (posts - 1) - 0.5)), brush)
    for y in (0.42, 0.85):
        mesh.add(shifted(box(length, 0.1, 0.06), 0, height * y), brush)
    return mesh


def wall(dice: Dice, length: float, height: float) -> Mesh:
    """A free-standing wall along x (wall)."""
    brush = coat("wall", near(dice.pick((STONY, (178, 104, 82), (210, 196, 170))), dice), Texture.BRICKS, 2.4, 0.72)
    mesh = Mesh().add(box(length, height, 0.4), brush)
    return mesh.add(shifted(box(length, 0.12, 0.55), y=height), coat("wall", STONY))


def dome(dice: Dice, radius: float) -> Mesh:
    """A hall with a round roof (building)."""
    front = Brush("building", near((206, 204, 196), dice), GLASS, Texture.GLASS, 4, fit=True)
    mesh = Mesh().add(tube(radius, radius, 6, 16), front)
    return mesh.add(moved(ball(radius, 6, 16), place(0, 6, 0, size=(1, 0.35, 1))), coat("building", STEEL))
