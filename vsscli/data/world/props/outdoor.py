"""What stands about outdoors: lamps, signs, benches, tents, games."""

import math

from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import (
    Matrix,
    ball,
    box,
    chain,
    disc,
    frustum,
    moved,
    place,
    polygon,
    prism,
    rod,
    shifted,
    tube,
)
from vsscli.data.world.mesh import Brush, Mesh
from vsscli.data.world.paint import BLACK, CLOTH, LACQUER, STEEL, STONY, WHITE, WOODEN, coat, glow, near, scaled, water
from vsscli.data.world.textures import Texture


def street_lamp(side: float = 1.0) -> Mesh:
    """A mast (pole) with an arm to ``side`` and a head (lamp)."""
    mast = coat("pole", (96, 104, 108))
    mesh = Mesh().add(tube(0.11, 0.07, 6.2, 7), mast).add(rod((0, 6.1, 0), (side * 1.7, 6.5, 0), 0.05, 5), mast)
    return mesh.add(shifted(box(0.75, 0.16, 0.3), side * 1.8, 6.4), coat("lamp", (214, 214, 204)))


def park_lamp() -> Mesh:
    """A low lantern (pole and lamp)."""
    mesh = Mesh().add(tube(0.09, 0.06, 3.2, 7), coat("pole", (52, 66, 60)))
    mesh.add(shifted(ball(0.26, 5, 8), y=3.4), coat("lamp", (250, 240, 208)))
    return mesh.add(shifted(tube(0.3, 0.04, 0.2, 8), y=3.58), coat("lamp", BLACK))


def traffic_light(arm: float, light: int) -> Mesh:
    """Mast (pole) with a signal (traffic_light) at the end of an arm and one below; looks towards -z."""
    mast, mesh = coat("pole", (90, 94, 98)), Mesh()
    mesh.add(tube(0.12, 0.09, 5.6, 7), mast).add(rod((0, 5.4, 0), (arm, 5.5, 0), 0.07, 5), mast)
    lamps = ((226, 52, 44), (240, 176, 52), (70, 210, 110))
    for x, y in ((arm, 4.9), (0.0, 2.5)):
        mesh.add(shifted(box(0.42, 1.15, 0.34), x, y), coat("traffic_light", (38, 42, 40)))
        for i, color in enumerate(lamps):
            look = glow("traffic_light", color) if i == light else coat("traffic_light", scaled(color, 0.25))
            mesh.add(shifted(box(0.26, 0.26, 0.1), x, y + 0.8 - 0.36 * i, -0.17), look)
    return mesh


def bench(dice: Dice) -> Mesh:
    """Slats on two feet; looks towards -z."""
    wood = coat("bench", near(WOODEN, dice), Texture.PLANKS, 0.5, 0.7)
    mesh = Mesh()
    for x in (-0.7, 0.7):
        mesh.add(shifted(box(0.08, 0.45, 0.45), x), coat("bench", (70, 74, 76)))
        mesh.add(shifted(box(0.08, 0.5, 0.08), x, 0.42, 0.22), coat("bench", (70, 74, 76)))
    mesh.add(shifted(box(1.8, 0.07, 0.48), y=0.44), wood)
    return mesh.add(moved(box(1.8, 0.42, 0.06), place(0, 0.55, 0.22, tilt=0.15)), wood)


def trash_can(dice: Dice) -> Mesh:
    """A round bin."""
    color = near(dice.pick(((70, 110, 84), (92, 96, 102), (160, 80, 50))), dice)
    mesh = Mesh().add(tube(0.26, 0.32, 0.85, 10), coat("trash_can", color, Texture.STRIPES, 0.4, 0.85))
    return mesh.add(shifted(tube(0.35, 0.3, 0.1, 10), y=0.85), coat("trash_can", BLACK))


def billboard(dice: Dice, width: float = 5.0, height: float = 2.8) -> Mesh:
    """A large board on two legs; looks towards -z."""
    what = "billboard_or_Bulletin_Board"
    mesh = Mesh()
    for x in (-width * 0.3, width * 0.3):
        mesh.add(shifted(tube(0.12, 0.12, 2.6, 6), x), coat("pole", STEEL))
    mesh.add(shifted(box(width, height, 0.2), y=2.4), coat(what, WHITE))
    back = dice.pick(CLOTH)
    mesh.add(
        shifted(box(width * 0.95, height * 0.9, 0.1), y=2.4 + height * 0.05, z=-0.08),
        coat(what, back, Texture.PATCHES, 3),
    )
    sun = moved(disc(height * 0.28, 14), place(-width * 0.2, 2.4 + height * 0.55, -0.2, turn=math.pi / 2))
    mesh.add(sun, coat(what, near(dice.pick(CLOTH), dice)))
    for i in range(3):
        line = box(width * (0.4 - 0.07 * i), height * 0.09, 0.06)
        mesh.add(
            shifted(line, width * 0.2, 2.4 + height * (0.62 - 0.18 * i), -0.16),
            coat(what, WHITE if sum(back) < 420 else BLACK),
        )
    return mesh


