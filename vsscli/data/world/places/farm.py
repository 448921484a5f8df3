"""A farm: a windmill, cattle and horses, fields, barrels, a tractor."""

import math
from itertools import pairwise

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import area, box, place, polygon, prism, ribbon, shifted, tube
from vsscli.data.world.mesh import Brush, Mesh
from vsscli.data.world.motion import round_trip, straight
from vsscli.data.world.paint import AUTUMN, LEAVES, WHITE, coat, near, soil
from vsscli.data.world.props import houses, indoor, land, life, outdoor, plants, traffic
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.006)
    match dice.whole(0, 2):
        case 0:
            return Camera(
                0, 1.8, 0, turn=dice.between(-0.3, 0.3), sway=0.25, period=10, phase=dice.between(0, 6), shake=shake
            )
        case 1:
            return Camera(-6, 7, -6, turn=0.12, tilt=-0.14, speed=(0.9, 0, 0.5), turn_rate=-0.02, shake=shake)
        case _:
            return Camera(4, 2.0, -3, turn=-0.15, zoom=0.8, zoom_rate=0.06, shake=0.006)


def _barn(dice: Dice) -> Mesh:
    """A wooden barn with a broken roof (building)."""
    red = near(dice.pick(((166, 62, 48), (140, 100, 70), (120, 74, 60))), dice)
    planks = coat("building", red, Texture.PLANKS, 1.6, 0.75)
    mesh = Mesh().add(box(10, 4.5, 14), planks)
    outline = [(-5, 4.4), (-4, 6.8), (0, 8.4), (4, 6.8), (5, 4.4)]
    front = [[(y, h, z) for y, h in outline] for z in (-7.0, 7.0)]
    for face in front:
        mesh.add(polygon(*face), planks)
    tiles = coat("building", (110, 92, 86), Texture.SHINGLES, 2.2, 0.65)
    for (x0, y0), (x1, y1) in pairwise(outline):
        mesh.add(
            polygon((x0 * 1.08, y0, -7.5), (x1 * 1.08, y1, -7.5), (x1 * 1.08, y1, 7.5), (x0 * 1.08, y0, 7.5)),
            tiles,
        )
    mesh.add(shifted(box(3.4, 3.4, 0.2), z=-7.02), coat("building", WHITE))
    return mesh.add(shifted(box(3.1, 3.2, 0.24), z=-7.03), coat("building", (96, 62, 46), Texture.PLANKS, 1.2))


def _fields(scene: Scene, dice: Dice) -> None:
    land.plain(scene, land.meadow(dice, (134, 160, 70)))
    earth = soil("ground", near((140, 104, 72), dice), Texture.FURROWS, 3.2, 0.68, 0.3)
    corn = soil("other_plant", near((206, 176, 84), dice), Texture.GRASS, 2.4, 0.7, 0.4)
    green = soil("other_plant", near((98, 140, 62), dice), Texture.FURROWS, 3.0, 0.66, 0.3)
    brushes = dice.shuffled((earth, corn, green))
    scene.lay(area(-70, 46, -14, 120), brushes[0])
    scene.lay(area(-10, 60, 40, 140), brushes[1])
    scene.lay(area(46, 40, 110, 110), brushes[2])
    track = soil("path", near((176, 150, 112), dice), Texture.GRAIN, 2, 0.8)
    scene.lay(
        ribbon([(-60.0 + 5 * i, 9 + 2.0 * ((i % 8) / 8) * (1 - (i % 8) / 8)) for i in range(25)], -1.6, 1.6), track
    )
    scene.lay(ribbon([(12 + 0.1 * z, float(z)) for z in range(9, 60, 4)], -1.4, 1.4), track)


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice))
    _fields(scene, dice)
    mill = houses.windmill(dice)
    side = dice.sign()
    at = place(side * dice.between(12, 20), 0, dice.between(38, 50), turn=dice.between(-0.5, 0.5), size=1.25)
    speed = dice.between(0.5, 1.2)
    scene.act(mill, lambda t: houses.turning(at, t, speed))
    scene.put(_barn(dice), place(-side * dice.between(16, 22), 0, dice.between(34, 42), turn=side * 0.5))
    scene.put(houses.house(dice), place(-side * 6, 0, 44, turn=dice.between(-0.4, 0.4)))
    silo = Mesh().add(tube(2.2, 2.2, 9, 12), coat("other_construction", (190, 194, 196), Texture.STRIPES, 2, 0.9))
    silo.add(shifted(tube(2.3, 0.2, 1.6, 12), y=9), coat("other_construction", (150, 156, 160)))
    scene.put(silo, place(-side * 27, 0, 44))
    trees = plants.grove(dice, dice.pick(AUTUMN if dice.chance(0.35) else LEAVES), 4, 0.1)
    land.plant(scene, dice, trees, [(x, z) for x, z in land.scatter(dice, 16, -60, 60, 22, 60, 7) if abs(x) > 24])
    land.forest(scene, dice, trees, distance=170, count=60)
    for i in range(3):
        mound = land.hill(dice, 240, dice.between(14, 26), "mountain", near((120, 146, 88), dice))
        scene.put(mound, place(-220 + 220 * i + dice.between(-50, 50), 0, dice.between(330, 420)), casts=False)
    fence = houses.fence(18, 1.15)
    for i in range(-2, 3):
        if i != 1:
            scene.put(fence, place(18.0 * i, 0, 12.5))
    kinds = dice.shuffled(("cow", "horse", "sheep"))
    life.grazing(scene, dice, kinds[0], land.scatter(dice, 6, -22, 22, 15, 32, 4))
    life.grazing(scene, dice, kinds[1], land.scatter(dice, 4, -20, 20, 15, 30, 4))
    hay = Mesh().add(
        shifted(prism([(-0.7, 0), (0.7, 0), (0.7, 0.9), (-0.7, 0.9)], 1.4)),
        Brush("grass", (220, 186, 96), (176, 140, 62), Texture.GRASS, 0.8),
    )
    for x, z in land.scatter(dice, 5, -18, 18, 14, 22, 3):
        scene.put(hay, place(x, 0, z, turn=dice.between(0, 3)))
    life.drive(scene, traffic.digger(dice), straight((-60, 9.6), (60, 9.6), 3.0, dice.between(40, 80)))
    for i, maker in enumerate(
        (outdoor.barrel, outdoor.barrel, outdoor.crate, outdoor.tyres, outdoor.well, indoor.basket)
    ):
        x = dice.between(-10, 10)
        scene.put(maker(dice), place(x, 0, 5.6 + 0.35 * i + (0.8 if maker is outdoor.well else 0)))
    land.tufts(
        scene,
        dice,
        [plants.flowers(dice), plants.flowers(dice), plants.bush(dice)],
        land.scatter(dice, 10, -18, 18, 5, 8, 2),
    )
    for _ in range(2):
        life.stroller(scene, dice, (-30, 9.2), (30, 9.0))
    life.bystander(scene, dice, dice.between(-4, 4), 11.5, dice.between(0, 6))
    life.beast(scene, dice, "dog", round_trip(0, 7.5, 6, 1.2, 2.0, dice.between(0, 6)))
    life.beast(scene, dice, "cat", round_trip(-side * 5, 6.5, 1.2, 0.8, 0.6, dice.between(0, 6)))
    life.flock(scene, dice, 5, 0, 40, 14)
    scene.put(plants.log_pile(dice), place(side * 8, 0, 7, turn=math.pi / 2))
    life.odd(scene, dice, -side * 8, 7, 0.6)
    return scene
