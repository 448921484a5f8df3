"""The camera: where it is, where it looks, how it moves."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsscli.data.world.chance import cos, sin


@dataclass(frozen=True)
class Camera:
    """A smooth shot. Angles in radians, metres and seconds.

    ``zoom`` is the focal length in units of the square root of the picture's area, ``zoom_rate`` its growth a second
    (relative); ``sway`` is the width of a slow swing of ``turn`` that takes ``period`` seconds; ``shake`` is the size
    of a hand's tremor.
    """

    x: float = 0.0
    y: float = 1.7
    z: float = 0.0
    turn: float = 0.0
    tilt: float = 0.0  # positive looks up
    zoom: float = 0.9
    speed: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_rate: float = 0.0
    tilt_rate: float = 0.0
    zoom_rate: float = 0.0
    sway: float = 0.0
    period: float = 8.0
    phase: float = 0.0
    shake: float = 0.0

    def view(self, time: float, height: int, width: int) -> NDArray[np.float64]:
        """``[15]``: turning (rows right, up, ahead), place, focal length in pixels, middle of the picture."""
        swing = self.sway * sin(2 * math.pi * time / self.period + self.phase)
        turn = self.turn + self.turn_rate * time + swing + self.shake * _tremor(time, self.phase)
        tilt = self.tilt + self.tilt_rate * time + 0.7 * self.shake * _tremor(time, self.phase + 2.1)
        roll = 0.4 * self.shake * _tremor(time, self.phase + 4.4)
        zoom = self.zoom * max(0.3, 1 + self.zoom_rate * time)
        a, b, c, d, e, f = cos(turn), sin(turn), cos(tilt), sin(tilt), cos(roll), sin(roll)
        ahead = (b * c, d, a * c)
        right0, up0 = (a, 0.0, -b), (-b * d, c, -a * d)
        right = tuple(e * r + f * u for r, u in zip(right0, up0, strict=True))
        up = tuple(e * u - f * r for r, u in zip(right0, up0, strict=True))
        place = tuple(p + v * time for p, v in zip((self.x, self.y, self.z), self.speed, strict=True))
        focal = zoom * math.sqrt(height * width)
        return np.array([*right, *up, *ahead, *place, focal, width / 2, height / 2])


def _tremor(time: float, phase: float) -> float:
    """Slow, irregular, between about -1 and 1."""
    return 0.5 * sin(2.3 * time + phase) + 0.3 * sin(3.9 * time + 1.7 * phase) + 0.2 * sin(6.1 * time + 2.9 * phase)