def sign(dice: Dice) -> Mesh:
    """A round or triangular sign on a post (pole and billboard)."""
    what = "billboard_or_Bulletin_Board"
    mesh = Mesh().add(tube(0.05, 0.05, 2.3, 6), coat("pole", STEEL))
    plate = disc(0.36, dice.pick((3, 8, 16)))
    mesh.add(moved(plate, place(0, 2.4, -0.07, turn=math.pi / 2)), coat(what, (204, 48, 44)))
    inside = moved(disc(0.25, 12), place(0, 2.4, -0.1, turn=math.pi / 2))
    return mesh.add(inside, coat(what, dice.pick((WHITE, (50, 90, 170)))))


def roadblock(dice: Dice) -> Mesh:
    """A barrier with red and white stripes, or a cone."""
    mesh = Mesh()
    if dice.chance(0.5):
        mesh.add(box(0.5, 0.06, 0.5), coat("roadblock", BLACK))
        for i in range(4):
            r = 0.19 - 0.045 * i
            color = (236, 100, 40) if i % 2 == 0 else WHITE
            mesh.add(shifted(tube(r, r - 0.045, 0.18, 9), y=0.06 + 0.18 * i), coat("roadblock", color))
        return mesh
    for x in (-0.7, 0.7):
        mesh.add(shifted(box(0.08, 1.0, 0.5, 0.4), x), coat("roadblock", STEEL))
    stripes = Brush("roadblock", (214, 50, 44), WHITE, Texture.STRIPES, 1.2)
    return mesh.add(shifted(box(1.7, 0.3, 0.05), y=0.7), stripes).add(shifted(box(1.7, 0.22, 0.05), y=0.35), stripes)


def parasol(dice: Dice) -> Mesh:
    """An open sunshade."""
    what = "parasol_or_umbrella"
    cloth = Brush(what, near(dice.pick(CLOTH), dice), WHITE, Texture.STRIPES, 1.6)
    mesh = Mesh().add(tube(0.03, 0.03, 2.3, 5), coat(what, WHITE))
    return mesh.add(shifted(tube(1.4, 0.05, 0.55, 10, top=False), y=1.85), cloth)


def umbrella(dice: Dice) -> Mesh:
    """An umbrella to carry; the hand is at (0, 0, 0)."""
    what = "parasol_or_umbrella"
    mesh = Mesh().add(tube(0.015, 0.015, 0.9, 4), coat(what, BLACK))
    return mesh.add(shifted(tube(0.62, 0.04, 0.3, 10, top=False), y=0.7), coat(what, near(dice.pick(CLOTH), dice)))


def tent(dice: Dice) -> Mesh:
    """A ridge tent; its door looks towards -z."""
    cloth = near(dice.pick(((224, 150, 60), (196, 70, 56), (80, 130, 120), (110, 130, 70))), dice)
    mesh = Mesh().add(
        moved(prism([(-1.25, 0), (0, 1.6), (1.25, 0)], 3.0), place(turn=math.pi / 2)),
        coat("tent", cloth, Texture.WEAVE, 1, 0.85),
    )
    return mesh.add(polygon((-0.45, 0, -1.53), (0, 1.25, -1.53), (0.45, 0, -1.53)), coat("tent", scaled(cloth, 0.35)))


def flag(dice: Dice, height: float = 6.5) -> list[Mesh]:
    """A mast (pole) and five strips of cloth (flag) that `waving` moves."""
    colors = [near(c, dice) for c in dice.shuffled((*LACQUER[:3], LACQUER[5], LACQUER[6]))[:3]]
    mast = Mesh().add(tube(0.07, 0.05, height, 6), coat("pole", (222, 222, 218)))
    strip = Mesh()
    for i in range(3):
        low = 0.45 * i
        part = polygon((0, low, 0), (0.46, low, 0), (0.46, low + 0.45, 0), (0, low + 0.45, 0))
        strip.add(part, coat("flag", colors[i]))
    return [mast, *[strip] * 5]


def waving(at: Matrix, time: float, phase: float, height: float = 6.5) -> list[Matrix]:
    """Places of the parts of a `flag`."""
    result, link = [at], chain(at, place(0.05, height - 1.5, 0))
    for i in range(5):
        link = chain(link, place(0.45 if i else 0.0, 0, 0, turn=0.45 * sin(4.2 * time - 1.1 * i + phase)))
        result.append(link)
    return result


