"""A lake among mountains: a closed shore, firs, a pier, tents."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice, cos, sin
from vsscli.data.world.geometry import Flat, box, ground, place, shifted, tube
from vsscli.data.world.mesh import Mesh
from vsscli.data.world.motion import round_trip, straight
from vsscli.data.world.paint import AUTUMN, LEAVES, WOODEN, coat, near, water
from vsscli.data.world.props import boats, houses, land, life, outdoor, plants
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather


def _shore(dice: Dice, z0: float, rx: float, rz: float, grow: float) -> list[Flat]:
    p, q = dice.between(0, 6), dice.between(0, 6)
    points = []
    for i in range(72):
        a = 2 * math.pi * i / 72
        wave = 1 + 0.10 * sin(3 * a + p) + 0.05 * sin(7 * a + q)
        points.append(((rx * wave + grow) * cos(a), z0 + (rz * wave + grow) * sin(a)))
    return points


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.005)
    match dice.whole(0, 2):
        case 0:  # on the shore
            return Camera(0, 2.0, 0, turn=dice.between(-0.2, 0.2), tilt=0.03, sway=0.22, period=12, shake=shake)
        case 1:  # from a slope, zooming
            return Camera(
                dice.between(-8, 8),
                8.0,
                -10,
                tilt=-0.07,
                zoom=0.8,
                zoom_rate=0.04,
                turn_rate=0.02 * dice.sign(),
                shake=shake,
            )
        case _:  # from a drifting boat
            return Camera(-14, 1.5, 22, turn=0.35, tilt=0.05, speed=(0.8, 0, 0.3), sway=0.05, period=6, shake=0.006)


def _pier(scene: Scene, dice: Dice, x: float, z: float) -> None:
    wood, mesh = coat("wood", near(WOODEN, dice), Texture.PLANKS, 1.4, 0.7), Mesh()
    mesh.add(shifted(box(2.0, 0.12, 13), y=0.45), wood)
    for i in range(6):
        for side in (-0.95, 0.95):
            mesh.add(shifted(tube(0.1, 0.1, 1.0, 6), side, -0.2, -6 + 2.4 * i), wood)
    scene.put(mesh, place(x, 0, z + 4, turn=dice.between(-0.25, 0.25)), casts=False)


def _shores(scene: Scene, dice: Dice, rx: float, rz: float, middle: float) -> None:
    """The water, gravel around it, woods beyond it, reeds and rocks on this side."""
    seed = dice.bits()
    land.plain(scene, land.meadow(dice, (112, 146, 76)))
    scene.lay(ground(*_shore(Dice(seed), middle, rx, rz, 2.0)), land.stones(dice, (168, 158, 138)))
    scene.lay(ground(*_shore(Dice(seed), middle, rx, rz, 0.0)), water("lake", 8.0, (0.12, 0.1)))
    leaf = dice.pick(AUTUMN if dice.chance(0.3) else LEAVES)
    firs = [plants.conifer(dice, near((58, 100, 70), dice)) for _ in range(3)]
    trees = [*firs, *firs, plants.round_tree(dice, leaf), plants.round_tree(dice, leaf)]
    for x, z in _shore(Dice(seed), middle, rx, rz, 9.0):
        if z > middle - 8:
            for _ in range(2):
                land.plant(scene, dice, trees, [(x * dice.between(1, 1.2), z + dice.between(0, 14))], 1.1)
    land.plant(scene, dice, trees, [s for s in land.scatter(dice, 16, -40, 40, 0, 9, 4.0) if abs(s[0]) > 9])
    small = [plants.reeds(dice), plants.reeds(dice), plants.bush(dice)]
    for x, z in _shore(Dice(seed), middle, rx, rz, 0.5):
        if z < middle and dice.chance(0.8):
            land.tufts(scene, dice, small, [(x + dice.between(-1, 1), z + dice.between(-1, 0.5))])
            if dice.chance(0.5):
                scene.put(plants.rock(dice, dice.between(0.3, 0.9)), place(x + 1, -0.1, z), casts=False)


def _camp(scene: Scene, dice: Dice) -> None:
    """What lies and stands on this side of the lake."""
    _pier(scene, dice, dice.sign() * dice.between(5, 10), 10)
    scene.put(outdoor.bench(dice), place(dice.between(-5, 5), 0, 7, turn=math.pi))
    for x, z in land.scatter(dice, 3, -22, 22, 4, 8.5, 6):
        scene.put(outdoor.tent(dice), place(x, 0, z, turn=dice.between(-2, 2)))
    scene.put(plants.log_pile(dice), place(dice.sign() * dice.between(7, 12), 0, 5, turn=dice.between(0, 3)))
    scene.put(plants.log(dice), place(dice.between(-4, 4), 0, 5.2, turn=dice.between(-0.5, 0.5)))
    for _ in range(3):
        life.stroller(scene, dice, (-25, dice.between(5, 8)), (25, dice.between(5, 8)))
    life.bystander(scene, dice, dice.between(-6, 6), 8.5, dice.between(-0.5, 0.5))
    life.beast(scene, dice, "dog", round_trip(0, 6.5, 6, 1.5, 1.6, dice.between(0, 6)))
    life.odd(scene, dice, dice.between(-9, 9), 6.5, 0.6)


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice))
    rx, rz = dice.between(55, 85), dice.between(34, 50)
    middle = 11 + rz
    gray, green = near((108, 112, 118), dice, 0.12), near((84, 108, 80), dice)
    _shores(scene, dice, rx, rz, middle)
    land.mountains(scene, dice, dice.between(330, 430), dice.between(170, 250), gray, snow=dice.between(0.4, 0.75))
    land.mountains(scene, dice, dice.between(200, 250), dice.between(40, 75), green, snow=2.0)
    _camp(scene, dice)
    for _ in range(3):
        angle = dice.between(0.5, 2.6)
        x, z = (rx + 14) * cos(angle), middle + (rz + 14) * sin(angle)
        scene.put(houses.house(dice), place(x, 0, z, turn=dice.between(-0.6, 0.6)))
    for _ in range(2):
        way = round_trip(0, middle - 8, dice.between(10, 30), dice.between(6, 14), 0.8, dice.between(0, 6))
        life.float_boat(scene, dice, boats.rowing_boat(dice), way, True, 0.04)
    way = straight((-rx, middle + 6), (rx, middle + 2), 1.2, dice.between(30, 80))
    life.float_boat(scene, dice, boats.sailing_boat(dice), way, swell=0.06)
    life.swimmers(scene, dice, 6, dice.between(-8, 8), 17, 3)
    life.flock(scene, dice, 4, 0, 50, 16)
    return scene
