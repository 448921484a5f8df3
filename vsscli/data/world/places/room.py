"""A room: walls, furniture, people who sit and walk, a cat."""

import math
from collections.abc import Callable

from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import Matrix, area, chain, place, polygon, shifted
from vsscli.data.world.mesh import Brush, Color, Mesh
from vsscli.data.world.motion import round_trip
from vsscli.data.world.paint import WHITE, near, scaled, soil
from vsscli.data.world.props import indoor, life
from vsscli.data.world.scene import Scene
from vsscli.data.world.textures import Texture
from vsscli.data.world.weather import lamplight

WALLS: tuple[Color, ...] = (
    (226, 214, 190),
    (196, 208, 200),
    (214, 190, 176),
    (190, 204, 218),
    (224, 220, 212),
    (202, 180, 140),
)
HIGH = 2.7


class Walls:
    """The four walls of a room around (0, z): things hang on them by side and distance."""

    def __init__(self, width: float, depth: float, z: float) -> None:
        self.x, self.z0, self.z1 = width / 2, z - depth / 2, z + depth / 2

    def hang(self, side: str, along: float, height: float, away: float = 0.0) -> Matrix:
        """A place at the wall ``back``, ``left`` or ``right``, ``along`` metres from its middle, looking inwards."""
        middle = (self.z0 + self.z1) / 2
        if side == "back":
            return place(along, height, self.z1 - away)
        turn = -math.pi / 2 if side == "left" else math.pi / 2
        x = -self.x + away if side == "left" else self.x - away
        return place(x, height, middle + along, turn=turn)


def _shell(scene: Scene, dice: Dice, walls: Walls) -> None:
    floor = dice.pick((Texture.PLANKS, Texture.PLANKS, Texture.PAVING, Texture.CHECKS))
    color = near(dice.pick(((172, 126, 84), (150, 104, 70), (204, 194, 178), (120, 90, 66))), dice)
    scene.lay(area(-walls.x, walls.z0, walls.x, walls.z1), soil("floor", color, floor, 1.6, 0.8, 0.15))
    paint = near(dice.pick(WALLS), dice)
    kind = dice.pick((Texture.PLAIN, Texture.STRIPES, Texture.GRAIN, Texture.WEAVE, Texture.BRICKS))
    brush = Brush("wall", paint, scaled(paint, 0.93 if kind is not Texture.BRICKS else 0.8), kind, 1.6)
    x, a, b = walls.x, walls.z0, walls.z1
    mesh = Mesh()
    for corners in (((-x, b), (x, b)), ((-x, a), (-x, b)), ((x, a), (x, b)), ((-x, a), (x, a))):
        (x0, z0), (x1, z1) = corners
        mesh.add(polygon((x0, 0, z0), (x1, 0, z1), (x1, HIGH, z1), (x0, HIGH, z0)), brush)
        low = [(p[0] * 0.997, p[1] - 0.012 * (1 if p[1] > 0.5 * (a + b) else -1)) for p in corners]
        (x0, z0), (x1, z1) = low
        skirting = Brush("wall", scaled(WHITE, 0.95))
        mesh.add(polygon((x0, 0, z0), (x1, 0, z1), (x1, 0.1, z1), (x0, 0.1, z0)), skirting)
    mesh.add(
        shifted(area(-x, a, x, b), 0, HIGH, 0),
        Brush("ceiling", (330, 328, 320), (318, 314, 306), Texture.GRAIN, 3),
    )
    scene.put(mesh, casts=False)


def _window(scene: Scene, dice: Dice, walls: Walls, side: str, along: float) -> None:
    sky = dice.pick(((150, 190, 226), (226, 196, 170), (190, 204, 214)))
    width = dice.between(1.4, 2.2)
    scene.put(indoor.pane(dice, width, 1.45, sky), walls.hang(side, along, 0.85), casts=False)
    drape = indoor.curtain(dice, 0.5, 2.3)
    for end in (-1, 1):
        scene.put(drape, walls.hang(side, along + end * (width / 2 + 0.28), 0.1, 0.03), casts=False)


