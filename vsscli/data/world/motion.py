"""Ways through a scene: position, heading and distance gone, smooth in time."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from vsscli.data.world.chance import cos, sin
from vsscli.data.world.geometry import Flat, Matrix, place


@dataclass(frozen=True)
class Step:
    """Where something is: place on the ground, heading (0 = along z), metres gone so far."""

    x: float
    z: float
    turn: float
    way: float

    def at(self, height: float = 0.0, roll: float = 0.0) -> Matrix:
        """The matrix of that place."""
        return place(self.x, height, self.z, turn=self.turn, roll=roll)


Way = Callable[[float], Step]


def straight(start: Flat, end: Flat, speed: float, begin: float = 0.0) -> Way:
    """From ``start`` to ``end`` at ``speed``, and again from the start; ``begin`` metres are behind at time 0."""
    dx, dz = end[0] - start[0], end[1] - start[1]
    length = math.sqrt(dx * dx + dz * dz)
    turn = math.atan2(dx, dz)

    def step(time: float) -> Step:
        way = begin + speed * time
        share = way % length / length
        return Step(start[0] + dx * share, start[1] + dz * share, turn, way)

    return step


def standing(x: float, z: float, turn: float = 0.0) -> Way:
    """Nowhere else."""
    return lambda time: Step(x, z, turn, 0.0)


def round_trip(x: float, z: float, rx: float, rz: float, speed: float, begin: float = 0.0) -> Way:
    """Along an ellipse; ``speed`` in metres a second at its mean radius, negative for the other direction."""
    radius = (rx + rz) / 2

    def step(time: float) -> Step:
        angle = begin + speed * time / radius
        dx, dz = -rx * sin(angle) * speed, rz * cos(angle) * speed
        turn = math.atan2(dx, dz)
        return Step(x + rx * cos(angle), z + rz * sin(angle), turn, abs(speed) * time + abs(begin) * radius)

    return step
