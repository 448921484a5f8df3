"""Furniture and what stands on it. Things look towards -z and stand on height 0 unless told otherwise."""

import math

from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import ball, box, disc, frustum, moved, place, rod, shifted, tube
from vsscli.data.world.mesh import Brush, Color, Mesh
from vsscli.data.world.paint import BLACK, BLOSSOMS, CLOTH, LEAVES, STEEL, WHITE, WOODEN, coat, glow, near, scaled
from vsscli.data.world.textures import Texture

WOODS = (WOODEN, (110, 72, 46), (196, 156, 108), (226, 220, 208))


def _wood(what: str, dice: Dice, tile: float = 1.0) -> Brush:
    return coat(what, near(dice.pick(WOODS), dice), Texture.PLANKS, tile, 0.75)


def table(dice: Dice, width: float = 1.6, depth: float = 0.9, height: float = 0.75) -> Mesh:
    """A table with four legs (table_or_desk)."""
    wood, mesh = _wood("table_or_desk", dice), Mesh()
    mesh.add(shifted(box(width, 0.06, depth), y=height - 0.06), wood)
    for x in (-1, 1):
        for z in (-1, 1):
            mesh.add(shifted(box(0.07, height, 0.07), x * (width / 2 - 0.08), 0, z * (depth / 2 - 0.08)), wood)
    return mesh


def chair(dice: Dice) -> Mesh:
    """A chair (chair_or_seat)."""
    wood, mesh = _wood("chair_or_seat", dice), Mesh()
    mesh.add(shifted(box(0.45, 0.06, 0.45), y=0.43), coat("chair_or_seat", near(dice.pick(CLOTH), dice)))
    for x in (-0.2, 0.2):
        mesh.add(shifted(box(0.05, 0.43, 0.05), x, 0, -0.2), wood).add(shifted(box(0.05, 0.95, 0.05), x, 0, 0.2), wood)
    return mesh.add(shifted(box(0.42, 0.2, 0.04), 0, 0.72, 0.2), wood).add(
        shifted(box(0.42, 0.07, 0.04), 0, 0.58, 0.2), wood
    )


def sofa(dice: Dice, width: float = 2.0) -> Mesh:
    """A sofa (sofa) with two cushions (pillow)."""
    cloth = near(dice.pick(CLOTH), dice)
    body, seat = (
        coat("sofa", cloth, Texture.WEAVE, 0.4, 0.85),
        coat("sofa", scaled(cloth, 1.1), Texture.WEAVE, 0.4, 0.88),
    )
    mesh = (
        Mesh()
        .add(shifted(box(width, 0.3, 0.9), y=0.1), body)
        .add(shifted(box(width, 0.85, 0.25, 0.95), y=0.1, z=0.38), body)
    )
    for side in (-1, 1):
        mesh.add(shifted(box(0.22, 0.55, 0.9), side * (width / 2 - 0.05), 0.1), body)
        mesh.add(shifted(box(width / 2 - 0.2, 0.16, 0.65), side * (width / 4 - 0.05), 0.38, -0.1), seat)
        pillow = coat("pillow", near(dice.pick(CLOTH), dice), Texture.CHECKS, 0.3, 0.85)
        at = place(side * width * 0.3, 0.55, 0.15, tilt=0.3)
        mesh.add(moved(box(0.42, 0.38, 0.14, 0.9), at), pillow)
    return mesh


