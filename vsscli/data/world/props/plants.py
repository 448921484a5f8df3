"""Trees, bushes, flowers, reeds, rocks."""

import math

from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import ball, box, moved, place, polygon, rod, shifted, tube
from vsscli.data.world.mesh import Brush, Color, Mesh
from vsscli.data.world.paint import BLOSSOMS, LEAVES, STONY, WOODEN, coat, near, scaled
from vsscli.data.world.textures import Texture


def _leaf(what: str, color: Color) -> Brush:
    return coat(what, color, Texture.LEAVES, 1.6, 0.5)


def _trunk(mesh: Mesh, dice: Dice, radius: float, height: float, color: Color = (112, 84, 58)) -> None:
    bark = coat("tree", near(color, dice), Texture.BARK, 0.8, 0.6)
    mesh.add(tube(radius * 1.25, radius * 0.75, height, 7, top=False), bark)


def round_tree(dice: Dice, color: Color) -> Mesh:
    """A broad tree of some leafy balls, 6 to 9 m."""
    mesh, height = Mesh(), dice.between(2.0, 3.0)
    _trunk(mesh, dice, 0.24, height + 1.5)
    for i in range(dice.whole(3, 5)):
        r = dice.between(1.2, 1.8) * (1.25 if i == 0 else 1.0)
        x, z = (0.0, 0.0) if i == 0 else (dice.between(-1.4, 1.4), dice.between(-1.4, 1.4))
        y = height + dice.between(1.4, 3.2) if i else height + 1.8
        leaves = ball(r, 5, 8, 0.14, dice.whole(0, 9999))
        mesh.add(moved(leaves, place(x, y, z, size=(1, 0.85, 1))), _leaf("tree", near(color, dice, 0.1)))
    return mesh


def conifer(dice: Dice, color: Color = (62, 104, 70)) -> Mesh:
    """A fir of stacked cones, 7 to 10 m."""
    mesh, height = Mesh(), dice.between(7, 10)
    _trunk(mesh, dice, 0.2, 2.0)
    shade = near(color, dice, 0.12)
    tiers = 4
    for i in range(tiers):
        y = 1.0 + (height - 3.2) * i / tiers
        r = 1.9 * (1 - 0.2 * i)
        brush = _leaf("tree", scaled(shade, 0.9 + 0.07 * i))
        mesh.add(moved(tube(r, 0.0, height * 0.4, 9), place(0, y, 0, turn=0.35 * i)), brush)
    return mesh


def poplar(dice: Dice, color: Color) -> Mesh:
    """A slender tree, about 11 m."""
    mesh = Mesh()
    _trunk(mesh, dice, 0.2, 3.0)
    crown = ball(1.0, 7, 8, 0.1, dice.whole(0, 9999))
    return mesh.add(moved(crown, place(0, 6.4, 0, size=(1.3, 4.6, 1.3))), _leaf("tree", color))


def palm(dice: Dice) -> Mesh:
    """A palm with bent leaves."""
    mesh, height, lean = Mesh(), dice.between(5, 7), dice.between(-0.8, 0.8)
    bark = coat("tree", (150, 120, 84), Texture.BARK, 0.6, 0.7)
    mesh.add(rod((0, 0, 0), (lean * 0.4, height * 0.5, 0), 0.18), bark)
    mesh.add(rod((lean * 0.4, height * 0.5, 0), (lean, height, 0), 0.14), bark)
    for i in range(9):
        leaf = [(0, 0, 0), (0.28, 0.35, 1.0), (0.2, 0.1, 1.9), (0, -0.6, 2.5), (-0.2, 0.1, 1.9), (-0.28, 0.35, 1.0)]
        side = polygon(*[(x, y, z) for x, y, z in leaf])
        green = coat("tree", near((96, 140, 62), dice, 0.15), Texture.GRASS, 1.0, 0.65)
        mesh.add(moved(side, place(lean, height, 0, turn=0.7 * i + dice.between(0, 0.3))), green)
    return mesh


