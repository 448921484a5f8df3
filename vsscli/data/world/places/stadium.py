"""A sports ground: a pitch with its lines, two goals, players, stands."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice, noise, sin
from vsscli.data.world.geometry import Matrix, area, ball, box, ellipse, place, ribbon, shifted
from vsscli.data.world.mesh import Brush, Color, Kind, Mesh
from vsscli.data.world.motion import round_trip, straight
from vsscli.data.world.paint import CLOTH, LEAVES, STEEL, WHITE, coat, near, scaled, soil
from vsscli.data.world.props import houses, land, life, outdoor, plants
from vsscli.data.world.props.people import person
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather

FIELD = "athletic_field"


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.006)
    match dice.whole(0, 2):
        case 0:  # from the touchline, following the game
            return Camera(0, 2.0, -2, sway=0.3, period=7, phase=dice.between(0, 6), tilt=0.0, shake=shake)
        case 1:  # from the stand
            return Camera(
                dice.between(-10, 10), 10, -14, tilt=-0.17, sway=0.2, period=9, zoom=0.85, zoom_rate=0.03, shake=shake
            )
        case _:  # from a corner
            return Camera(-50, 4.5, 9, turn=1.15, tilt=-0.07, turn_rate=0.02, shake=shake)


def _pitch(scene: Scene, dice: Dice) -> None:
    land.plain(scene, land.meadow(dice, (118, 150, 72)))
    track = soil(FIELD, near((178, 84, 62), dice), Texture.GRAIN, 2, 0.86, 0.2)
    scene.lay(area(-58, -3, 58, 61), track)
    light, dark = near((98, 158, 70), dice, 0.04), 0.86
    for i in range(10):
        x = -40 + 8.0 * i
        color = light if i % 2 else scaled(light, dark)
        scene.lay(
            area(x, 4, x + 8, 54), Brush(FIELD, color, scaled(color, 0.8), Texture.GRASS, 2.2, Kind.GROUND, blotch=0.2)
        )
    line = Brush(FIELD, (236, 238, 232), kind=Kind.GROUND)
    w = 0.3
    for x0, z0, x1, z1 in (
        (-40, 4, 40, 54),
        (-40, 15, -26, 43),
        (26, 15, 40, 43),
        (-40, 22, -34, 36),
        (34, 22, 40, 36),
    ):
        for a, b, c, d in ((x0, z0, x1, z0), (x0, z1, x1, z1), (x0, z0, x0, z1), (x1, z0, x1, z1)):
            scene.lay(area(min(a, c) - w / 2, min(b, d) - w / 2, max(a, c) + w / 2, max(b, d) + w / 2), line)
    scene.lay(area(-w / 2, 4, w / 2, 54), line)
    scene.lay(ribbon([*ellipse(0, 29, 7, 7, 40), (7.0, 29.0)], -w / 2, w / 2), line)


def _stand(dice: Dice, length: float, rows: int) -> Mesh:
    """Steps with seats and some people (grandstand)."""
    what, mesh = "grandstand", Mesh()
    seats: Color = near(dice.pick(CLOTH), dice)
    for i in range(rows):
        mesh.add(
            shifted(box(length, 0.8 * (i + 1), 1.2), z=1.2 * i), coat(what, (176, 174, 168), Texture.GRAIN, 3, 0.85)
        )
        bright = Brush(what, seats, scaled(seats, 0.6), Texture.STRIPES, 2.2)
        mesh.add(shifted(box(length, 0.35, 0.4), 0, 0.8 * (i + 1), 1.2 * i + 0.3), bright)
    for x in range(int(-length / 2) + 3, int(length / 2), 10):
        mesh.add(shifted(box(0.4, 0.8 * rows + 4, 0.4), x, 0, 1.2 * rows + 0.4), coat(what, STEEL))
    return mesh.add(
        shifted(box(length, 0.4, 1.2 * rows * 0.9), 0, 0.8 * rows + 4, 1.2 * rows * 0.55), coat(what, WHITE)
    )


def _crowd(scene: Scene, dice: Dice, x0: float, length: float, rows: int, z0: float) -> None:
    """Sitting people as simple figures (person)."""
    kinds = []
    for _ in range(6):
        mesh = Mesh().add(shifted(box(0.46, 0.62, 0.3, 0.85), y=0.1), coat("person", near(dice.pick(CLOTH), dice)))
        kinds.append(mesh.add(shifted(ball(0.14, 4, 6), y=0.86), coat("person", near((206, 160, 126), dice))))
    full = dice.between(0.25, 0.6)
    for i in range(rows):
        taken = noise(dice.whole(0, 1 << 30), int(length / 1.3))
        for k, share in enumerate(taken.tolist()):
            if share < full:
                at = place(x0 - length / 2 + 1.3 * k + 0.6, 0.8 * (i + 1) + 0.2, z0 + 1.2 * i + 0.25)
                scene.put(dice.pick(kinds), at, casts=False)


def _players(scene: Scene, dice: Dice) -> None:
    for _ in range(14):
        who, x, z = person(dice, bag=0.0), dice.between(-26, 26), dice.between(8, 44)
        way = round_trip(
            x, z, dice.between(3, 9), dice.between(3, 8), dice.between(2.5, 4) * dice.sign(), dice.between(0, 6)
        )
        life.walk_on(scene, who, way, pace=0.6)
    toy, p = outdoor.ball_of(dice, 0.16), dice.between(0, 6)

    def roll(time: float) -> list[Matrix]:
        x, z = 12 * sin(0.5 * time + p), 20 + 8 * sin(0.7 * time + 2 * p)
        return [place(x, 0.16 + 1.2 * abs(sin(1.7 * time)), z, roll=-5 * time, tilt=3 * time)]

    scene.act([toy], roll)


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice))
    _pitch(scene, dice)
    rows = dice.whole(5, 9)
    scene.put(_stand(dice, 90, rows), place(0, 0, 63), casts=False)
    _crowd(scene, dice, 0, 88, rows, 63)
    scene.put(outdoor.goal(), place(-40, 0, 29, turn=-math.pi / 2))
    scene.put(outdoor.goal(), place(40, 0, 29, turn=math.pi / 2))
    _players(scene, dice)
    for x in (-52.0, 52.0):
        for z in (0.0, 60.0):
            mast = Mesh().add(shifted(box(0.5, 18, 0.5, 0.6)), coat("pole", STEEL))
            mast.add(shifted(box(4, 2.4, 0.5), y=17), coat("lamp", (236, 236, 226)))
            scene.put(mast, place(x, 0, z), casts=False)
    boards = [outdoor.billboard(dice, 5.6, 1.0) for _ in range(4)]
    for i in range(12):
        scene.put(dice.pick(boards), place(-34 + 6.2 * i, -2.3, 56.5), casts=False)
    for x in (-6.0, 6.0):
        scene.put(outdoor.bench(dice), place(x, 0, 1.2, turn=math.pi))
        life.bystander(scene, dice, x, 1.1, 0.0, seat=0.5)
    for _ in range(3):
        z = dice.between(0.4, 3.0)
        life.stroller(scene, dice, (-30, z), (30, z))
    life.walker(scene, dice, straight((-40, 2.4), (40, 2.4), 3.2, dice.between(20, 60)))
    for i in (-1, 0, 1):
        life.hoist(scene, dice, 14.0 * i + dice.between(-2, 2), 61, 11)
    trees = plants.grove(dice, dice.pick(LEAVES), 3, 0.1)
    land.forest(scene, dice, trees, distance=110, count=50)
    for _ in range(4):
        at = place(dice.between(-110, 110), 0, dice.between(140, 200))
        scene.put(houses.high_rise(dice, dice.between(14, 22), dice.whole(6, 14)), at, casts=False)
    if dice.chance(0.5):
        scene.put(outdoor.hoop(dice), place(dice.sign() * 11, 0, 1.5, turn=dice.between(-1, 1)))
    life.flock(scene, dice, 3, 0, 40, 18)
    life.odd(scene, dice, dice.sign() * 9, 2.2, 0.6)
    return scene