def bed(dice: Dice) -> Mesh:
    """A bed with blanket (bed) and pillows (pillow); the head is at +z."""
    cloth = coat(
        "bed", near(dice.pick(CLOTH), dice), dice.pick((Texture.CHECKS, Texture.STRIPES, Texture.WEAVE)), 0.8, 0.85
    )
    wood = _wood("bed", dice)
    mesh = Mesh().add(shifted(box(1.7, 0.3, 2.1), y=0.12), wood).add(shifted(box(1.75, 0.95, 0.08), z=1.05), wood)
    mesh.add(shifted(box(1.62, 0.2, 2.05, 0.97), y=0.4), coat("bed", WHITE)).add(
        shifted(box(1.7, 0.23, 1.4, 0.97), y=0.4, z=-0.35), cloth
    )
    for x in (-0.4, 0.4):
        mesh.add(
            moved(box(0.62, 0.16, 0.42, 0.8), place(x, 0.6, 0.72, tilt=-0.2)),
            coat("pillow", WHITE, Texture.WEAVE, 0.5, 0.92),
        )
    return mesh


def bookcase(dice: Dice, width: float = 1.2, height: float = 2.0) -> Mesh:
    """Boards (shelf) full of books (book)."""
    wood, mesh = _wood("shelf", dice), Mesh()
    mesh.add(shifted(box(width, height, 0.04), z=0.16), wood)
    for x in (-width / 2, width / 2):
        mesh.add(shifted(box(0.05, height, 0.36), x), wood)
    boards = 5
    for i in range(boards + 1):
        mesh.add(shifted(box(width, 0.04, 0.36), y=i * (height - 0.04) / boards), wood)
    colors: tuple[tuple[Color, Color], ...] = (
        ((190, 80, 60), (40, 60, 100)),
        ((70, 110, 100), (190, 160, 100)),
        ((210, 180, 120), (120, 50, 50)),
    )
    for i in range(boards):
        light, dark = dice.pick(colors)
        y, full = i * (height - 0.04) / boards + 0.04, dice.between(0.55, 0.97)
        row = shifted(box(width * full - 0.06, height / boards * 0.72, 0.24), -width * (1 - full) / 2, y, 0)
        mesh.add(row, Brush("book", light, dark, Texture.BOOKS, 1.0, fit=False))
    return mesh


def cupboard(dice: Dice, width: float = 1.4, height: float = 0.8) -> Mesh:
    """A sideboard or a wardrobe with doors."""
    what = "cupboard_or_showcase_or_storage_rack"
    wood, mesh = near(dice.pick(WOODS), dice), Mesh()
    mesh.add(box(width, height, 0.5), coat(what, wood, Texture.PLANKS, 1.4, 0.8))
    doors = max(2, round(width / 0.5))
    for i in range(doors):
        x = (i + 0.5) * width / doors - width / 2
        mesh.add(
            shifted(box(width / doors - 0.06, height - 0.12, 0.02), x, 0.06, -0.255),
            coat(what, scaled(wood, 1.12), Texture.PLANKS, 1, 0.85),
        )
        mesh.add(shifted(box(0.03, 0.12, 0.03), x + 0.15, height * 0.5, -0.28), coat(what, STEEL))
    return mesh


def floor_lamp(dice: Dice) -> Mesh:
    """A standard lamp (lamp)."""
    mesh = (
        Mesh().add(tube(0.16, 0.14, 0.03, 10), coat("lamp", BLACK)).add(tube(0.02, 0.02, 1.5, 5), coat("lamp", BLACK))
    )
    return mesh.add(shifted(tube(0.26, 0.16, 0.32, 12), y=1.42), glow("lamp", near((252, 226, 170), dice)))


def hanging_lamp(dice: Dice, drop: float = 0.8) -> Mesh:
    """A lamp that hangs from height 0 downwards (lamp)."""
    mesh = Mesh().add(rod((0, 0, 0), (0, -drop, 0), 0.012, 4), coat("lamp", BLACK))
    mesh.add(shifted(tube(0.3, 0.05, 0.22, 12), y=-drop - 0.15), coat("lamp", near(dice.pick(CLOTH), dice)))
    return mesh.add(shifted(ball(0.1, 4, 8), y=-drop - 0.14), glow("lamp", (255, 244, 206)))


