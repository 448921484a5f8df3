"""What lens and sensor do to a picture: softness, glare, blur, noise. Nothing here touches the masks."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsscli.data.world.chance import Dice, noise, sin
from vsscli.maps.compiled import compiled

Picture = NDArray[np.float32]

GRAINS = 1 << 16


class Trouble(NamedTuple):
    """How bad the picture is just now; all 0 on most frames.

    ``haze`` is added to the air's (1/metres); ``blur`` and ``smear`` are radii as shares of the picture's width
    (smear: sideways only); ``glare`` is the strength of a veil of light around ``spot`` (shares of width and height).
    """

    haze: float = 0.0
    blur: float = 0.0
    smear: float = 0.0
    glare: float = 0.0
    spot: tuple[float, float] = (0.5, 0.2)


@dataclass(frozen=True)
class Spell:
    """A trouble that comes and goes: a smooth bump from ``start`` to ``end`` (seconds)."""

    start: float
    end: float
    peak: Trouble

    def share(self, time: float) -> float:
        """0 outside, 1 in the middle."""
        if not self.start < time < self.end:
            return 0.0
        return sin(math.pi * (time - self.start) / (self.end - self.start)) ** 2


def spells(dice: Dice, indoors: bool) -> list[Spell]:
    """The troubles of a video: none in every other one, else one every few seconds."""
    if dice.chance(0.5):
        return []
    found, start = [], dice.between(0.2, 1.2)
    while start < 40:
        length = dice.between(0.4, 1.0)
        kind = dice.pick(("blur", "smear", "glare") if indoors else ("haze", "blur", "smear", "glare"))
        spot = (dice.between(0.1, 0.9), dice.between(0.0, 0.35))
        trouble = {
            "haze": Trouble(haze=dice.between(0.006, 0.02)),
            "blur": Trouble(blur=dice.between(0.003, 0.008)),
            "smear": Trouble(smear=dice.between(0.006, 0.014)),
            "glare": Trouble(glare=dice.between(0.35, 0.8), spot=spot),
        }[kind]
        found.append(Spell(start, start + length, trouble))
        start += length + dice.between(2.0, 6.0)
    return found


def trouble_at(found: list[Spell], time: float) -> Trouble:
    """The trouble at ``time``: spells do not overlap."""
    for spell in found:
        share = spell.share(time)
        if share > 0:
            p = spell.peak
            return Trouble(p.haze * share, p.blur * share, p.smear * share, p.glare * share, p.spot)
    return Trouble()


def grains(seed: int) -> Picture:
    """Noise of a sensor, ``float32 [GRAINS]``: bell-shaped, deviation 1."""
    four = noise(seed, 4, GRAINS)
    bell: Picture = ((four[0] + four[1] + four[2] + four[3] - 2.0) * 3**0.5).astype(np.float32)
    return bell


@compiled
def _box(image: Picture, across: int, down: int) -> None:
    """Means over 2 * across + 1 columns, then over 2 * down + 1 rows, in place; edges repeat."""
    height, width, channels = image.shape
    line = np.empty(max(height, width), np.float32)
    for k in range(channels):
        if across > 0:
            for row in range(height):
                for i in range(width):
                    line[i] = image[row, i, k]
                total = np.float32(0.0)
                for i in range(-across, across + 1):
                    total += line[min(max(i, 0), width - 1)]
                for i in range(width):
                    image[row, i, k] = total / (2 * across + 1)
                    total += line[min(i + across + 1, width - 1)] - line[max(i - across, 0)]
        if down > 0:
            for column in range(width):
                for i in range(height):
                    line[i] = image[i, column, k]
                total = np.float32(0.0)
                for i in range(-down, down + 1):
                    total += line[min(max(i, 0), height - 1)]
                for i in range(height):
                    image[i, column, k] = total / (2 * down + 1)
                    total += line[min(i + down + 1, height - 1)] - line[max(i - down, 0)]


@compiled
def _finish(
    image: Picture,
    glare: float,
    spot_x: float,
    spot_y: float,
    grain: Picture,
    shift: int,
    strength: float,
    out: NDArray[np.uint8],
) -> None:
    """Softens by a fifth of a pixel, adds glare, darkens the corners, adds noise, rounds to 8 bits."""
    height, width, _ = image.shape
    middle_x, middle_y = width / 2, height / 2
    corner = middle_x * middle_x + middle_y * middle_y
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        start = (shift + row * 40503) & (GRAINS - 1)
        for column in range(width):
            left, right = max(column - 1, 0), min(column + 1, width - 1)
            dx, dy = column + 0.5 - middle_x, row + 0.5 - middle_y
            dim = 1.0 - 0.16 * (dx * dx + dy * dy) / corner
            veil = 0.0
            if glare > 0.0:
                gx, gy = (column + 0.5) / width - spot_x, ((row + 0.5) / height - spot_y) * height / width
                veil = glare / (1.0 + 9.0 * (gx * gx + gy * gy))
            for k in range(3):
                value = 0.8 * image[row, column, k] + 0.05 * (
                    image[above, column, k] + image[below, column, k] + image[row, left, k] + image[row, right, k]
                )
                value = value * dim
                value = 1.3 * value / (1.0 + 0.3 * max(0.0, value) / 255.0)  # lifts the middle tones
                value = value + (250.0 - 8.0 * k - value) * veil
                value += strength * grain[(start + 3 * column + k) & (GRAINS - 1)]
                out[row, column, k] = int(min(255.0, max(0.0, value + 0.5)))


def develop(image: Picture, trouble: Trouble, grain: Picture, shift: int) -> NDArray[np.uint8]:
    """The picture as the camera gives it, ``uint8 [H, W, 3]``. ``image`` is changed; ``shift`` moves the noise."""
    width = image.shape[1]
    for _ in range(2):  # twice the mean is close to a bell
        across = round((trouble.blur + trouble.smear) * width)
        _box(image, across, round(trouble.blur * width))
    out = np.empty(image.shape, np.uint8)
    _finish(image, trouble.glare, *trouble.spot, grain, shift, 2.0, out)
    return out


def plain(image: Picture) -> NDArray[np.uint8]:
    """The picture as drawn, rounded to 8 bits: no lens, no noise."""
    rounded: NDArray[np.uint8] = np.clip(image + np.float32(0.5), 0, 255).astype(np.uint8)
    return rounded
