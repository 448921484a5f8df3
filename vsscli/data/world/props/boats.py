"""Boats, from the raft to the ship. The bow looks towards +z, the water is at height 0."""

import numpy as np

from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import Matrix, Shape, box, place, polygon, prism, rod, sheet, shifted, tube
from vsscli.data.world.mesh import Mesh
from vsscli.data.world.motion import Way
from vsscli.data.world.paint import BLACK, GLASS, LACQUER, WHITE, WOODEN, coat, near, scaled
from vsscli.data.world.textures import Texture

BOAT = "ship_or_boat"


def hull(length: float, width: float, height: float, full: float = 0.5) -> Shape:
    """A hull, open above; ``full`` is the share of the length that has the whole width."""
    stations = 9
    points = np.empty((stations, 5, 3))
    for i in range(stations):
        s = i / (stations - 1)
        taper = 1.0 if s < full else max(0.04, 1 - ((s - full) / (1 - full)) ** 2)
        w, top = width / 2 * taper * (0.9 if i == 0 else 1), height * (1 + 0.35 * s * s)
        z = (s - 0.5) * length
        points[i] = [(-w, top, z), (-0.8 * w, 0.0, z), (0, -0.3, z), (0.8 * w, 0.0, z), (w, top, z)]
    stern = polygon(*[tuple(p) for p in points[0].tolist()])
    return sheet(points) + stern


def deck(length: float, width: float, y: float, full: float = 0.5) -> Shape:
    """The level surface inside a hull."""
    right, left = [], []
    for i in range(9):
        s = i / 8
        taper = 1.0 if s < full else max(0.04, 1 - ((s - full) / (1 - full)) ** 2)
        w = width / 2 * taper * (0.9 if i == 0 else 1) * 0.97
        right.append((w, y, (s - 0.5) * length))
        left.append((-w, y, (s - 0.5) * length))
    return polygon(*right, *left[::-1])


def sailing_boat(dice: Dice) -> Mesh:
    """One mast, two sails."""
    color = dice.pick((WHITE, *LACQUER))
    mesh = (
        Mesh().add(hull(7, 2.2, 0.7), coat(BOAT, color)).add(deck(7, 2.2, 0.6), coat(BOAT, WOODEN, Texture.PLANKS, 1.5))
    )
    mesh.add(shifted(box(1.3, 0.45, 2.2, 0.85), y=0.6, z=0.3), coat(BOAT, WHITE))
    mesh.add(rod((0, 0.5, 0.6), (0, 9.2, 0.6), 0.07), coat(BOAT, scaled(WHITE, 0.85)))
    mesh.add(rod((0, 1.5, 0.6), (0.5, 1.5, -2.9), 0.05), coat(BOAT, scaled(WHITE, 0.85)))
    sail = dice.pick((WHITE, (236, 220, 190), near(dice.pick(LACQUER), dice)))
    mesh.add(polygon((0, 9.0, 0.55), (0.02, 1.6, 0.55), (0.5, 1.6, -2.8)), coat(BOAT, sail, Texture.STRIPES, 8, 0.93))
    mesh.add(polygon((0, 7.6, 0.7), (0.1, 1.2, 0.8), (0, 1.0, 3.4)), coat(BOAT, scaled(WHITE, 0.98)))
    return mesh


def motor_boat(dice: Dice) -> Mesh:
    """A small cabin cruiser."""
    color = near(dice.pick(LACQUER), dice)
    mesh = Mesh().add(hull(6, 2.2, 0.8, 0.45), coat(BOAT, WHITE)).add(deck(6, 2.2, 0.75, 0.45), coat(BOAT, color))
    mesh.add(shifted(box(1.6, 0.9, 1.7, 0.85), y=0.75, z=0.2), coat(BOAT, WHITE))
    mesh.add(shifted(box(1.52, 0.4, 1.72, 0.95), y=1.1, z=0.22), coat(BOAT, GLASS))
    return mesh.add(shifted(box(1.5, 0.08, 1.6), y=1.64, z=0.2), coat(BOAT, color))


def rowing_boat(dice: Dice) -> Mesh:
    """A wooden boat with benches."""
    wood = near(dice.pick((WOODEN, (150, 60, 48), (70, 110, 130))), dice)
    mesh = Mesh().add(hull(4.2, 1.5, 0.45, 0.4), coat(BOAT, wood, Texture.PLANKS, 1.2))
    mesh.add(deck(4.2, 1.4, 0.12, 0.4), coat(BOAT, scaled(wood, 0.7), Texture.PLANKS, 1))
    for z in (-1.1, 0.1):
        mesh.add(shifted(box(1.3, 0.06, 0.3), y=0.4, z=z), coat(BOAT, scaled(WOODEN, 1.15)))
    return mesh


def ship(dice: Dice) -> Mesh:
    """A freighter or a ferry, 60 m long."""
    color = near(dice.pick(LACQUER), dice)
    mesh = Mesh().add(hull(60, 11, 5, 0.75), coat(BOAT, color)).add(deck(60, 11, 5, 0.75), coat(BOAT, (150, 140, 130)))
    mesh.add(shifted(box(9, 9, 8, 0.95), y=5, z=-22), coat(BOAT, WHITE, Texture.GLASS, 5, 0.35, True))
    mesh.add(shifted(tube(1.6, 1.4, 5, 10), y=13, z=-24), coat(BOAT, near(dice.pick(LACQUER), dice)))
    if dice.chance(0.5):
        for i in range(9):
            for k in range(dice.whole(1, 3)):
                crate = coat(BOAT, near(dice.pick(LACQUER), dice), Texture.STRIPES, 1.2, 0.85)
                mesh.add(shifted(box(9, 2.5, 3.8), y=5 + 2.5 * k, z=-14 + 4.1 * i), crate)
    else:
        mesh.add(shifted(box(9.5, 6, 36, 0.97), y=5), coat(BOAT, WHITE, Texture.GLASS, 6, 0.35, True))
    return mesh


def raft(dice: Dice) -> Mesh:
    """Logs, and a small mast."""
    log = coat("raft", near(WOODEN, dice), Texture.BARK, 0.8)
    mesh = Mesh()
    for i in range(6):
        mesh.add(rod((-1.2 + 0.48 * i, 0.1, -1.8), (-1.2 + 0.48 * i, 0.1, 1.8), 0.24), log)
    for z in (-1.2, 1.2):
        mesh.add(shifted(box(2.9, 0.12, 0.25), y=0.3, z=z), coat("raft", scaled(WOODEN, 0.8)))
    return mesh.add(prism([(-0.05, 0.3), (0.05, 0.3), (0.05, 2.4), (-0.05, 2.4)], 0.1), coat("raft", BLACK))


def afloat(way: Way, time: float, phase: float, swell: float = 0.08) -> Matrix:
    """Where a boat on its way is: it heaves and rolls."""
    step = way(time)
    heave, roll = swell * sin(1.3 * time + phase), 0.5 * swell * sin(1.7 * time + 2 * phase)
    return place(step.x, heave, step.z, turn=step.turn, tilt=0.2 * swell * sin(1.1 * time + phase), roll=roll)