def slide(dice: Dice) -> Mesh:
    """A playground slide with steps (Playground_slide)."""
    what = "Playground_slide"
    color = near(dice.pick(((226, 70, 56), (240, 186, 50), (60, 130, 190))), dice)
    mesh = Mesh().add(moved(box(0.7, 0.08, 3.0), place(0, 0.95, 1.2, tilt=0.62)), coat(what, color))
    for x in (-0.36, 0.36):
        mesh.add(moved(box(0.06, 0.28, 3.0), place(x, 0.97, 1.2, tilt=0.62)), coat(what, scaled(color, 0.8)))
        mesh.add(shifted(box(0.08, 2.7, 0.08), x, 0, -0.1), coat(what, STEEL))
        mesh.add(rod((x, 0, -1.2), (x, 1.8, -0.3), 0.05, 5), coat(what, STEEL))
    for i in range(5):
        mesh.add(shifted(box(0.7, 0.06, 0.2), 0, 0.3 + 0.34 * i, -1.05 + 0.17 * i), coat(what, STEEL))
    mesh.add(shifted(box(0.8, 0.08, 0.6), 0, 1.78, -0.2), coat(what, color))
    return mesh.add(shifted(tube(0.75, 0.05, 0.7, 4), 0, 2.7, -0.2), coat(what, near(dice.pick(CLOTH), dice)))


def goal() -> Mesh:
    """A football goal (goal) with its net (ball_net); opens towards -z."""
    white, mesh = coat("goal", WHITE), Mesh()
    for x in (-3.66, 3.66):
        mesh.add(shifted(box(0.14, 2.5, 0.14), x), white)
        mesh.add(rod((x, 0, 1.8), (x, 2.44, 0.6), 0.05, 4), white).add(
            rod((x, 2.44, 0.6), (x, 2.44, 0), 0.05, 4), white
        )
    mesh.add(shifted(box(7.46, 0.14, 0.14), y=2.44), white)
    net = Brush("ball_net", (188, 204, 184), (120, 156, 104), Texture.CHECKS, 0.36)
    return mesh.add(polygon((-3.6, 0, 1.8), (3.6, 0, 1.8), (3.6, 2.4, 0.65), (-3.6, 2.4, 0.65)), net)


def hoop(dice: Dice) -> Mesh:
    """A basketball hoop: pole, backboard, net. Looks towards -z."""
    mesh = Mesh().add(tube(0.1, 0.1, 3.4, 7), coat("pole", STEEL))
    mesh.add(shifted(box(1.8, 1.1, 0.06), 0, 2.9, -0.6), coat("backboard", WHITE))
    mesh.add(shifted(box(0.6, 0.45, 0.04), 0, 3.0, -0.64), coat("backboard", near((206, 60, 50), dice)))
    mesh.add(rod((0, 3.2, 0), (0, 3.2, -0.6), 0.06, 4), coat("pole", STEEL))
    return mesh.add(
        shifted(tube(0.15, 0.25, 0.45, 8, top=False), 0, 2.6, -0.9), coat("ball_net", WHITE, Texture.CHECKS, 0.3, 0.6)
    )


def ball_of(dice: Dice, radius: float = 0.12) -> Mesh:
    """A ball."""
    color = near(dice.pick((WHITE, (226, 110, 50), (224, 70, 80), (240, 200, 60))), dice)
    return Mesh().add(ball(radius, 6, 9), Brush("ball", color, scaled(color, 0.35), Texture.CHECKS, radius * 4))


def sculpture(dice: Dice) -> Mesh:
    """Something modern on a plinth (sculpture; the plinth too)."""
    bronze = coat(
        "sculpture", near(dice.pick(((104, 130, 110), (150, 108, 66), (206, 204, 198))), dice), Texture.PATCHES, 1.5
    )
    mesh = Mesh().add(box(1.4, 1.1, 1.4, 0.9), coat("sculpture", STONY, Texture.ROCK, 2, 0.7))
    if dice.chance(0.5):
        mesh.add(moved(disc(0.95, 20, 0.6), place(0, 2.05, 0, turn=0.9)), bronze)
        mesh.add(moved(disc(0.95, 20, 0.6), place(0.04, 2.05, 0.05, turn=0.9)), bronze)
        return mesh.add(shifted(ball(0.35, 6, 9), y=2.05), bronze)
    y = 1.1
    for i in range(4):
        mesh.add(moved(box(0.8 - 0.13 * i, 0.7, 0.6 - 0.1 * i, 0.8), place(0, y, 0, turn=0.5 * i)), bronze)
        y += 0.7
    return mesh


