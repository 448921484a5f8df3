"""The air of a scene: time of day and weather."""

import math

import numpy as np

from vsscli.data.world.chance import Dice, cos, sin
from vsscli.data.world.mesh import Color
from vsscli.data.world.shade import Air

#: Names and looks: sunlight, ambient light, zenith, horizon, cloud; height of the sun (radians), cloud cover.
SKIES: dict[str, tuple[Color, Color, Color, Color, Color, float, float]] = {
    "noon": ((0.66, 0.63, 0.56), (0.46, 0.50, 0.56), (58, 116, 200), (192, 216, 234), (255, 255, 255), 0.95, 0.42),
    "morning": ((0.78, 0.68, 0.52), (0.48, 0.51, 0.58), (96, 150, 214), (238, 222, 196), (255, 248, 236), 0.55, 0.40),
    "evening": ((0.92, 0.66, 0.42), (0.50, 0.50, 0.58), (98, 128, 188), (246, 208, 164), (255, 222, 190), 0.50, 0.46),
    "cloudy": ((0.34, 0.34, 0.33), (0.70, 0.72, 0.74), (140, 158, 178), (206, 212, 216), (236, 238, 240), 0.90, 0.85),
    "dusk": ((0.66, 0.46, 0.40), (0.52, 0.50, 0.60), (84, 96, 164), (232, 182, 172), (226, 182, 190), 0.42, 0.48),
    "hazy": ((0.56, 0.54, 0.46), (0.54, 0.54, 0.54), (120, 160, 200), (228, 226, 214), (250, 248, 240), 0.80, 0.35),
}
USUAL = ("noon", "noon", "noon", "morning", "morning", "evening", "cloudy", "cloudy", "dusk", "hazy")


def air(vectors: tuple[Color, ...], haze: float, cover: float, drift: float) -> Air:
    """Air from sun, sunlight, ambient, zenith, horizon and cloud, and its three numbers."""
    sun, light, ambient, zenith, horizon, cloud = (np.array(v, np.float64) for v in vectors)
    return Air(sun, light, ambient, zenith, horizon, cloud, haze, cover, drift)


def weather(dice: Dice, names: tuple[str, ...] = USUAL, behind: bool | None = None) -> Air:
    """Air by chance. ``behind``: whether the sun stands behind a camera that looks along +z (else by chance)."""
    name = dice.pick(names)
    light, ambient, zenith, horizon, cloud, height, cover = SKIES[name]
    side = dice.between(0.5, 1.2) * dice.sign()
    back = dice.chance(0.75) if behind is None else behind
    around = math.pi + side if back else side
    up = height * dice.between(0.85, 1.15)
    sun = (cos(up) * sin(around), sin(up), cos(up) * cos(around))
    distance = {"hazy": 380.0, "dusk": 700.0, "morning": 700.0}.get(name, 1100.0) * dice.between(0.8, 1.3)
    covered = min(0.95, max(0.2, cover + dice.between(-0.12, 0.12)))
    return air((sun, light, ambient, zenith, horizon, cloud), 1 / distance, covered, dice.between(0.3, 1.0))


def lamplight(dice: Dice) -> Air:
    """The air of a room: soft light from above and from a window."""
    sun = (0.35 * dice.sign(), 0.9, -0.26)
    warm = dice.pick(((0.36, 0.32, 0.26), (0.32, 0.32, 0.32), (0.38, 0.32, 0.24)))
    flat = (210.0, 210.0, 205.0)
    return air((sun, warm, (0.80, 0.79, 0.78), flat, flat, flat), 1e-4, 0.0, 0.0)
