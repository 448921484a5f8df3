"""A river that winds through a valley: two banks, meadows, a bridge."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import Flat, place, polygon, ribbon
from vsscli.data.world.mesh import Brush, Mesh
from vsscli.data.world.motion import Step, Way, straight
from vsscli.data.world.paint import AUTUMN, LEAVES, near, soil, water
from vsscli.data.world.props import boats, houses, land, life, plants
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather

HALF = 5.5  # half the width of the river


class Course:
    """Where the river runs: x as a function of z."""

    def __init__(self, dice: Dice) -> None:
        self.size, self.phase = dice.between(4, 9), dice.between(0, 6)
        self.length = dice.between(60, 110)
        self.drift = dice.between(-0.12, 0.12)
        self.start = 0.0
        self.start = self.x(4.0)

    def x(self, z: float) -> float:
        """The middle of the river at ``z``; it passes the camera's place."""
        return self.size * sin(2 * math.pi * z / self.length + self.phase) + self.drift * z - self.start

    def line(self) -> list[Flat]:
        """Points along the middle, upstream."""
        return [(self.x(z), float(z)) for z in range(-60, 420, 5)]

    def way(self, speed: float, begin: float, side: float = 0.0) -> Way:
        """Along the river."""

        def step(time: float) -> Step:
            z = begin + speed * time
            turn = self.x(z + 0.5) - self.x(z - 0.5) + (0.0 if speed > 0 else math.pi)
            return Step(self.x(z) + side, z, turn, abs(speed) * time)

        return step


def _camera(dice: Dice, course: Course) -> Camera:
    shake = dice.between(0, 0.006)
    ahead = (course.x(40) - course.x(4)) / 36
    match dice.whole(0, 3):
        case 0:  # from a boat
            return Camera(
                0, 2.2, 2, turn=ahead, tilt=0.01, speed=(ahead * 2.0, 0, 2.0), sway=0.03, period=5, shake=0.005
            )
        case 1:  # from the bank
            side = dice.sign()
            return Camera(
                side * (HALF + 4), 2.4, 0, turn=-side * 0.35 + ahead, tilt=-0.04, sway=0.14, period=10, shake=shake
            )
        case 2:  # from a hill
            return Camera(dice.sign() * 9, 11, -16, turn=ahead, tilt=-0.17, turn_rate=0.015 * dice.sign(), shake=shake)
        case _:  # from the air, slowly forward
            return Camera(0, 20, -26, turn=ahead * 0.7, tilt=-0.24, speed=(0, 0.15, 2.5), shake=0.002)


def _banks(scene: Scene, dice: Dice, course: Course) -> None:
    line = course.line()
    land.plain(scene, land.meadow(dice))
    path = soil("path", near((196, 174, 134), dice), Texture.GRAIN, 2.4, 0.8)
    side = dice.sign() * (HALF + 6)
    scene.lay(ribbon([(x + side, z) for x, z in line], -0.9, 0.9), path)
    stones = land.stones(dice, (158, 150, 132))
    scene.lay(ribbon(line, -HALF - 1.6, HALF + 1.6), stones)
    scene.lay(ribbon(line, -HALF, HALF), water("river", 6.0, (0.0, 0.9)))


def _plants(scene: Scene, dice: Dice, course: Course) -> None:
    leaf = dice.pick(AUTUMN if dice.chance(0.35) else LEAVES)
    trees = plants.grove(dice, leaf, 4, 0.25)
    spots = []
    for x, z in land.scatter(dice, 46, -70, 70, 12, 190, 5.0):
        if abs(x - course.x(z)) > HALF + 9:
            spots.append((x, z))
    land.plant(scene, dice, trees, spots, 1.0)
    land.forest(scene, dice, trees, distance=210, count=46)
    small = [plants.reeds(dice), plants.reeds(dice), plants.bush(dice)]
    for z in range(2, 90, 3):
        for side in (-1, 1):
            if dice.chance(0.55):
                x = course.x(z) + side * (HALF + dice.between(0.2, 1.8))
                land.tufts(scene, dice, small, [(x, z + dice.between(-1, 1))])
            if dice.chance(0.25):
                x = course.x(z) + side * (HALF + dice.between(-0.8, 1.2))
                scene.put(plants.rock(dice, dice.between(0.3, 0.9)), place(x, -0.1, z), casts=False)
    for x, z in land.scatter(dice, 8, -25, 25, 6, 50):
        if abs(x - course.x(z)) > HALF + 3:
            scene.put(plants.flowers(dice), place(x, 0, z), casts=False)


def _fall(scene: Scene, dice: Dice, course: Course) -> None:
    """A waterfall at the valley's end, between rocks."""
    z, high = 150.0, dice.between(14, 22)
    x = course.x(z)
    for side in (-1, 1):
        scene.put(land.cliff(dice, 60, high + 5, 26), place(x + side * 31, 0, z + 12), casts=False)
    scene.put(land.cliff(dice, 46, high - 1, 20), place(x, 0, z + 16), casts=False)
    foam = Brush("waterfall", (236, 244, 246), (150, 190, 204), Texture.FALLS, 9, flow=(0.0, -6.0))
    fall = Mesh().add(polygon((-5, 0, -1.5), (5, 0, -1.5), (4, high, 4), (-4, high, 4)), foam)
    scene.put(fall, place(x, 0, z + 2), casts=False)


def build(dice: Dice) -> Scene:
    """The scene."""
    course = Course(dice)
    scene = Scene(_camera(dice, course), weather(dice))
    _banks(scene, dice, course)
    if dice.chance(0.45):
        _fall(scene, dice, course)
    _plants(scene, dice, course)
    color = near((112, 130, 104), dice, 0.15)
    land.mountains(scene, dice, dice.between(420, 600), dice.between(110, 190), color, snow=dice.between(0.6, 1.3))
    z = dice.between(55, 85)
    if dice.chance(0.5):
        scene.put(houses.bridge(dice, 30, 5, 5.0), place(course.x(z), 0, z), casts=False)
    else:
        scene.put(houses.girder_bridge(dice, 44, 5, 6.0), place(course.x(z), 0, z), casts=False)
    for _ in range(4):
        side, at = dice.sign(), dice.between(30, 140)
        scene.put(houses.house(dice), place(course.x(at) + side * dice.between(22, 45), 0, at, turn=dice.between(0, 6)))
    life.float_boat(scene, dice, boats.rowing_boat(dice), course.way(0.9, dice.between(14, 24), -1.5), True)
    life.float_boat(scene, dice, boats.motor_boat(dice), course.way(-2.5, dice.between(45, 60), 2.5))
    if dice.chance(0.5):
        life.float_boat(scene, dice, boats.raft(dice), course.way(1.2, dice.between(10, 30), 2.0), True)
    kind = dice.pick(("cow", "horse", "sheep"))
    herd = [(x, z) for x, z in land.scatter(dice, 14, -35, 35, 16, 70, 4) if abs(x - course.x(z)) > HALF + 4]
    life.grazing(scene, dice, kind, herd[:8])
    for side in (-1, 1):
        life.stroller(scene, dice, (course.x(12) + side * (HALF + 6), 12), (course.x(60) + side * (HALF + 6), 60))
    life.swimmers(scene, dice, 5, course.x(18), 18, 2.5)
    life.flock(scene, dice, 5, 0, 60, 18)
    life.odd(scene, dice, course.x(16) + HALF + 4, 16, 0.6)
    life.cyclist(
        scene, dice, straight((course.x(0) + HALF + 7, 0), (course.x(90) + HALF + 7, 90), 4, dice.between(15, 40))
    )
    return scene