def basin(dice: Dice, radius: float) -> Mesh:
    """A round fountain: rim and column (stone), water inside (water)."""
    stone = coat("stone", near(STONY, dice), Texture.PAVING, 2, 0.8)
    mesh = (
        Mesh()
        .add(tube(radius, radius, 0.55, 24, top=False), stone)
        .add(tube(radius - 0.35, radius - 0.35, 0.55, 24, top=False), stone)
    )
    rim = moved(disc(radius, 24, radius - 0.35), place(0, 0.55, 0, roll=math.pi / 2))
    mesh.add(rim, coat("stone", scaled(STONY, 1.1)))
    liquid = water("water")
    flat = moved(disc(radius - 0.33, 24), place(0, 0.4, 0, roll=math.pi / 2))
    mesh.add(flat, Brush("water", liquid.light, liquid.dark, Texture.WAVES, 3, liquid.kind ^ 1, False, (0.1, 0.1)))
    mesh.add(tube(0.4, 0.25, 1.5, 10), stone).add(shifted(tube(0.3, 1.1, 0.3, 14), y=1.5), stone)
    spray = Brush("water", (206, 224, 230), (150, 186, 200), Texture.FALLS, 1.2, flow=(0.0, -1.8))
    mesh.add(shifted(tube(0.05, 0.16, 0.9, 8), y=1.8), spray)
    return mesh.add(shifted(tube(1.25, 1.05, 1.35, 14, top=False), y=0.4), spray)


def well(dice: Dice) -> Mesh:
    """A draw well with a small roof (well_or_well_lid)."""
    what = "well_or_well_lid"
    mesh = Mesh().add(tube(0.8, 0.8, 0.85, 12, top=False), coat(what, near(STONY, dice), Texture.BRICKS, 1.2, 0.65))
    mesh.add(shifted(tube(0.7, 0.7, 0.02, 12), y=0.6), coat(what, (30, 40, 46)))
    for x in (-0.7, 0.7):
        mesh.add(shifted(box(0.12, 2.0, 0.12), x), coat(what, WOODEN))
    return mesh.add(
        shifted(prism([(-0.8, 1.9), (0, 2.6), (0.8, 1.9)], 2.0), 0), coat(what, (120, 70, 54), Texture.SHINGLES, 1.2)
    )


def barrel(dice: Dice) -> Mesh:
    """A wooden cask."""
    wood = coat("barrel", near(WOODEN, dice), Texture.PLANKS, 0.8, 0.7)
    mesh = (
        Mesh().add(tube(0.26, 0.33, 0.42, 10, top=False), wood).add(shifted(tube(0.33, 0.26, 0.42, 10), y=0.42), wood)
    )
    return mesh.add(shifted(tube(0.34, 0.34, 0.06, 10), y=0.4), coat("barrel", (84, 84, 86)))


def crate(dice: Dice, size: float = 0.6) -> Mesh:
    """A wooden or a paper box."""
    wood = coat(
        "box", near(dice.pick((WOODEN, (190, 150, 106))), dice), dice.pick((Texture.PLANKS, Texture.PLAIN)), 0.8, 0.75
    )
    return (
        Mesh()
        .add(box(size, size * 0.85, size), wood)
        .add(shifted(box(size * 1.02, 0.05, size * 0.2), y=size * 0.83), coat("box", (214, 190, 150)))
    )


def tyres(dice: Dice) -> Mesh:
    """A stack of tyres (tyre)."""
    mesh = Mesh()
    for i in range(dice.whole(2, 4)):
        x, z = dice.between(-0.06, 0.06), dice.between(-0.06, 0.06)
        for radius, color in ((0.36, BLACK), (0.2, scaled(BLACK, 0.5))):
            mesh.add(
                shifted(tube(radius, radius, 0.22, 12), x, 0.23 * i + (0.005 if radius < 0.3 else 0), z),
                coat("tyre", color),
            )
    return mesh


def oddity(dice: Dice) -> Mesh:
    """Something that no class names (others): a pile of coloured solids."""
    mesh, y = Mesh(), 0.0
    for _ in range(dice.whole(2, 3)):
        size, color = dice.between(0.28, 0.5), near(dice.pick(BRIGHT), dice)
        if dice.chance(0.5):
            mesh.add(
                moved(ball(size, 3, 5, 0.1, dice.whole(0, 99)), place(0, y + size * 0.9, 0)), coat("others", color)
            )
            y += size * 1.7
        else:
            mesh.add(
                moved(frustum(size * 1.6, size * 1.6, size, size, size), place(0, y, 0, turn=y)),
                coat("others", color, Texture.CHECKS, 1),
            )
            y += size
    return mesh


BRIGHT = ((230, 64, 140), (70, 220, 190), (250, 200, 40), (120, 90, 230), (250, 120, 40))