def screen(dice: Dice, width: float = 1.2) -> Mesh:
    """A television on a foot (screen_or_television)."""
    what = "screen_or_television"
    mesh = Mesh().add(box(0.5, 0.04, 0.25), coat(what, BLACK)).add(box(0.1, 0.12, 0.06), coat(what, BLACK))
    mesh.add(shifted(box(width, width * 0.58, 0.06), y=0.1), coat(what, BLACK))
    color = dice.pick(((90, 150, 190), (196, 120, 80), (90, 160, 110)))
    view = Brush(what, color, scaled(color, 0.3), Texture.PATCHES, width, glow(what, color).kind, flow=(0.3, 0.1))
    return mesh.add(shifted(box(width * 0.95, width * 0.53, 0.01), 0, 0.1 + width * 0.025, -0.04), view)


def laptop(dice: Dice) -> Mesh:
    """A laptop (computer) with its keys (keyboard)."""
    gray = coat("computer", near(STEEL, dice))
    mesh = (
        Mesh()
        .add(box(0.36, 0.02, 0.26), gray)
        .add(moved(box(0.36, 0.25, 0.015), place(0, 0.015, 0.13, tilt=0.25)), gray)
    )
    mesh.add(moved(box(0.33, 0.21, 0.005), place(0, 0.035, 0.12, tilt=0.25)), glow("computer", (150, 190, 220)))
    return mesh.add(shifted(box(0.3, 0.01, 0.12), y=0.02, z=0.02), coat("keyboard", BLACK, Texture.CHECKS, 0.08, 1.6))


def picture(dice: Dice, width: float, height: float) -> Mesh:
    """A painting in a frame, to hang on a wall at z = 0 (painting_or_poster)."""
    what = "painting_or_poster"
    mesh = Mesh().add(shifted(box(width, height, 0.05), z=-0.03), coat(what, near(dice.pick(WOODS), dice)))
    mesh.add(
        shifted(box(width - 0.1, height - 0.1, 0.02), y=0.05, z=-0.06),
        coat(what, dice.pick(CLOTH), Texture.PATCHES, width, 0.4),
    )
    mesh.add(
        shifted(box(width - 0.1, height * 0.3, 0.02), y=0.05, z=-0.07),
        coat(what, dice.pick(LEAVES), Texture.PATCHES, width, 0.6),
    )
    sun = moved(disc(height * 0.12, 12), place(width * 0.15, height * 0.68, -0.085, turn=math.pi / 2))
    return mesh.add(sun, coat(what, (240, 200, 110)))


def wall_clock() -> Mesh:
    """A round clock at z = 0 (clock)."""
    mesh = Mesh()
    for radius, z, color in ((0.2, -0.03, BLACK), (0.175, -0.04, WHITE)):
        mesh.add(moved(disc(radius, 20), place(0, 0, z, turn=math.pi / 2)), coat("clock", color))
    mesh.add(moved(box(0.02, 0.14, 0.005), place(0, 0, -0.05)), coat("clock", BLACK))
    return mesh.add(moved(box(0.02, 0.1, 0.005), place(0, 0, -0.05, roll=-1.2)), coat("clock", BLACK))


def looking_glass(dice: Dice) -> Mesh:
    """A mirror at z = 0 (mirror)."""
    mesh = Mesh().add(shifted(box(0.7, 1.2, 0.04), z=-0.02), coat("mirror", near(dice.pick(WOODS), dice)))
    return mesh.add(
        shifted(box(0.6, 1.1, 0.02), y=0.05, z=-0.045), coat("mirror", (196, 208, 214), Texture.PATCHES, 4, 0.8)
    )


def curtain(dice: Dice, width: float, height: float) -> Mesh:
    """Cloth in folds at z = 0 (curtain)."""
    cloth, mesh = near(dice.pick(CLOTH), dice), Mesh()
    folds = max(3, round(width / 0.12))
    for i in range(folds):
        x = (i + 0.5) * width / folds - width / 2
        bright = 1.0 if i % 2 else 0.86
        mesh.add(
            shifted(box(width / folds, height, 0.05 + 0.04 * (i % 2)), x, 0, -0.06),
            coat("curtain", scaled(cloth, bright), Texture.WEAVE, 0.5, 0.9),
        )
    return mesh