def bush(dice: Dice, color: Color | None = None) -> Mesh:
    """A shrub of about 1 m (other_plant)."""
    mesh, leaf = Mesh(), color or dice.pick(LEAVES)
    for _ in range(dice.whole(2, 4)):
        lump = ball(dice.between(0.4, 0.65), 4, 7, 0.16, dice.whole(0, 9999))
        at = place(dice.between(-0.5, 0.5), 0.35, dice.between(-0.4, 0.4))
        mesh.add(moved(lump, at), coat("other_plant", near(leaf, dice), Texture.LEAVES, 1.0, 0.5))
    return mesh


def reeds(dice: Dice, count: int = 22) -> Mesh:
    """Tall blades in a tuft (other_plant)."""
    mesh = Mesh()
    for _ in range(count):
        x, z, h = dice.between(-0.8, 0.8), dice.between(-0.5, 0.5), dice.between(0.8, 1.7)
        bend = dice.between(-0.35, 0.35)
        blade = polygon((x - 0.05, 0, z), (x + 0.05, 0, z), (x + bend + 0.01, h, z + 0.1))
        mesh.add(blade, coat("other_plant", near((134, 150, 72), dice, 0.2)))
    return mesh


def flowers(dice: Dice, width: float = 1.2, depth: float = 0.8, count: int = 26) -> Mesh:
    """A patch of blossoms over leaves (flower)."""
    mesh, color = Mesh(), dice.pick(BLOSSOMS)
    mesh.add(box(width, 0.16, depth, 0.9), coat("flower", (86, 126, 58), Texture.LEAVES, 0.7, 0.5))
    for _ in range(count):
        x, z = dice.between(-0.5, 0.5) * width, dice.between(-0.5, 0.5) * depth
        head = ball(dice.between(0.06, 0.1), 2, 5)
        shade = near(color if dice.chance(0.75) else dice.pick(BLOSSOMS), dice)
        mesh.add(shifted(head, x, dice.between(0.18, 0.34), z), coat("flower", shade))
    return mesh


def rock(dice: Dice, size: float = 1.0) -> Mesh:
    """A boulder (stone)."""
    brush = coat("stone", near(STONY, dice, 0.15), Texture.ROCK, 1.6, 0.55)
    lump = ball(1.0, 5, 7, 0.22, dice.whole(0, 9999))
    shape = (size * dice.between(0.8, 1.4), size * dice.between(0.5, 0.9), size * dice.between(0.8, 1.3))
    return Mesh().add(moved(lump, place(0, 0.25 * size, 0, size=shape)), brush)


def log(dice: Dice, length: float = 3.0, radius: float = 0.25) -> Mesh:
    """A felled trunk along x (wood)."""
    bark = coat("wood", near(WOODEN, dice), Texture.BARK, 0.7, 0.6)
    return Mesh().add(rod((-length / 2, radius, 0), (length / 2, radius, 0), radius, 8), bark)


def log_pile(dice: Dice) -> Mesh:
    """Logs, three on two (wood)."""
    mesh = Mesh()
    for row in range(3):
        for i in range(4 - row):
            x, y = (i - (3 - row) / 2) * 0.52, 0.25 + 0.43 * row
            bark = coat("wood", near(WOODEN, dice, 0.15), Texture.BARK, 0.7, 0.6)
            mesh.add(rod((x, y, -1.5), (x, y, 1.5), 0.25, 8), bark)
            ends = coat("wood", near((214, 178, 126), dice))
            for z in (-1.51, 1.51):
                mesh.add(moved(tube(0.24, 0.24, 0.01, 8), place(x, y, z, tilt=math.pi / 2)), ends)
    return mesh


def grove(dice: Dice, color: Color, kinds: int = 3, firs: float = 0.3) -> list[Mesh]:
    """A few trees to plant again and again."""
    trees = []
    for _ in range(kinds):
        if dice.chance(firs):
            trees.append(conifer(dice))
        elif dice.chance(0.25):
            trees.append(poplar(dice, near(color, dice)))
        else:
            trees.append(round_tree(dice, near(color, dice)))
    return trees
