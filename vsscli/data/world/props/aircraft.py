"""Aeroplanes; the nose looks towards +z."""

import math

from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import ball, box, moved, place, polygon, rod, shifted, tube
from vsscli.data.world.mesh import Mesh
from vsscli.data.world.paint import BLACK, GLASS, LACQUER, STEEL, WHITE, coat, near, scaled
from vsscli.data.world.props.traffic import wheel

PLANE = "airplane"


def airliner(dice: Dice, gear: bool = True) -> Mesh:
    """A jet of 34 m with two engines."""
    color = near(dice.pick(LACQUER[:2] + LACQUER[5:]), dice)
    white, paint, dark = coat(PLANE, WHITE), coat(PLANE, color), coat(PLANE, GLASS)
    mesh, mid = Mesh(), 3.4
    body = place(0, mid, 0, tilt=math.pi / 2)
    mesh.add(moved(shifted(tube(1.9, 1.9, 22, 14), y=-9), body), white)
    mesh.add(moved(shifted(ball(1.9, 6, 14), y=0), place(0, mid, 13, size=(1, 1, 1.7))), white)
    mesh.add(moved(tube(1.9, 0.4, 9, 14), place(0, mid, -9, turn=math.pi, tilt=1.45)), white)
    for side in (-1, 1):
        wing = polygon(
            (side * 1.5, mid - 0.8, 3.5),
            (side * 16, mid + 0.6, -5),
            (side * 16, mid + 0.6, -6.6),
            (side * 1.5, mid - 0.8, -3),
        )
        mesh.add(wing, coat(PLANE, scaled(WHITE, 0.86))).add(shifted(wing, y=-0.25), coat(PLANE, STEEL))
        tip = shifted(box(0.15, 1.6, 1.2, 0.6), side * 15.9, mid + 0.6, -5.8)
        mesh.add(tip, paint)
        fin = polygon(
            (side * 0.5, mid + 0.9, -14),
            (side * 6, mid + 1.4, -17.5),
            (side * 6, mid + 1.4, -18.6),
            (side * 0.4, mid + 0.9, -17),
        )
        mesh.add(fin, white)
        engine = moved(tube(1.0, 0.8, 3.6, 12), place(side * 5.2, mid - 1.6, 3.6, tilt=-math.pi / 2))
        mesh.add(engine, paint)
        mesh.add(shifted(ball(0.85, 4, 10), side * 5.2, mid - 1.6, 3.5), coat(PLANE, BLACK))
        for i in range(22):
            mesh.add(shifted(box(0.06, 0.42, 0.32), side * 1.9, mid + 0.3, -8 + 0.95 * i), dark)
        mesh.add(shifted(box(0.08, 0.28, 21), side * 1.88, mid - 0.35, 2), paint)
    rudder = polygon((0, mid + 1.5, -12.5), (0, mid + 7, -17.5), (0, mid + 7, -19.3), (0, mid + 1.2, -18))
    mesh.add(rudder, paint).add(shifted(rudder, 0.2), paint)
    mesh.add(moved(box(1.9, 0.55, 0.1), place(0, mid + 0.55, 15.1, tilt=-0.75)), dark)
    if gear:
        for x, z in ((0, 11.0), (-2.4, -1), (2.4, -1)):
            mesh.add(rod((x, 0.5, z), (x, mid - 1, z), 0.14, 6), coat(PLANE, STEEL))
            for dx in (-0.35, 0.35):
                mesh.add(wheel(x + dx, 0.55, z, 0.55, 0.3), coat(PLANE, BLACK))
    return mesh


def small_plane(dice: Dice) -> Mesh:
    """A high-wing sports plane of 8 m."""
    color = near(dice.pick(LACQUER), dice)
    white, paint = coat(PLANE, WHITE), coat(PLANE, color)
    mesh = Mesh().add(moved(tube(0.6, 0.2, 5.4, 9), place(0, 1.3, 0.6, turn=math.pi, tilt=math.pi / 2)), white)
    mesh.add(moved(tube(0.6, 0.42, 1.9, 9), place(0, 1.3, 0.6, tilt=math.pi / 2)), paint)
    mesh.add(shifted(box(0.98, 0.7, 1.8, 0.85), 0, 1.45, 0.3), coat(PLANE, GLASS))
    mesh.add(shifted(box(10.4, 0.16, 1.4), 0, 2.15, 0.3), white).add(
        shifted(box(1.6, 0.17, 1.42), -4.4, 2.15, 0.3), paint
    )
    mesh.add(shifted(box(1.6, 0.17, 1.42), 4.4, 2.15, 0.3), paint).add(shifted(box(3.2, 0.1, 0.8), 0, 1.4, -4.4), white)
    mesh.add(polygon((0, 1.4, -3.9), (0, 2.7, -4.6), (0, 2.7, -5.2), (0, 1.3, -4.9)), paint)
    mesh.add(shifted(box(1.9, 0.14, 0.05), 0, 1.24, 2.55), coat(PLANE, BLACK))
    for x in (-0.95, 0.95):
        mesh.add(rod((x * 0.4, 1.0, 0.5), (x, 0.3, 0.5), 0.06, 5), coat(PLANE, STEEL)).add(
            wheel(x, 0.28, 0.5, 0.28, 0.16), coat(PLANE, BLACK)
        )
    return mesh.add(wheel(0, 0.25, 1.9, 0.25, 0.14), coat(PLANE, BLACK))