def rug(dice: Dice, width: float, depth: float) -> Mesh:
    """A rug (cushion_or_carpet), 1 cm high."""
    what, color = "cushion_or_carpet", near(dice.pick(CLOTH), dice)
    mesh = Mesh().add(box(width, 0.01, depth), coat(what, color, Texture.WEAVE, 0.5, 0.8))
    pattern = Brush(
        what, scaled(color, 1.2), scaled(dice.pick(CLOTH), 0.8), dice.pick((Texture.STRIPES, Texture.CHECKS)), 0.8
    )
    return mesh.add(shifted(box(width * 0.85, 0.005, depth * 0.8), y=0.01), pattern)


def pot_plant(dice: Dice, size: float = 1.0) -> Mesh:
    """A pot (flower_pot_or_vase) with leaves (other_plant)."""
    mesh = Mesh().add(
        tube(0.13 * size, 0.18 * size, 0.3 * size, 10), coat("flower_pot_or_vase", near((190, 110, 78), dice))
    )
    for i in range(9):
        green = coat("other_plant", near(dice.pick(LEAVES), dice, 0.15), Texture.LEAVES, 0.5, 0.6)
        blade = frustum(0.03 * size, 0.02 * size, 0.13 * size, 0.02 * size, 0.55 * size)
        mesh.add(moved(blade, place(0, 0.27 * size, 0, turn=0.7 * i, tilt=0.25 + 0.35 * dice.unit())), green)
    return mesh


def vase(dice: Dice) -> Mesh:
    """A vase (flower_pot_or_vase) of flowers (flower)."""
    what = "flower_pot_or_vase"
    glaze = coat(what, near(dice.pick(CLOTH), dice))
    mesh = (
        Mesh().add(tube(0.05, 0.09, 0.12, 9, top=False), glaze).add(shifted(tube(0.09, 0.04, 0.12, 9), y=0.12), glaze)
    )
    for i in range(7):
        x, z, y = dice.between(-0.11, 0.11), dice.between(-0.11, 0.11), dice.between(0.32, 0.44)
        mesh.add(rod((0, 0.22, 0), (x, y, z), 0.008, 4), coat("flower", (90, 130, 70)))
        mesh.add(shifted(ball(0.045, 4, 7), x, y, z), coat("flower", near(BLOSSOMS[i % 2], dice)))
    return mesh


def bottle(dice: Dice) -> Mesh:
    """A bottle (bottle_or_cup)."""
    glass = coat("bottle_or_cup", near(dice.pick(((60, 110, 70), (120, 70, 40), (120, 160, 190))), dice))
    mesh = (
        Mesh()
        .add(tube(0.045, 0.045, 0.19, 9, top=False), glass)
        .add(shifted(tube(0.045, 0.016, 0.05, 9), y=0.19), glass)
    )
    return mesh.add(shifted(tube(0.016, 0.016, 0.07, 7), y=0.24), glass).add(
        shifted(tube(0.046, 0.046, 0.07, 9), y=0.06), coat("bottle_or_cup", WHITE)
    )


def cup(dice: Dice) -> Mesh:
    """A cup (bottle_or_cup)."""
    return Mesh().add(tube(0.035, 0.045, 0.09, 9), coat("bottle_or_cup", near(dice.pick(CLOTH), dice)))


