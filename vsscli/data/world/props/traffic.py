"""Vehicles. They stand on the ground with their nose towards +z."""

from itertools import pairwise

from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import Shape, ball, box, disc, moved, place, prism, rod, shifted, tube
from vsscli.data.world.mesh import Brush, Color, Mesh
from vsscli.data.world.paint import BLACK, GLASS, LACQUER, STEEL, WHITE, coat, glow, near, scaled
from vsscli.data.world.textures import Texture

QUARTER = 1.5707963267948966


def wheel(x: float, y: float, z: float, radius: float, width: float) -> Shape:
    """A wheel whose axle lies along x."""
    return moved(tube(radius, radius, width, 12), place(x + width / 2, y, z, roll=QUARTER))


def _wheels(mesh: Mesh, what: str, track: float, axles: tuple[float, ...], radius: float, width: float = 0.22) -> None:
    tyre, hub = coat(what, BLACK), coat(what, STEEL)
    for z in axles:
        for side in (-1, 1):
            x = side * track / 2
            mesh.add(wheel(x, radius, z, radius, width), tyre)
            mesh.add(shifted(disc(radius * 0.55, 10), x + side * (width / 2 + 0.01), radius, z), hub)


def _lights(mesh: Mesh, what: str, width: float, front: float, back: float, height: float) -> None:
    for side in (-1, 1):
        x = side * (width / 2 - 0.22)
        mesh.add(shifted(box(0.3, 0.14, 0.06), x, height, front), glow(what, (250, 246, 220)))
        mesh.add(shifted(box(0.28, 0.14, 0.06), x, height + 0.05, back), glow(what, (190, 34, 30)))


def car(dice: Dice) -> Mesh:
    """A hatchback, a saloon or a van."""
    color = near(dice.pick(LACQUER), dice)
    body, glass, under = coat("car", color), coat("car", GLASS), coat("car", scaled(BLACK, 1.3))
    style = dice.pick(("saloon", "hatch", "van"))
    roof = {"saloon": 1.42, "hatch": 1.5, "van": 1.85}[style]
    nose, tail = {"saloon": (0.95, -1.75), "hatch": (1.05, -2.0), "van": (1.55, -2.08)}[style]
    low = [(-2.1, 0.28), (2.05, 0.28), (2.12, 0.55), (2.0, 0.76), (nose + 0.1, 0.93), (-2.0, 0.98), (-2.14, 0.7)]
    mesh = Mesh().add(prism(low, 1.74), body).add(shifted(box(1.66, 0.2, 4.0), y=0.16), under)
    rear = tail + (0.55 if style == "saloon" else 0.18)
    mesh.add(prism([(tail, 0.95), (nose, 0.93), (nose - 0.75, roof), (rear, roof)], 1.5), glass)
    mesh.add(
        prism(
            [
                (nose - 0.8, roof + 0.05),
                (rear - 0.02, roof + 0.05),
                (rear - 0.1, roof - 0.04),
                (nose - 0.7, roof - 0.04),
            ],
            1.54,
        ),
        body,
    )
    for z in ((rear + nose - 0.75) / 2, rear + 0.12):
        mesh.add(shifted(box(1.53, roof - 0.95, 0.09), y=0.95, z=z), body)
    mesh.add(shifted(box(0.46, 0.12, 0.05), y=0.42, z=2.1), coat("car", WHITE))
    mesh.add(shifted(box(0.46, 0.12, 0.05), y=0.52, z=-2.13), coat("car", WHITE))
    _wheels(mesh, "car", 1.6, (-1.3, 1.32), 0.32)
    _lights(mesh, "car", 1.7, 2.07, -2.12, 0.62)
    return mesh


def _panes(mesh: Mesh, brush: Brush, width: float, low: float, high: float, edges: list[float], gap: float) -> None:
    """Window panes on both sides between ``edges`` along z."""
    for z0, z1 in pairwise(edges):
        pane = shifted(box(width, high - low, z1 - z0 - gap), 0, low, (z0 + z1) / 2)
        mesh.add(pane, brush)


