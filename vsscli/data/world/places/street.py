"""A street in a town: cars, people, crossings, lamps."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import area, place
from vsscli.data.world.mesh import Brush, Kind
from vsscli.data.world.motion import straight
from vsscli.data.world.paint import AUTUMN, LEAVES, near, soil
from vsscli.data.world.props import houses, land, life, outdoor, plants, traffic
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather

LANE = 1.9  # the middle of a lane, from the middle of the road
CURB = 4.2
FRONT = 8.6  # where the buildings begin


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0.0, 0.008)
    match dice.whole(0, 3):
        case 0:  # from a car
            return Camera(LANE, 1.5, 0, turn=-0.03, tilt=0.03, speed=(0, 0, dice.between(2, 5)), shake=0.006)
        case 1:  # from the pavement, looking along
            return Camera(
                CURB + 1.5, 1.65, 0, turn=-0.22, tilt=0.04, sway=0.16, period=9, shake=shake, phase=dice.between(0, 6)
            )
        case 2:  # from a window
            return Camera(6, 7.5, -2, turn=-0.25, tilt=-0.16, zoom=0.85, zoom_rate=0.03, turn_rate=0.02, shake=shake)
        case _:  # across the road, panning
            return Camera(-CURB - 1.2, 1.7, 2, turn=0.55, tilt=0.06, turn_rate=-0.05, zoom=0.8, shake=shake)


def _ground(scene: Scene, dice: Dice, crossings: list[float]) -> None:
    pavement = soil("path", near((178, 172, 162), dice), Texture.PAVING, 2.4, 0.82, 0.25)
    asphalt = soil("road", near((104, 105, 110), dice), Texture.GRAIN, 2.0, 0.72, 0.35)
    land.plain(scene, soil("ground", (150, 140, 122), Texture.GRAIN, 3, 0.8))
    scene.lay(area(-FRONT - 6, -40, FRONT + 6, 400), pavement)
    scene.lay(area(-CURB, -40, CURB, 400), asphalt)
    for side in (-CURB, CURB):
        scene.lay(area(side - 0.14, -40, side + 0.14, 400), Brush("path", (206, 202, 194), kind=Kind.GROUND))
    line = Brush("road", (226, 224, 214), (190, 188, 180), Texture.GRAIN, 1.5, Kind.GROUND)
    for i in range(60):
        z = -10 + 5.0 * i
        if all(abs(z + 1 - c) > 5 for c in crossings):
            scene.lay(area(-0.08, z, 0.08, z + 2.2), line)
    for z in crossings:
        stripe = Brush("crosswalk", (236, 234, 226), (204, 202, 194), Texture.GRAIN, 1.5, Kind.GROUND)
        between = Brush("crosswalk", (100, 101, 106), (84, 85, 90), Texture.GRAIN, 2.0, Kind.GROUND)
        scene.lay(area(-CURB + 0.2, z, CURB - 0.2, z + 3), between)
        for i in range(8):
            x = -CURB + 0.35 + i * 1.0
            scene.lay(area(x, z, x + 0.5, z + 3), stripe)


def _fronts(scene: Scene, dice: Dice) -> None:
    for side in (-1, 1):
        z = -12.0
        while z < 170:
            width, depth = dice.between(11, 19), dice.between(9, 13)
            if dice.chance(0.12):
                mesh = houses.high_rise(dice, width, dice.whole(9, 16))
            else:
                mesh = houses.block(dice, width, depth, dice.whole(2, 6))
            x = side * (FRONT + depth / 2)
            scene.put(mesh, place(x, 0, z + width / 2, turn=side * math.pi / 2))
            z += width + (dice.between(2.5, 6) if dice.chance(0.2) else 0.1)
    for _ in range(5):
        x, z = dice.between(-60, 60), dice.between(190, 280)
        scene.put(houses.high_rise(dice, dice.between(14, 24), dice.whole(8, 20)), place(x, 0, z), casts=False)


def _furniture(scene: Scene, dice: Dice, crossings: list[float]) -> None:
    leaf = dice.pick(AUTUMN if dice.chance(0.3) else LEAVES)
    trees = [plants.round_tree(dice, near(leaf, dice)) for _ in range(3)]
    lamps = {side: outdoor.street_lamp(-side) for side in (-1, 1)}
    for side in (-1, 1):
        for i in range(9):
            z = 11 + 17.0 * i + dice.between(-2, 2)
            if all(abs(z - c) > 4 for c in crossings):
                land.plant(scene, dice, trees, [(side * (CURB + 1.0), z)], 0.75)
            scene.put(lamps[side], place(side * (CURB + 0.5), 0, z + 8))
        for z, mesh in ((11.0, outdoor.trash_can(dice)), (19.0, outdoor.bench(dice)), (26.5, outdoor.sign(dice))):
            where = place(
                side * (CURB + (0.7 if z > 26 else 2.4)),
                0,
                z + dice.between(-3, 3),
                turn=side * 1.57 if z < 26 else 0.0,
            )
            scene.put(mesh, where)
    for z in crossings:
        light = dice.whole(0, 2)
        scene.put(outdoor.traffic_light(-2.6, light), place(CURB + 0.5, 0, z - 0.8))
        scene.put(outdoor.traffic_light(2.6, light), place(-CURB - 0.5, 0, z + 3.8, turn=0.0))
    board = outdoor.billboard(dice)
    scene.put(board, place(dice.sign() * (FRONT - 1.4), 0, dice.between(34, 60), turn=dice.between(-0.5, 0.5)))
    if dice.chance(0.6):
        for i in range(3):
            scene.put(outdoor.roadblock(dice), place(CURB - 0.8, 0, 30 + 2.2 * i, turn=dice.between(-0.2, 0.2)))
    life.odd(scene, dice, -CURB - 2.3, dice.between(12, 24))


def _traffic(scene: Scene, dice: Dice) -> None:
    makers = [traffic.car, traffic.car, traffic.car, traffic.bus, traffic.truck]
    speed = {1: dice.between(4, 8), -1: dice.between(4, 8)}
    for side in (-1, 1):
        begin = dice.between(0, 20)
        for i in range(7):
            mesh = dice.pick(makers)(dice)
            a, b = (side * LANE, -60.0), (side * LANE, 190.0)
            way = (
                straight(a, b, speed[side], begin + 36 * i) if side > 0 else straight(b, a, speed[side], begin + 36 * i)
            )
            life.drive(scene, mesh, way)
    for i in range(4):
        scene.put(traffic.car(dice), place(-CURB + 1.1, 0, 8 + 26 * i + dice.between(0, 9), turn=math.pi))
    life.cyclist(scene, dice, straight((CURB - 0.7, -30), (CURB - 0.7, 120), 4.5, dice.between(32, 48)))
    bike = traffic.motorcycle(dice)
    life.rider(scene, dice, bike, straight((-LANE - 0.6, 160), (-LANE - 0.6, -30), 8.0, dice.between(120, 150)))
    for i in range(2):
        scene.put(traffic.bicycle(dice), place(-CURB - 3.2, 0, 14 + i * 0.7, turn=1.4))


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice))
    crossings = [dice.between(13, 18), dice.between(55, 80)]
    _ground(scene, dice, crossings)
    _fronts(scene, dice)
    _furniture(scene, dice, crossings)
    _traffic(scene, dice)
    for _ in range(10):
        x = dice.sign() * dice.between(CURB + 1.7, FRONT - 0.7)
        life.stroller(scene, dice, (x, -5), (x, 70), shade=0.12)
    for z in crossings:
        life.stroller(scene, dice, (-CURB - 2, z + 1.5), (CURB + 2, z + 1.5))
    life.flock(scene, dice, 4, 0, 50, 22)
    return scene