def fruit_plate(dice: Dice) -> Mesh:
    """A plate (plate) with fruit (fruit)."""
    mesh = Mesh().add(tube(0.1, 0.17, 0.03, 14), coat("plate", WHITE))
    for i in range(5):
        color: Color = dice.pick(((206, 50, 46), (240, 160, 50), (130, 170, 60), (240, 210, 70)))
        x, z = 0.08 * math.cos(1.26 * i), 0.08 * math.sin(1.26 * i)
        mesh.add(shifted(ball(0.045, 5, 8), round(x, 9), 0.07, round(z, 9)), coat("fruit", near(color, dice)))
    return mesh


def fan(dice: Dice) -> list[Mesh]:
    """A ceiling fan: rod, and blades that turn about y (fan)."""
    brush = coat("fan", near(dice.pick(WOODS), dice), Texture.PLANKS, 0.8, 0.8)
    hub = (
        Mesh()
        .add(rod((0, 0, 0), (0, -0.4, 0), 0.025, 5), coat("fan", STEEL))
        .add(shifted(tube(0.1, 0.1, 0.12, 9), y=-0.5), coat("fan", STEEL))
    )
    blades = Mesh()
    for i in range(4):
        blades.add(moved(shifted(box(0.15, 0.02, 0.6), z=0.4), place(0, -0.45, 0, turn=i * math.pi / 2)), brush)
    return [hub, blades]


def doorway(dice: Dice) -> Mesh:
    """A closed door with its frame, in a wall at z = 0 (door)."""
    wood = near(dice.pick(WOODS), dice)
    mesh = Mesh().add(shifted(box(1.06, 2.12, 0.06), z=-0.02), coat("door", scaled(wood, 0.8)))
    mesh.add(shifted(box(0.9, 2.03, 0.06), z=-0.04), coat("door", wood, Texture.PLANKS, 1.2, 0.85))
    for y in (0.2, 1.1):
        mesh.add(shifted(box(0.62, 0.75, 0.02), y=y, z=-0.08), coat("door", scaled(wood, 0.92)))
    return mesh.add(shifted(ball(0.035, 4, 7), -0.36, 1.02, -0.1), coat("door", STEEL))


def pane(dice: Dice, width: float, height: float, sky: Color) -> Mesh:
    """A window in a wall at z = 0: frame, bars and bright panes (window)."""
    mesh = Mesh().add(shifted(box(width + 0.16, height + 0.16, 0.06), y=-0.08, z=-0.02), coat("window", WHITE))
    mesh.add(
        shifted(box(width, height * 0.62, 0.02), y=height * 0.38, z=-0.05),
        Brush("window", sky, WHITE, Texture.CLOUDS, 2, glow("window", sky).kind),
    )
    mesh.add(
        shifted(box(width, height * 0.38, 0.02), z=-0.05),
        Brush("window", (110, 142, 84), (70, 104, 70), Texture.LEAVES, 1.2, glow("window", sky).kind),
    )
    for x in (-width / 4, 0.0, width / 4):
        mesh.add(shifted(box(0.04, height, 0.04), x, 0, -0.07), coat("window", WHITE))
    return mesh.add(shifted(box(width, 0.04, 0.04), y=height * 0.5, z=-0.07), coat("window", WHITE))


def suitcase(dice: Dice) -> Mesh:
    """A trolley case."""
    what = "traveling_case_or_trolley_case"
    mesh = Mesh().add(
        shifted(box(0.45, 0.65, 0.26), y=0.05), coat(what, near(dice.pick(CLOTH), dice), Texture.STRIPES, 0.3, 0.88)
    )
    for x in (-0.15, 0.15):
        mesh.add(shifted(box(0.02, 0.35, 0.02), x, 0.7, 0.08), coat(what, BLACK))
    return mesh.add(shifted(box(0.32, 0.03, 0.03), 0, 1.04, 0.08), coat(what, BLACK))


def basket(dice: Dice) -> Mesh:
    """A wicker basket."""
    return Mesh().add(tube(0.2, 0.27, 0.28, 12), coat("basket", near((190, 148, 92), dice), Texture.WEAVE, 0.25, 0.6))
