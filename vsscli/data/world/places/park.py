"""A park: paths, lawns, a fountain, a playground."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import ellipse, ground, place, ribbon
from vsscli.data.world.motion import round_trip, straight
from vsscli.data.world.paint import AUTUMN, LEAVES, near, soil
from vsscli.data.world.props import houses, land, life, outdoor, plants
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather

MIDDLE = 22.0  # where the fountain is


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.007)
    match dice.whole(0, 2):
        case 0:  # walking towards the fountain
            return Camera(0.6, 1.7, -4, turn=-0.02, tilt=0.0, speed=(0, 0, 1.1), sway=0.05, period=6, shake=0.006)
        case 1:  # standing, swinging
            return Camera(-9, 1.7, 4, turn=0.35, sway=0.3, period=11, phase=dice.between(0, 6), shake=shake)
        case _:  # from above, moving sideways
            return Camera(-10, 7.5, -3, turn=0.2, tilt=-0.2, speed=(1.4, 0, 0), turn_rate=-0.03, shake=shake)


def _ground(scene: Scene, dice: Dice) -> None:
    land.plain(scene, land.meadow(dice))
    gravel = soil("path", near((206, 188, 152), dice), Texture.GRAIN, 2.2, 0.82, 0.3)
    wave = dice.between(1, 3)
    scene.lay(ribbon([(wave * sin(z / 14), z) for z in range(-30, 120, 3)], -1.7, 1.7), gravel)
    scene.lay(ribbon([(x, MIDDLE + 0.02 * x * x * _bend(wave)) for x in range(-60, 61, 4)], -1.5, 1.5), gravel)
    scene.lay(ground(*ellipse(0, MIDDLE, 8, 8, 32)), gravel)
    for side in (-1, 1):
        bed = soil("ground", (112, 86, 62), Texture.GRAIN, 1.2, 0.7)
        scene.lay(ground(*ellipse(side * 6.5, MIDDLE - 8.5, 2.4, 1.2)), bed)


def _bend(value: float) -> float:
    """Which way the path across bends."""
    return 1.0 if value > 2 else -1.0


def _playground(scene: Scene, dice: Dice, x: float, z: float) -> None:
    scene.lay(ground(*ellipse(x, z, 7.5, 6)), soil("sand", (222, 200, 150), Texture.GRAIN, 2, 0.85))
    scene.put(outdoor.slide(dice), place(x - 2, 0, z, turn=dice.between(0, 6)))
    scene.put(outdoor.ball_of(dice, 0.2), place(x + 1.5, 0.2, z - 1.5))
    for _ in range(3):
        way = round_trip(x, z, dice.between(2.5, 5), dice.between(2, 4), 1.8 * dice.sign(), dice.between(0, 6))
        life.walker(scene, dice, way, child=True)


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice))
    _ground(scene, dice)
    leaf = dice.pick(AUTUMN if dice.chance(0.35) else LEAVES)
    trees = plants.grove(dice, leaf, 4, 0.12)
    spots = [(x, z) for x, z in land.scatter(dice, 60, -46, 46, 2, 95, 5.0) if abs(x) > 6 and abs(z - MIDDLE) > 9]
    spots = [(x, z) for x, z in spots if z > 14 or abs(x) > 16]
    land.plant(scene, dice, trees, spots)
    land.forest(scene, dice, trees, distance=105, count=60)
    if dice.chance(0.7):
        scene.put(outdoor.basin(dice, 3.4), place(0, 0, MIDDLE))
    else:
        scene.put(outdoor.sculpture(dice), place(0, 0, MIDDLE, size=1.6))
    scene.put(outdoor.sculpture(dice), place(dice.sign() * 10, 0, MIDDLE + 6, turn=dice.between(0, 6)))
    for side in (-1, 1):
        for i in range(4):
            scene.put(plants.flowers(dice, 1.3, 0.9), place(side * (5.2 + 0.95 * i), 0, MIDDLE - 8.5), casts=False)
        for z in (6.0, 14.0, 33.0, 44.0):
            scene.put(outdoor.bench(dice), place(side * 3.4, 0, z + dice.between(-1, 1), turn=side * math.pi / 2))
            scene.put(outdoor.park_lamp(), place(side * 2.9, 0, z + 3))
        life.bystander(scene, dice, side * 3.25, 14.2, -side * math.pi / 2, seat=0.5)
        scene.put(outdoor.trash_can(dice), place(side * 3.3, 0, 8.2))
    land.tufts(scene, dice, [plants.bush(dice) for _ in range(3)], land.scatter(dice, 16, -30, 30, 8, 50, 3))
    _playground(scene, dice, dice.sign() * dice.between(13, 17), dice.between(12, 16))
    for _ in range(6):
        x = dice.between(-1.2, 1.2)
        life.stroller(scene, dice, (x, -8), (x, 60), shade=0.1)
    life.cyclist(scene, dice, straight((-40, MIDDLE + 0.4), (40, MIDDLE + 0.4), 3.6, dice.between(18, 40)))
    for _ in range(2):
        way = round_trip(dice.between(-9, 9), 11, dice.between(2, 5), 2.5, 2.0 * dice.sign(), dice.between(0, 6))
        life.beast(scene, dice, "dog", way)
    life.bystander(scene, dice, -6, 10, 1.2)
    x = dice.sign() * 6
    toy = outdoor.ball_of(dice)
    scene.act([toy], lambda t: [place(x + 1.6 * sin(t), 0.12 + 0.5 * abs(sin(2.6 * t)), 9, roll=-4 * t)])
    if dice.chance(0.6):
        scene.put(houses.church_tower(dice), place(dice.between(-40, 40), 0, 130), casts=False)
    life.flock(scene, dice, 5, 0, 30, 11)
    life.odd(scene, dice, -dice.sign() * 7, MIDDLE - 3, 0.6)
    return scene