def _seats(scene: Scene, dice: Dice) -> None:
    """A table with chairs, things on it, people at it."""
    x, z = dice.between(-0.9, 0.9), dice.between(3.4, 4.2)
    wide = dice.between(1.3, 1.8)
    scene.put(indoor.table(dice, wide), place(x, 0, z))
    seat = indoor.chair(dice)
    for side in (-1, 1):
        for way in (-1, 1):
            turn = 0.0 if way > 0 else math.pi
            scene.put(seat, place(x + side * wide * 0.25, 0, z + way * 0.75, turn=turn))
    life.bystander(scene, dice, x + wide * 0.25, z + 0.7, math.pi, seat=0.47)
    if dice.chance(0.6):
        life.bystander(scene, dice, x - wide * 0.25, z - 0.7, 0.0, seat=0.47)
    tops: list[Callable[[Dice], Mesh]] = [indoor.vase, indoor.bottle, indoor.cup, indoor.fruit_plate, indoor.laptop]
    for i, maker in enumerate(dice.shuffled(tops)):
        spot = (x + wide * (0.15 * i - 0.32), z + dice.between(-0.28, 0.28))
        scene.put(
            maker(dice), place(spot[0], 0.75, spot[1], turn=math.pi if maker is indoor.laptop else 0.0), casts=False
        )
    scene.put(indoor.hanging_lamp(dice), place(x, HIGH, z), casts=False)


def _camera(dice: Dice) -> Camera:
    if dice.chance(0.4):  # moving sideways
        speed = (0.35, 0.0, 0.12)
        return Camera(-1.2, 1.5, -0.6, turn=0.12, tilt=-0.06, zoom=0.75, speed=speed, turn_rate=-0.05, shake=0.005)
    x, turn, sway = dice.between(-1, 1), dice.between(-0.15, 0.15), dice.between(0.08, 0.25)
    return Camera(x, 1.55, -0.7, turn=turn, tilt=-0.06, zoom=0.75, sway=sway, period=9, shake=0.005)


def _walls(scene: Scene, dice: Dice, walls: Walls, left: str, right: str) -> None:
    """What stands at the walls and hangs on them."""
    _window(scene, dice, walls, left, 0.6)
    _window(scene, dice, walls, "back", dice.sign() * walls.x * 0.45)
    scene.put(indoor.bookcase(dice, dice.between(1.0, 1.5)), walls.hang(right, 1.6, 0, 0.2))
    scene.put(indoor.cupboard(dice, 1.6), walls.hang("back", 0, 0, 0.27))
    scene.put(indoor.screen(dice), walls.hang("back", 0, 0.8, 0.27), casts=False)
    if dice.chance(0.5):
        scene.put(indoor.sofa(dice), walls.hang(right, -0.8, 0, 0.5))
    else:
        scene.put(indoor.bed(dice), walls.hang(right, -0.7, 0, 1.15))
    scene.put(indoor.doorway(dice), walls.hang(left, -1.9, 0), casts=False)
    scene.put(indoor.wall_clock(), walls.hang("back", 0.2, 2.15), casts=False)
    for along in (-0.9, 0.4):
        picture = indoor.picture(dice, dice.between(0.6, 1.0), dice.between(0.5, 0.8))
        scene.put(picture, walls.hang(right, along, 1.35), casts=False)
    if dice.chance(0.6):
        scene.put(indoor.looking_glass(dice), walls.hang(left, 2.2, 0.7), casts=False)


def build(dice: Dice) -> Scene:
    """The scene."""
    width, depth = dice.between(5.6, 7.6), dice.between(7.0, 8.5)
    walls, half = Walls(width, depth, depth / 2 - 1.2), width / 2
    scene = Scene(_camera(dice), lamplight(dice))
    _shell(scene, dice, walls)
    scene.put(indoor.rug(dice, dice.between(2.4, 3.4), dice.between(2.0, 2.6)), place(0, 0.01, 3.4), casts=False)
    left, right = dice.shuffled(("left", "right"))
    _walls(scene, dice, walls, left, right)
    _seats(scene, dice)
    corner = half - 0.45
    scene.put(indoor.floor_lamp(dice), place(corner if right == "right" else -corner, 0, walls.z1 - 0.45))
    pot = place(-corner if right == "right" else corner, 0, walls.z1 - 0.5)
    scene.put(indoor.pot_plant(dice, dice.between(1.2, 2.0)), pot)
    scene.put(indoor.basket(dice), place(dice.between(-2, 2), 0, 2.2))
    scene.put(indoor.suitcase(dice), place(dice.sign() * (half - 0.6), 0, 2.2, turn=dice.between(0, 6)))
    if dice.chance(0.5):
        spin = place(0, HIGH, 2.6)
        scene.act(indoor.fan(dice), lambda t: [spin, chain(spin, place(turn=2.5 * t))], casts=False)
    prowl = round_trip(dice.between(-1, 1), 2.0, 1.2, 0.45, 0.5 * dice.sign(), dice.between(0, 6))
    life.beast(scene, dice, "cat", prowl)
    life.walker(scene, dice, round_trip(0, 3.6, half - 0.9, 2.0, 0.8 * dice.sign(), dice.between(0.6, 2.4)))
    life.odd(scene, dice, dice.sign() * (half - 0.7), 4.4, 0.6)
    return scene
