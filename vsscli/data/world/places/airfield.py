"""An airfield: aircraft that stand, taxi and take off, a terminal, a control tower."""

import math

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import Matrix, area, box, place, shifted
from vsscli.data.world.mesh import Brush, Kind, Mesh
from vsscli.data.world.motion import straight
from vsscli.data.world.paint import GLASS, LEAVES, WHITE, coat, near, scaled, soil
from vsscli.data.world.props import aircraft, houses, indoor, land, life, outdoor, plants, traffic
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.005)
    match dice.whole(0, 2):
        case 0:
            return Camera(0, 1.8, 0, turn=dice.between(-0.4, 0.4), tilt=0.04, sway=0.2, period=11, shake=shake)
        case 1:
            return Camera(
                dice.between(-20, 20),
                9,
                -6,
                turn=dice.between(-0.2, 0.2),
                tilt=-0.08,
                turn_rate=0.03 * dice.sign(),
                shake=shake,
            )
        case _:
            return Camera(-12, 2.2, 2, turn=0.5, tilt=0.03, speed=(1.6, 0, 0), zoom_rate=0.03, shake=0.005)


def _ground(scene: Scene, dice: Dice) -> None:
    land.plain(scene, land.meadow(dice, (136, 152, 84)))
    scene.lay(area(-120, -30, 120, 48), soil("ground", near((172, 170, 164), dice), Texture.PAVING, 24, 0.9, 0.3))
    asphalt = soil("road", near((98, 99, 104), dice), Texture.GRAIN, 3, 0.78, 0.3)
    scene.lay(area(-900, 78, 900, 112), asphalt)
    scene.lay(area(-18, 48, 2, 78), asphalt)
    line = Brush("road", (226, 226, 220), kind=Kind.GROUND)
    for i in range(-18, 19):
        scene.lay(area(24 * i, 94.5, 24 * i + 14, 95.5), line)
    for z in (80, 109.5):
        scene.lay(area(-900, z, 900, z + 0.6), line)
    yellow = Brush("ground", (222, 180, 60), kind=Kind.GROUND)
    for x in (-52, -8, 36):
        scene.lay(area(x - 0.15, 4, x + 0.15, 48), yellow)
    scene.lay(area(-120, 40, 120, 40.3), yellow)


def _stairs(color: tuple[float, float, float]) -> Mesh:
    """Boarding steps (stair)."""
    mesh = Mesh()
    for i in range(9):
        mesh.add(shifted(box(1.6, 0.3 * (i + 1), 0.36), z=0.36 * i), coat("stair", scaled(color, 0.9 + 0.1 * (i % 2))))
    for x in (-0.8, 0.8):
        mesh.add(shifted(box(0.06, 3.5, 3.0, 1.0), x, 0, 1.6), coat("stair", scaled(color, 0.7)))
    return mesh


def _terminal(scene: Scene, dice: Dice) -> None:
    side = dice.sign()
    front = Brush("building", near((212, 210, 204), dice), GLASS, Texture.GLASS, 7, fit=True)
    hall = Mesh().add(box(24, 11, 70), front).add(shifted(box(28, 0.8, 74), y=11), coat("building", WHITE))
    scene.put(hall, place(side * 78, 0, 26))
    scene.put(houses.control_tower(dice), place(side * dice.between(48, 56), 0, dice.between(140, 160)), casts=False)
    scene.put(houses.dome(dice, 18), place(-side * 70, 0, 150), casts=False)
    scene.put(houses.dome(dice, 15), place(-side * 108, 0, 150), casts=False)


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice))
    _ground(scene, dice)
    _terminal(scene, dice)
    trees = plants.grove(dice, dice.pick(LEAVES), 3, 0.3)
    land.forest(scene, dice, trees, distance=210, count=90, width=2.8)
    if dice.chance(0.6):
        land.mountains(scene, dice, 900, 130, near((120, 130, 130), dice), snow=1.2)
    for x in dice.shuffled((-34.0, 14.0))[: dice.whole(1, 2)]:
        scene.put(aircraft.airliner(dice), place(x, 0, 30, turn=math.pi + dice.between(-0.5, 0.5)))
        scene.put(_stairs(near((196, 200, 204), dice)), place(x + 4.5, 0, 19, turn=-1.2))
    for x, z in land.scatter(dice, 3, -26, 26, 12, 24, 12):
        scene.put(aircraft.small_plane(dice), place(x, 0, z, turn=dice.between(0, 6)))
    jet = aircraft.airliner(dice)
    life.drive(scene, jet, straight((-300, 95), (300, 95), dice.between(9, 16), dice.between(200, 330)))
    flying, begin = aircraft.airliner(dice, gear=False), dice.between(-150, 60)

    def climb(time: float) -> list[Matrix]:
        x = begin + 32 * time
        return [place(x, 26 + 0.2 * (x + 150), 260, turn=math.pi / 2, tilt=-0.2)]

    scene.act([flying], climb, casts=False)
    taxi = aircraft.small_plane(dice)
    life.drive(scene, taxi, straight((-90, 44), (90, 44), 4.0, dice.between(50, 130)))
    for i, maker in enumerate((traffic.truck, traffic.bus, traffic.digger, traffic.car)):
        z = 7 + 2.2 * i + dice.between(0, 1)
        life.drive(scene, maker(dice), straight((-60, z + 24), (60, z + 24), 3.5, dice.between(10, 100)))
    cart = traffic.digger(dice)
    scene.put(cart, place(dice.between(-14, 14), 0, 15, turn=dice.between(0, 6)))
    for _ in range(5):
        z = dice.between(7, 16)
        life.stroller(scene, dice, (-30, z), (30, z))
    for x, z in land.scatter(dice, 5, -12, 12, 8, 13, 2):
        scene.put(
            dice.pick((indoor.suitcase, outdoor.roadblock, outdoor.crate, outdoor.tyres))(dice),
            place(x, 0, z, turn=dice.between(0, 6)),
        )
    fence = houses.fence(30, 1.1, wood=False)
    for i in (-2, -1, 1, 2):
        scene.put(fence, place(i * 16, 0, 5.2), casts=False)
    life.hoist(scene, dice, dice.sign() * 9, 6.0, 7.5)
    life.flock(scene, dice, 4, 0, 60, 15)
    life.odd(scene, dice, dice.between(-10, 10), 10, 0.6)
    return scene
