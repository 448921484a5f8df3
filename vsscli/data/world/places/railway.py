"""A railway through the country: trains, a platform, poles with wires."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import area, box, place, prism, rod, shifted, tube
from vsscli.data.world.mesh import Brush, Kind, Mesh
from vsscli.data.world.motion import straight
from vsscli.data.world.paint import AUTUMN, LEAVES, STEEL, STONY, WHITE, coat, near
from vsscli.data.world.props import houses, indoor, land, life, outdoor, plants, traffic
from vsscli.data.world.props.people import person
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather

TRACKS = (-2.4, 2.4)
EDGE = 4.6  # where the platform begins


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.006)
    match dice.whole(0, 2):
        case 0:  # on the platform
            return Camera(EDGE + 2.4, 2.6, 0, turn=-0.28, tilt=-0.02, sway=0.14, period=9, shake=shake)
        case 1:  # from a bridge over the tracks
            return Camera(0, 8.0, -6, tilt=-0.17, turn=dice.between(-0.15, 0.15), zoom_rate=0.04, shake=shake)
        case _:  # from a driver's cab
            return Camera(TRACKS[0], 2.8, 0, tilt=-0.03, speed=(0, 0, dice.between(3, 7)), shake=0.005)


def _tracks(scene: Scene, dice: Dice) -> None:
    land.plain(scene, land.meadow(dice))
    gravel = land.stones(dice, (146, 138, 128))
    scene.lay(area(-5.6, -60, 5.0, 700), gravel)
    sleeper = Brush("rail", (116, 96, 80), (90, 74, 62), Texture.BARK, 1.0, Kind.GROUND)
    bed = Brush("rail", gravel.light, gravel.dark, Texture.ROCK, 1.6, Kind.GROUND, blotch=0.4)
    for x in TRACKS:
        scene.lay(area(x - 1.3, -60, x + 1.3, 100), bed)
        for i in range(160):
            scene.lay(area(x - 1.3, -20 + 0.75 * i, x + 1.3, -19.72 + 0.75 * i), sleeper)
        scene.lay(area(x - 1.3, 100, x + 1.3, 700), Brush("rail", (124, 108, 96), kind=Kind.GROUND))
        for side in (-0.75, 0.75):
            steel = Mesh().add(shifted(box(0.12, 0.16, 760), x + side, 0, 320), coat("rail", (166, 168, 172)))
            scene.put(steel, casts=False)


def _wires(scene: Scene, dice: Dice) -> None:
    mast = Mesh().add(tube(0.16, 0.1, 7.5, 7), coat("pole", (104, 112, 112)))
    mast.add(rod((0, 6.4, 0), (-4.5, 6.6, 0), 0.06, 5), coat("pole", (104, 112, 112)))
    start = dice.between(8, 14)
    for i in range(9):
        scene.put(mast, place(EDGE - 0.1 if i > 3 else -6.6, 0, start + 24 * i, turn=0.0 if i > 3 else math.pi))


def _platform(scene: Scene, dice: Dice) -> None:
    floor = coat("floor", near((176, 172, 164), dice), Texture.PAVING, 2.4, 0.86)
    deck = Mesh().add(shifted(box(9, 0.9, 76), EDGE + 4.5, 0, 28), floor)
    deck.add(shifted(box(0.25, 0.012, 76), EDGE + 0.5, 0.9, 28), coat("floor", (232, 200, 80)))
    scene.put(deck, casts=False)
    roof = Mesh()
    for i in range(4):
        roof.add(shifted(box(0.4, 4.2, 0.4), 0, 0, 8.0 * i), coat("pillar", near(STONY, dice)))
    roof.add(shifted(box(5.4, 0.3, 30), 0, 4.2, 12), coat("other_construction", near((150, 70, 58), dice)))
    scene.put(roof, place(EDGE + 5.2, 0.9, 16))
    station = Mesh().add(
        box(7, 7, 24), Brush("building", near((204, 160, 120), dice), (70, 76, 90), Texture.WINDOWS, 6, fit=True)
    )
    station.add(
        prism([(-12.6, 7), (-12.6, 7.2), (0, 9.6), (12.6, 7.2), (12.6, 7)], 8.2),
        coat("building", (120, 70, 58), Texture.SHINGLES, 3),
    )
    scene.put(station, place(EDGE + 13.2, 0, 30))
    for z in (10.0, 22.0, 34.0):
        scene.put(outdoor.bench(dice), place(EDGE + 7.2, 0.9, z, turn=math.pi / 2))
    scene.put(outdoor.trash_can(dice), place(EDGE + 6.6, 0.9, 13))
    clock = Mesh().add(tube(0.06, 0.06, 3.2, 6), coat("pole", STEEL))
    clock.add(shifted(box(0.8, 0.8, 0.2), 0, 3.1, 0), coat("clock", (50, 60, 80)))
    clock.add(shifted(box(0.66, 0.66, 0.2), 0, 3.17, -0.02), coat("clock", WHITE))
    for x0, y0, w, h in ((0.0, 3.5, 0.05, 0.26), (0.1, 3.48, 0.22, 0.05)):
        clock.add(shifted(box(w, h, 0.2), x0, y0, -0.03), coat("clock", (30, 34, 40)))
    scene.put(clock, place(EDGE + 3.4, 0.9, 19))
    for i in range(3):
        scene.put(indoor.suitcase(dice), place(EDGE + dice.between(2, 6), 0.9, 8 + 6 * i, turn=dice.between(0, 6)))


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice))
    _tracks(scene, dice)
    _wires(scene, dice)
    _platform(scene, dice)
    trees = plants.grove(dice, dice.pick(AUTUMN if dice.chance(0.35) else LEAVES), 4, 0.3)
    left = [(x, z) for x, z in land.scatter(dice, 30, -60, -11, 4, 140, 5)]
    right = [(x, z) for x, z in land.scatter(dice, 26, 22, 70, 50, 150, 5)]
    land.plant(scene, dice, trees, left + right)
    land.forest(scene, dice, trees, distance=180, count=60)
    land.mountains(
        scene,
        dice,
        dice.between(500, 800),
        dice.between(90, 160),
        near((112, 128, 116), dice),
        snow=dice.between(0.7, 1.5),
    )
    for x, z in land.scatter(dice, 5, -55, -22, 25, 120, 14):
        scene.put(houses.house(dice), place(x, 0, z, turn=dice.between(0, 6)))
    scene.put(houses.fence(60, 1.1), place(-8.5, 0, 34, turn=math.pi / 2))
    land.tufts(scene, dice, [plants.bush(dice), plants.flowers(dice)], land.scatter(dice, 14, -16, -7, 4, 50, 1.5))
    coming = traffic.train(dice, dice.whole(3, 5))
    life.convoy(scene, coming, TRACKS[1], dice.between(50, 90), -dice.between(5, 9))
    life.convoy(scene, traffic.train(dice, 3), TRACKS[0], dice.between(64, 100), 10.0)
    for _ in range(6):
        ends = [(EDGE + dice.between(1.5, 6.5), z) for z in dice.shuffled((2.0, 60.0))]
        way = straight(ends[0], ends[1], 1.2 * dice.between(0.8, 1.2), dice.between(4, 50))
        life.walk_on(scene, person(dice, bag=0.5), way, 0.9)
    board = outdoor.sign(dice)
    scene.put(board, place(EDGE - 0.2, 0, 17))
    scene.put(outdoor.traffic_light(-1.2, dice.whole(0, 2)), place(-6.2, 0, 26))
    land.tufts(scene, dice, [outdoor.tyres(dice)], [(-7.4, 12.0)])
    life.flock(scene, dice, 5, -10, 50, 14)
    life.odd(scene, dice, -8, 15, 0.6)
    return scene
