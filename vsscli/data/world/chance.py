"""Chance that is the same everywhere: counters and hashes, no generator whose stream a library may change.

Sines and cosines are rounded to 12 decimals, so that mathematics libraries that differ in the last bit agree.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Thing = TypeVar("Thing")

_STEP = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF
_MIX1 = 0xBF58476D1CE4E5B9
_MIX2 = 0x94D049BB133111EB


def sin(angle: float) -> float:
    """Sine, rounded to 12 decimals."""
    return round(math.sin(angle), 12)


def cos(angle: float) -> float:
    """Cosine, rounded to 12 decimals."""
    return round(math.cos(angle), 12)


def seed_of(*names: object) -> int:
    """64 bits from the names: equal names, equal bits."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, names)).encode()).digest()[:8], "big")


class Dice:
    """A stream of numbers that depends on ``names`` alone (splitmix64, Steele and others 2014)."""

    def __init__(self, *names: object) -> None:
        self._state = seed_of(*names)

    def bits(self) -> int:
        """64 bits."""
        self._state = (self._state + _STEP) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * _MIX1) & _MASK
        z = ((z ^ (z >> 27)) * _MIX2) & _MASK
        return z ^ (z >> 31)

    def unit(self) -> float:
        """0 <= number < 1."""
        return (self.bits() >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        """low <= number < high."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """low <= whole number <= high."""
        return low + self.bits() % (high - low + 1)

    def chance(self, share: float) -> bool:
        """True in ``share`` of the cases."""
        return self.unit() < share

    def sign(self) -> float:
        """-1.0 or 1.0."""
        return 1.0 if self.bits() & 1 else -1.0

    def pick(self, things: Sequence[Thing]) -> Thing:
        """One of ``things``."""
        return things[self.bits() % len(things)]

    def shuffled(self, things: Sequence[Thing]) -> list[Thing]:
        """``things`` in another order."""
        rest = list(things)
        return [rest.pop(self.bits() % len(rest)) for _ in range(len(rest))]


def noise(seed: int, *shape: int) -> NDArray[np.float64]:
    """An array of numbers 0 <= x < 1 that depends on ``seed`` and ``shape`` alone (splitmix64 of a counter)."""
    count = math.prod(shape)
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_STEP) + np.uint64(seed & _MASK)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX2)
    z ^= z >> np.uint64(31)
    return ((z >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)
