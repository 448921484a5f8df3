"""A beach at the sea: an open horizon, sails, parasols."""

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import Flat, box, frustum, ground, place, ribbon, shifted
from vsscli.data.world.mesh import Brush, Kind, Mesh
from vsscli.data.world.motion import round_trip, standing, straight
from vsscli.data.world.paint import WHITE, coat, near, soil, water
from vsscli.data.world.props import boats, houses, indoor, land, life, outdoor, plants
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import weather


def _shore(dice: Dice) -> list[Flat]:
    """The water's edge: z as a slow wave of x."""
    a, b, p = dice.between(1, 3), dice.between(0.3, 0.8), dice.between(0, 6)
    return [(x, 16 + a * sin(0.03 * x + p) + b * sin(0.11 * x + 2 * p)) for x in range(-400, 401, 8)]


def _camera(dice: Dice) -> Camera:
    shake = dice.between(0, 0.006)
    match dice.whole(0, 2):
        case 0:  # standing on the beach, swinging slowly
            return Camera(0, 1.8, 0, turn=dice.between(-0.3, 0.3), tilt=-0.02, sway=0.25, period=11, shake=shake)
        case 1:  # walking along the water
            turn = 0.9 * dice.sign()
            return Camera(0, 1.9, 6, turn=turn, tilt=-0.01, speed=(1.2 if turn > 0 else -1.2, 0, 0.2), shake=0.006)
        case _:  # from the dunes, drawing nearer
            return Camera(0, 6.0, -8, turn=dice.between(-0.2, 0.2), tilt=-0.13, zoom=0.9, zoom_rate=0.05, shake=shake)


def _beach(scene: Scene, dice: Dice) -> list[Flat]:
    sand = soil("sand", near((226, 204, 156), dice), Texture.GRAIN, 3.0, 0.84, 0.3)
    land.plain(scene, water("sea", 9.0, (0.1, 0.5)))
    shore = _shore(dice)
    scene.lay(ground((-400, -300), *shore, (400, -300)), sand)
    wet = Brush("sand", (178, 156, 116), (158, 138, 104), Texture.GRAIN, 3, Kind.GROUND)
    scene.lay(ribbon(shore, -0.1, 1.6), wet)
    foam = Brush("sea", (240, 246, 246), (120, 168, 182), Texture.LEAVES, 3.2, Kind.GROUND, flow=(0.3, 0.25))
    scene.lay(ribbon(shore, -1.5, 0.0), foam)
    surf = [(x, z + 7 + 0.8 * sin(0.2 * x)) for x, z in shore]
    scene.lay(ribbon(surf, -0.5, 0.2), foam)
    return shore


def _people(scene: Scene, dice: Dice) -> None:
    for x, z in land.scatter(dice, 7, -22, 22, 5, 13, 4.0):
        scene.put(outdoor.parasol(dice), place(x, 0, z, turn=dice.between(0, 6)))
        towel = indoor.rug(dice, 0.9, 1.9)
        scene.put(towel, place(x + 1.2, 0, z, turn=dice.between(-0.4, 0.4)), casts=False)
        if dice.chance(0.5):
            scene.put(indoor.chair(dice), place(x - 0.9, 0, z + 0.3, turn=3.1 + dice.between(-0.4, 0.4)))
            life.bystander(scene, dice, x - 0.9, z + 0.35, dice.between(-0.4, 0.4), seat=0.45)
    for _ in range(6):
        z = dice.between(7, 14)
        life.stroller(scene, dice, (-40, z), (40, z + dice.between(-1, 1)), shade=0.15)
    toy = outdoor.ball_of(dice, 0.22)
    x = dice.between(-6, 6)
    life.bystander(scene, dice, x - 2.5, 9, 1.57)
    life.bystander(scene, dice, x + 2.5, 9, -1.57)
    scene.act([toy], lambda t: [place(x + 2 * sin(2.2 * t), 1.1 + 0.6 * abs(sin(2.2 * t + 1.57)), 9, roll=3 * t)])
    scene.put(indoor.basket(dice), place(x + 3.5, 0, 8.4))
    life.beast(scene, dice, "dog", round_trip(x, 12, 5, 2, 2.2, dice.between(0, 6)))
    life.odd(scene, dice, dice.between(-14, 14), 6.5)


