"""A quiet road with houses, gardens and fences."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import area, place
from vsscli.data.world.mesh import Brush, Kind, Mesh
from vsscli.data.world.motion import round_trip, straight
from vsscli.data.world.paint import AUTUMN, LEAVES, near, soil
from vsscli.data.world.props import houses, indoor, land, life, outdoor, plants, traffic
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather

CURB, WALK, GARDEN = 3.2, 5.0, 15.0


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.006)
    match dice.whole(0, 2):
        case 0:
            return Camera(
                1.5, 1.6, 0, tilt=0.03, speed=(0, 0, dice.between(1.5, 3.5)), sway=0.08, period=7, shake=0.005
            )
        case 1:
            side = dice.sign()
            return Camera(
                -side * 4, 1.7, 2, turn=side * 0.75, tilt=0.05, turn_rate=-side * 0.05, zoom=0.85, shake=shake
            )
        case _:
            return Camera(0, 5.5, -4, tilt=-0.08, turn=dice.between(-0.3, 0.3), zoom_rate=0.05, shake=shake)


def _plot(scene: Scene, dice: Dice, home: Mesh, side: float, z: float, width: float) -> None:
    """A house with its garden; the road is at the other ``side``."""
    x = side * (GARDEN + dice.between(-1, 2))
    scene.put(home, place(x, 0, z, turn=side * math.pi / 2))
    way = soil("path", near((186, 178, 166), dice), Texture.PAVING, 1.6, 0.85, 0.1)
    a, b = sorted((side * WALK, x))
    scene.lay(area(a, z - 0.7, b, z + 0.7), way)
    if dice.chance(0.5):
        drive = soil("road", (140, 138, 136), Texture.GRAIN, 2, 0.85, 0.1)
        scene.lay(area(a, z + width * 0.28, b, z + width * 0.28 + 3), drive)
        scene.put(traffic.car(dice), place(side * (WALK + 4), 0, z + width * 0.28 + 1.5, turn=side * math.pi / 2))
    style = dice.whole(0, 2)
    for along in (-1, 1):
        length = width * 0.32
        at = place(
            side * (WALK + 0.3), 0, z + along * (length / 2 + 1.0) - (0.0 if along < 0 else 0.3), turn=math.pi / 2
        )
        if style == 0:
            scene.put(houses.fence(length, 1.0), at)
        elif style == 1:
            scene.put(houses.wall(dice, length, 0.8), at)
        else:
            for i in range(3):
                scene.put(plants.bush(dice), place(side * (WALK + 0.8), 0, z + along * (1.8 + 1.6 * i)))
    for _ in range(2):
        scene.put(
            plants.flowers(dice), place(side * (GARDEN - 5.5), 0, z + dice.sign() * dice.between(1.6, 4)), casts=False
        )
    extra = dice.pick((outdoor.slide, plants.bush, outdoor.well, outdoor.tyres, outdoor.hoop, outdoor.crate))
    scene.put(extra(dice), place(side * (WALK + 3.4), 0, z - width * 0.3, turn=side * 1.2))


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice))
    land.plain(scene, land.meadow(dice, (120, 160, 76)))
    walk = soil("path", near((182, 176, 168), dice), Texture.PAVING, 1.8, 0.84, 0.2)
    asphalt = soil("road", near((112, 112, 116), dice), Texture.GRAIN, 2, 0.74, 0.3)
    scene.lay(area(-WALK, -40, WALK, 300), walk)
    scene.lay(area(-CURB, -40, CURB, 300), asphalt)
    if dice.chance(0.5):
        line = Brush("road", (222, 220, 210), kind=Kind.GROUND)
        for i in range(40):
            scene.lay(area(-0.07, 6.0 * i, 0.07, 6.0 * i + 2.5), line)
    leaf = dice.pick(AUTUMN if dice.chance(0.3) else LEAVES)
    trees = plants.grove(dice, leaf, 4, 0.2)
    homes = [houses.house(dice, dice.between(8, 11), dice.between(7, 9)) for _ in range(6)]
    for side in (-1.0, 1.0):
        order = dice.shuffled(homes)
        z = 6.0 + dice.between(0, 5)
        while z < 130:
            width = dice.between(16, 20)
            _plot(scene, dice, order[int(z / 18) % 6], side, z, width)
            if z > 12:
                land.plant(scene, dice, trees, [(side * dice.between(7, 9), z + width * 0.42)], 0.75)
            land.plant(scene, dice, trees, [(side * dice.between(24, 30), z + dice.between(-6, 6))], 1.2)
            if dice.chance(0.6):
                scene.put(outdoor.street_lamp(-side), place(side * (CURB + 0.4), 0, z + width * 0.5))
            z += width
        scene.put(outdoor.trash_can(dice), place(side * (WALK - 0.4), 0, 9 + dice.between(0, 4)))
    land.forest(scene, dice, trees, distance=150, count=50)
    if dice.chance(0.4):
        land.mountains(scene, dice, 700, 120, near((110, 128, 120), dice), snow=2)
    lane = [
        straight((1.6, -40), (1.6, 160), 6, dice.between(48, 70)),
        straight((-1.6, 160), (-1.6, -40), 6, dice.between(60, 140)),
    ]
    for way, maker in zip(lane, dice.shuffled((traffic.car, traffic.truck, traffic.bus)), strict=False):
        life.drive(scene, maker(dice), way)
    life.cyclist(scene, dice, straight((2.6, -20), (2.6, 90), 3.5, dice.between(26, 36)))
    for _ in range(5):
        x = dice.sign() * dice.between(CURB + 0.5, WALK - 0.4)
        life.stroller(scene, dice, (x, -5), (x, 60), shade=0.1)
    side = dice.sign()
    life.beast(scene, dice, "dog", straight((side * 4.0, 0), (side * 4.0, 50), 1.2, dice.between(6, 14)))
    life.beast(scene, dice, "cat", round_trip(-side * 7.5, 11, 1.5, 3, 0.8, dice.between(0, 6)))
    toy = outdoor.ball_of(dice, 0.2)
    scene.act([toy], lambda t: [place(side * 2.4 + 0.8 * sin(0.8 * t), 0.2, 11 + sin(0.5 * t), roll=-4 * sin(0.8 * t))])
    life.walker(scene, dice, round_trip(side * 2.2, 11.5, 1.2, 1.2, 1.2, 0), child=True)
    scene.put(indoor.suitcase(dice), place(-side * 4.3, 0, 8.5))
    life.flock(scene, dice, 3, 0, 40, 14)
    life.odd(scene, dice, -side * 6.8, 13.5)
    return scene