def bus(dice: Dice) -> Mesh:
    """A city bus."""
    color = near(dice.pick(LACQUER[:3] + LACQUER[5:]), dice)
    body, glass = coat("bus", color), coat("bus", GLASS)
    mesh = Mesh().add(shifted(prism([(-5.5, 0), (5.5, 0), (5.6, 1.2), (5.35, 2.55), (-5.5, 2.6)], 2.5), y=0.35), body)
    _panes(mesh, glass, 2.54, 1.4, 2.45, [-5.2 + 1.3 * i for i in range(9)], 0.14)
    mesh.add(shifted(box(2.2, 1.15, 0.08), y=1.35, z=5.52), glass)
    mesh.add(shifted(box(1.9, 0.8, 0.08), y=1.55, z=-5.5), glass)
    mesh.add(shifted(box(1.5, 0.26, 0.1), y=2.58, z=5.4), glow("bus", (240, 180, 60)))
    mesh.add(shifted(box(2.55, 0.3, 11.0), y=0.75), coat("bus", WHITE))
    _wheels(mesh, "bus", 2.3, (-3.3, 3.4), 0.48, 0.3)
    _lights(mesh, "bus", 2.5, 5.56, -5.53, 0.75)
    return mesh


def truck(dice: Dice) -> Mesh:
    """A lorry with a closed body."""
    cab, load = coat("truck", near(dice.pick(LACQUER), dice)), near(dice.pick((WHITE, *LACQUER)), dice)
    cargo = coat("truck", load, dice.pick((Texture.PLAIN, Texture.STRIPES)), 1.2, 0.88)
    mesh = Mesh().add(shifted(box(2.45, 2.5, 5.4), y=1.0, z=-1.2), cargo)
    mesh.add(shifted(box(0.9, 0.4, 7.2), y=0.6), coat("truck", BLACK))
    mesh.add(shifted(prism([(1.75, 0), (3.6, 0), (3.65, 1.1), (3.3, 2.1), (1.75, 2.1)], 2.3), y=0.5), cab)
    mesh.add(shifted(prism([(2.2, 1.15), (3.68, 1.15), (3.42, 1.95), (2.2, 1.95)], 2.34), y=0.5), coat("truck", GLASS))
    _wheels(mesh, "truck", 2.2, (-3.0, -1.9, 2.7), 0.48, 0.3)
    _lights(mesh, "truck", 2.3, 3.62, -3.92, 0.8)
    return mesh


def digger(dice: Dice) -> Mesh:
    """A wheeled machine: tractor or loader."""
    color: Color = dice.pick(((226, 168, 40), (60, 130, 66), (196, 60, 44)))
    what = "wheeled_machine"
    body, dark = coat(what, color), coat(what, BLACK)
    mesh = Mesh().add(shifted(box(0.9, 0.75, 1.9, 0.9), y=0.8, z=0.9), body)
    mesh.add(shifted(box(1.5, 1.3, 1.3, 0.9), y=1.2, z=-0.6), coat(what, GLASS))
    mesh.add(shifted(box(1.55, 0.12, 1.5), y=2.5, z=-0.6), body)
    mesh.add(shifted(tube(0.06, 0.05, 1.0), 0.3, 1.5, 1.2), dark)
    for x in (-0.85, 0.85):
        mesh.add(wheel(x, 0.8, -0.8, 0.8, 0.45), dark).add(wheel(x, 0.5, 1.3, 0.5, 0.35), dark)
        mesh.add(shifted(disc(0.4, 10), x * 1.3, 0.8, -0.8), body)
    return mesh


