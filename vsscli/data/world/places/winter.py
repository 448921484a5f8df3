"""Winter: snow, a frozen pond, firs, houses with white roofs."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import ball, ellipse, ground, place, ribbon, rod, shifted, tube
from vsscli.data.world.mesh import Brush, Kind, Mesh
from vsscli.data.world.motion import round_trip, straight
from vsscli.data.world.paint import BLACK, CLOTH, coat, near
from vsscli.data.world.props import houses, land, life, outdoor, plants, traffic
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather

POND = 20.0


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.006)
    match dice.whole(0, 2):
        case 0:
            return Camera(0, 1.7, 0, turn=dice.between(-0.3, 0.3), sway=0.22, period=10, shake=shake)
        case 1:
            return Camera(-10, 5, -3, turn=0.3, tilt=-0.1, speed=(1.0, 0, 0.2), turn_rate=-0.02, shake=0.005)
        case _:
            return Camera(3, 2.0, -6, turn=-0.05, speed=(0, 0, 1.0), zoom_rate=0.02, shake=0.007)


def _snowman(dice: Dice) -> Mesh:
    """Three balls of snow with a hat (sculpture)."""
    snow, mesh = coat("sculpture", (240, 242, 246), Texture.SNOW, 1, 0.9), Mesh()
    for y, r in ((0.4, 0.5), (1.05, 0.38), (1.6, 0.26)):
        mesh.add(shifted(ball(r, 6, 10), y=y), snow)
    mesh.add(shifted(tube(0.3, 0.3, 0.04, 10), y=1.8), coat("sculpture", BLACK))
    mesh.add(shifted(tube(0.19, 0.19, 0.3, 10), y=1.82), coat("sculpture", BLACK))
    return mesh.add(shifted(tube(0.3, 0.3, 0.1, 10), y=1.32), coat("sculpture", near(dice.pick(CLOTH), dice)))


def _flakes(scene: Scene, dice: Dice) -> None:
    """Snow lies on the firs: white cones over green ones."""
    firs = []
    for _ in range(3):
        fir = plants.conifer(dice, near((74, 108, 84), dice))
        white = coat("tree", (234, 238, 244), Texture.SNOW, 1.4, 0.85)
        for i in range(4):
            fir.add(shifted(tube(1.3 * (1 - 0.2 * i), 0.0, 1.9, 9, top=False), y=2.2 + 1.55 * i), white)
        firs.append(fir)
    spots = [(x, z) for x, z in land.scatter(dice, 40, -50, 50, 8, 90, 4.5) if abs(x) > 15 or z > 40]
    land.plant(scene, dice, firs, spots)
    land.forest(scene, dice, firs, distance=120, count=70)
    bare = Mesh()
    bark = coat("tree", (96, 84, 76), Texture.BARK, 0.8, 0.6)
    bare.add(tube(0.22, 0.1, 5, 7), bark)
    for i in range(9):
        a, y = 2.4 * i, 2.0 + 0.33 * i
        end = (1.5 * sin(a), y + 1.3, 1.5 * sin(a + 1.57))
        bare.add(rod((0, y, 0), end, 0.05, 4), bark)
    for x, z in land.scatter(dice, 5, -18, 18, 8, 14, 5):
        if abs(x) > 5:
            scene.put(bare, place(x, 0, z, turn=dice.between(0, 6), size=dice.between(0.8, 1.2)))


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice, ("noon", "cloudy", "morning", "evening", "hazy")))
    snow = Brush("snowfield", (238, 241, 246), (206, 216, 230), Texture.SNOW, 4, Kind.GROUND, blotch=0.12)
    land.plain(scene, snow)
    rx, rz = dice.between(10, 15), dice.between(6, 9)
    ice = Brush("ice", (190, 212, 224), (150, 182, 202), Texture.PATCHES, 7, Kind.GROUND | Kind.WATER, blotch=0.2)
    scene.lay(ground(*ellipse(0, POND, rx, rz, 36)), ice)
    way = [(-40.0 + 4 * i, 9.5 + 1.2 * sin(0.3 * i)) for i in range(21)]
    scene.lay(ribbon(way, -1.0, 1.0), Brush("path", (206, 206, 206), (176, 172, 168), Texture.SNOW, 2, Kind.GROUND))
    land.mountains(
        scene,
        dice,
        dice.between(420, 600),
        dice.between(130, 230),
        near((128, 132, 144), dice),
        snow=dice.between(0.15, 0.4),
    )
    _flakes(scene, dice)
    for x in (-26.0, 2.0, 27.0):
        at = place(x + dice.between(-5, 5), 0, dice.between(38, 55), turn=dice.between(-0.6, 0.6))
        scene.put(houses.house(dice, snow=True), at)
    scene.put(houses.church_tower(dice), place(dice.between(-30, 30), 0, 80), casts=False)
    for x in (-9.0, 9.0):
        scene.put(houses.fence(14, 1.0), place(x * 1.4, 0, 11.6))
    scene.put(_snowman(dice), place(dice.sign() * dice.between(2, 5), 0, 7.5, turn=math.pi))
    for i in range(6):
        radius = (rx * dice.between(0.3, 0.8), rz * dice.between(0.3, 0.8))
        ride = round_trip(0, POND, *radius, dice.between(1.5, 3) * dice.sign(), dice.between(0, 6))
        life.walker(scene, dice, ride, child=i % 3 == 0)
    for _ in range(3):
        life.stroller(scene, dice, (-30, 9.3), (30, 9.3))
    life.beast(scene, dice, "dog", straight((-20, 8.0), (20, 8.4), 1.8, dice.between(10, 30)))
    life.grazing(scene, dice, "deer", land.scatter(dice, 3, -30, 30, 30, 40, 4))
    scene.put(plants.log_pile(dice), place(dice.sign() * 8, 0, 8, turn=dice.between(0, 3)))
    car = traffic.car(dice)
    scene.put(car, place(dice.sign() * 12, 0, 36, turn=1.4))
    scene.put(outdoor.park_lamp(), place(-4.5, 0, 11.2))
    scene.put(outdoor.park_lamp(), place(5.5, 0, 11.4))
    scene.put(outdoor.bench(dice), place(dice.between(-3, 3), 0, 11.5, turn=math.pi))
    for x, z in land.scatter(dice, 6, -25, 25, 12, 30, 4):
        if (x / rx) ** 2 + ((z - POND) / rz) ** 2 > 1.2:
            stone = plants.rock(dice, dice.between(0.4, 0.9))
            scene.put(stone, place(x, -0.1, z))
    life.flock(scene, dice, 4, 0, 40, 15)
    life.odd(scene, dice, dice.between(-8, 8), 8.5, 0.6)
    return scene
