"""Colours by name, and brushes made of one colour."""

from vsscli.data.world.chance import Dice
from vsscli.data.world.mesh import Brush, Color, Kind
from vsscli.data.world.textures import Texture

WHITE = (238.0, 236.0, 230.0)
BLACK = (30.0, 31.0, 35.0)
GLASS = (52.0, 66.0, 82.0)
STEEL = (150.0, 155.0, 160.0)
WOODEN = (150.0, 108.0, 68.0)
STONY = (168.0, 162.0, 152.0)
SKIN = ((236.0, 196.0, 166.0), (222.0, 172.0, 136.0), (176.0, 124.0, 88.0), (116.0, 78.0, 56.0), (84.0, 56.0, 42.0))
HAIR = ((40.0, 30.0, 26.0), (84.0, 56.0, 34.0), (150.0, 106.0, 54.0), (208.0, 176.0, 108.0), (120.0, 116.0, 112.0))
CLOTH = (
    (196.0, 60.0, 52.0),
    (52.0, 92.0, 158.0),
    (236.0, 190.0, 70.0),
    (64.0, 128.0, 92.0),
    (230.0, 226.0, 216.0),
    (60.0, 62.0, 74.0),
    (214.0, 122.0, 70.0),
    (140.0, 86.0, 146.0),
    (98.0, 164.0, 178.0),
)
LACQUER = (
    (186.0, 38.0, 36.0),
    (36.0, 78.0, 142.0),
    (224.0, 224.0, 222.0),
    (58.0, 62.0, 68.0),
    (168.0, 174.0, 178.0),
    (232.0, 180.0, 56.0),
    (44.0, 110.0, 84.0),
    (126.0, 176.0, 200.0),
)
PLASTER = (
    (226.0, 206.0, 168.0),
    (214.0, 160.0, 120.0),
    (236.0, 228.0, 212.0),
    (186.0, 196.0, 200.0),
    (228.0, 186.0, 130.0),
    (196.0, 126.0, 104.0),
    (170.0, 182.0, 150.0),
)
LEAVES = ((104.0, 150.0, 62.0), (84.0, 138.0, 70.0), (128.0, 158.0, 64.0), (92.0, 128.0, 52.0))
AUTUMN = ((206.0, 140.0, 52.0), (190.0, 96.0, 46.0), (214.0, 176.0, 70.0), (150.0, 140.0, 60.0))
BLOSSOMS = (
    (228.0, 80.0, 96.0),
    (244.0, 206.0, 76.0),
    (240.0, 236.0, 240.0),
    (172.0, 104.0, 190.0),
    (240.0, 140.0, 60.0),
)


def scaled(color: Color, factor: float) -> Color:
    """Lighter (factor > 1) or darker."""
    return (color[0] * factor, color[1] * factor, color[2] * factor)


def near(color: Color, dice: Dice, spread: float = 0.08) -> Color:
    """A colour like ``color``."""
    bright = dice.between(1 - spread, 1 + spread)
    r, g, b = (c * bright * dice.between(1 - spread / 2, 1 + spread / 2) for c in color)
    return (r, g, b)


def coat(
    what: str, color: Color, texture: Texture = Texture.PLAIN, tile: float = 1.0, depth: float = 0.75, fit: bool = False
) -> Brush:
    """A brush of ``color`` whose texture leads to ``depth`` of its brightness."""
    return Brush(what, color, scaled(color, depth), texture, tile, Kind.SOLID, fit)


def soil(what: str, color: Color, texture: Texture, tile: float, depth: float = 0.72, blotch: float = 0.4) -> Brush:
    """A brush for what lies on the ground."""
    return Brush(what, color, scaled(color, depth), texture, tile, Kind.GROUND, False, (0.0, 0.0), blotch)


def glow(what: str, color: Color) -> Brush:
    """A brush that shines."""
    return Brush(what, color, kind=Kind.GLOW)


def water(what: str, tile: float = 7.0, flow: tuple[float, float] = (0.15, 0.1)) -> Brush:
    """Water. Sea, river, lake and basin share it: only what is around tells them apart."""
    kind = Kind.GROUND | Kind.WATER
    return Brush(what, (74.0, 122.0, 138.0), (38.0, 82.0, 106.0), Texture.WAVES, tile, kind, False, flow, 0.25)