def bicycle(dice: Dice) -> Mesh:
    """A bicycle, upright."""
    frame, tyre = coat("bicycle", near(dice.pick(LACQUER), dice)), coat("bicycle", BLACK)
    mesh = Mesh()
    for z in (-0.52, 0.54):
        mesh.add(shifted(disc(0.35, 16, 0.295), -0.015, 0.35, z), tyre)
        mesh.add(shifted(disc(0.35, 16, 0.295), 0.015, 0.35, z), tyre)
        for tilt in range(3):
            spoke = shifted(box(0.015, 0.6, 0.02), y=-0.3)
            mesh.add(moved(spoke, place(0, 0.35, z, tilt=tilt * 1.05)), coat("bicycle", STEEL))
    joints = ((0, 0.35, -0.52), (0, 0.3, -0.02), (0, 0.86, -0.2), (0, 0.8, 0.36), (0, 0.35, 0.54), (0, 1.0, 0.32))
    for a, b in ((0, 1), (1, 2), (2, 0), (2, 3), (1, 3), (3, 4), (3, 5)):
        mesh.add(rod(joints[a], joints[b], 0.028, 4), frame)
    mesh.add(shifted(box(0.5, 0.04, 0.06), y=1.0, z=0.36), tyre).add(
        shifted(box(0.14, 0.06, 0.26), y=0.9, z=-0.22), tyre
    )
    return mesh


def motorcycle(dice: Dice) -> Mesh:
    """A motorcycle."""
    what = "motorcycle"
    paint, dark, steel = coat(what, near(dice.pick(LACQUER), dice)), coat(what, BLACK), coat(what, STEEL)
    mesh = Mesh().add(wheel(0, 0.32, -0.7, 0.32, 0.16), dark).add(wheel(0, 0.32, 0.72, 0.32, 0.13), dark)
    mesh.add(prism([(-0.45, 0.35), (0.4, 0.35), (0.5, 0.8), (0.1, 0.95), (-0.1, 0.78), (-0.85, 0.82)], 0.3), paint)
    mesh.add(shifted(box(0.32, 0.12, 0.8), y=0.78, z=-0.4), dark)
    mesh.add(rod((0, 0.32, 0.72), (0, 1.02, 0.42), 0.06, 5), steel)
    mesh.add(shifted(box(0.7, 0.05, 0.07), y=1.03, z=0.4), dark)
    return mesh.add(shifted(ball(0.12, 4, 6), y=0.88, z=0.58), glow(what, (250, 244, 214)))


def train(dice: Dice, wagons: int) -> list[Mesh]:
    """An engine and ``wagons``, each 16 m long; meshes are one behind the other when placed 17 m apart."""
    color = near(dice.pick(LACQUER[:2] + LACQUER[5:]), dice)
    meshes = []
    for i in range(wagons + 1):
        body = coat("train", color if i == 0 or dice.chance(0.7) else scaled(color, 0.8))
        nose = [(-8, 0.9), (8, 0.9), (7.9 if i else 8.4, 1.8), (7.8 if i else 6.6, 3.5), (-7.8, 3.6), (-8, 2.9)]
        mesh = Mesh().add(prism(nose, 2.9), body).add(shifted(box(2.2, 0.4, 15), y=0.55), coat("train", BLACK))
        mesh.add(shifted(box(2.94, 0.35, 15.7), y=1.25), coat("train", WHITE))
        _panes(mesh, coat("train", GLASS), 2.96, 2.1, 3.0, [-7.4 + 1.55 * k for k in range(9 if i == 0 else 10)], 0.3)
        mesh.add(shifted(box(2.3, 0.2, 15), y=3.55), coat("train", scaled(STEEL, 0.8)))
        if i == 0:
            mesh.add(moved(box(2.4, 0.9, 0.1), place(0, 2.35, 7.65, tilt=-0.75)), coat("train", GLASS))
            _lights(mesh, "train", 2.7, 8.3, -8.05, 1.5)
        for z in (-6, -4.2, 4.2, 6):
            for x in (-0.75, 0.75):
                mesh.add(wheel(x, 0.45, z, 0.45, 0.15), coat("train", (66, 60, 58)))
        meshes.append(mesh)
    return meshes