def _boats(scene: Scene, dice: Dice) -> None:
    for _ in range(6):
        x, z = dice.between(-70, 70), dice.between(45, 150)
        way = straight((x - 120, z), (x + 120, z + dice.between(-20, 20)), dice.between(1.5, 3), 120)
        life.float_boat(scene, dice, boats.sailing_boat(dice), way, swell=0.16)
    z = dice.between(45, 70)
    way = straight((150, z), (-150, z), 6.0, dice.between(110, 190))
    life.float_boat(scene, dice, boats.motor_boat(dice), way, swell=0.2)
    z = dice.between(320, 600)
    life.float_boat(
        scene, dice, boats.ship(dice), straight((-400, z), (400, z), 5.0, dice.between(260, 540)), swell=0.0
    )
    if dice.chance(0.6):
        life.float_boat(scene, dice, boats.raft(dice), standing(dice.between(-12, 12), dice.between(24, 34), 0.4), True)
    if dice.chance(0.6):
        scene.put(boats.rowing_boat(dice), place(dice.between(-12, 12), 0.25, 13.5, turn=dice.between(1, 2), roll=0.12))


def build(dice: Dice) -> Scene:
    """The scene."""
    scene = Scene(_camera(dice), weather(dice, behind=dice.chance(0.6)))
    _beach(scene, dice)
    side = dice.sign()
    scene.put(
        land.cliff(dice, 130, dice.between(14, 26), 45),
        place(side * dice.between(95, 120), 0, dice.between(60, 90)),
        casts=False,
    )
    if dice.chance(0.7):
        scene.put(houses.lighthouse(dice), place(side * 82, 7, 62), casts=False)
    if dice.chance(0.4):
        land.mountains(scene, dice, 3200, 200, (150, 164, 176), snow=2, middle=-side * 1.0, width=0.9)
    for x, z in land.scatter(dice, 9, -60, 60, 15, 24, 5.0):
        size = dice.between(0.4, 1.3)
        scene.put(plants.rock(dice, size), place(x, -0.1, z), casts=False)
    palms = [plants.palm(dice) for _ in range(2)]
    if dice.chance(0.6):
        land.plant(scene, dice, palms, land.scatter(dice, 6, -30, 30, 3, 9, 6.0))
    small = land.scatter(dice, 14, -30, 30, 2.5, 6, 2.0)
    land.tufts(scene, dice, [plants.reeds(dice), plants.bush(dice)], small, 0.45)
    _people(scene, dice)
    _boats(scene, dice)
    life.flock(scene, dice, 7, 0, 35, 9)
    life.hoist(scene, dice, dice.sign() * dice.between(6, 14), 10)
    _lifeguard(scene, dice)
    return scene


def _lifeguard(scene: Scene, dice: Dice) -> None:
    if dice.chance(0.5):
        x = dice.sign() * dice.between(8, 16)
        tower = Mesh()
        legs = coat("other_construction", near((214, 90, 60), dice))
        for dx in (-0.7, 0.7):
            for dz in (-0.7, 0.7):
                tower.add(shifted(box(0.14, 2.2, 0.14), dx, 0, dz), legs)
        tower.add(shifted(box(1.9, 0.12, 1.9), 0, 2.2, 0), legs)
        tower.add(shifted(box(1.6, 1.3, 1.6), 0, 2.3, 0), coat("other_construction", WHITE, Texture.PLANKS, 1))
        tower.add(shifted(frustum(2.2, 2.2, 0.2, 0.2, 0.6), 0, 3.6, 0), legs)
        scene.put(tower, place(x, 0, 12, turn=dice.between(-0.3, 0.3)))
