"""Animals: four legs that walk, wings that beat."""

import math
from dataclasses import dataclass

from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import Matrix, Point, ball, box, chain, frustum, moved, place, polygon, shifted, tube
from vsscli.data.world.mesh import Color, Mesh
from vsscli.data.world.paint import BLACK, WHITE, coat, near, scaled
from vsscli.data.world.textures import Texture


@dataclass(frozen=True)
class Build:
    """Proportions in metres: length and height of the trunk, length of legs and neck, size of the head."""

    what: str
    length: float
    girth: float
    legs: float
    neck: float
    head: float
    tail: float
    colors: tuple[Color, ...]


BROWN, SAND, GRAY = (120.0, 82.0, 54.0), (196.0, 158.0, 108.0), (128.0, 126.0, 124.0)
BUILDS = {
    "dog": Build("dog", 0.62, 0.2, 0.34, 0.16, 0.12, 0.3, (BROWN, SAND, BLACK, WHITE, GRAY)),
    "cat": Build("cat", 0.38, 0.13, 0.18, 0.07, 0.085, 0.32, ((214, 142, 70), BLACK, WHITE, GRAY)),
    "horse": Build("horse", 1.6, 0.52, 0.85, 0.75, 0.25, 0.7, (BROWN, (90, 56, 40), SAND, BLACK, WHITE)),
    "cow": Build("cattle", 1.7, 0.62, 0.66, 0.35, 0.26, 0.7, (WHITE, BROWN, (70, 50, 42), SAND)),
    "sheep": Build("other_animal", 0.95, 0.46, 0.38, 0.16, 0.15, 0.12, (WHITE, (226, 220, 204))),
    "deer": Build("other_animal", 1.1, 0.36, 0.68, 0.5, 0.15, 0.12, ((168, 116, 70),)),
}


@dataclass(frozen=True)
class Animal:
    """Body with head and tail, four legs."""

    parts: list[Mesh]
    build: Build

    def walk(self, at: Matrix, way: float) -> list[Matrix]:
        """Walking ``way`` metres far."""
        b = self.build
        phase = 2 * math.pi * way / (1.9 * b.legs + 0.2)
        body = chain(at, place(0, b.legs + 0.02 * b.legs * sin(2 * phase), 0))
        result = [body]
        for i in range(4):
            x, z = (i % 2 - 0.5) * b.girth * 0.8, (b.length * 0.38) * (1 if i < 2 else -1)
            swing = 0.45 * sin(phase + (0.0, math.pi, math.pi + 0.6, 0.6)[i])
            result.append(chain(body, place(x, 0.05, z, tilt=swing)))
        return result


def animal(dice: Dice, kind: str) -> Animal:
    """An animal of one of `BUILDS`."""
    b = BUILDS[kind]
    color = near(dice.pick(b.colors), dice)
    patched = kind == "cow" and dice.chance(0.7)
    coat_kind = Texture.PATCHES if patched else Texture.FUR
    fur = coat(b.what, color, coat_kind, 1.1 if patched else 0.5, 0.1 if patched else 0.72)
    plain, dark = coat(b.what, color, Texture.FUR, 0.4, 0.8), coat(b.what, scaled(color, 0.45))
    rough = 0.08 if kind == "sheep" else 0.0
    trunk = place(0, b.girth * 0.5, 0, size=(b.girth * 0.55, b.girth * 0.68, b.length * 0.57))
    body = Mesh().add(moved(ball(1.0, 6, 8, rough, dice.whole(0, 99)), trunk), fur)
    lean = 0.35 if kind in ("cow", "sheep") else 0.75
    up, ahead = b.neck * math.sin(lean), b.neck * math.cos(lean)
    start: Point = (0, b.girth * 0.7, b.length * 0.42)
    neck = place(*start, tilt=math.pi / 2 - lean)
    body.add(moved(tube(b.girth * 0.3, b.head * 0.6, b.neck + 0.05, 7), neck), plain)
    head = shifted(ball(1.0, 5, 7), 0, 0, 0)
    at: Point = (0, start[1] + up + b.head * 0.2, start[2] + ahead + b.head * 0.45)
    body.add(moved(head, place(*at, tilt=0.35, size=(b.head * 0.62, b.head * 0.68, b.head * 1.15))), plain)
    for side in (-1, 1):
        ear = frustum(b.head * 0.3, b.head * 0.15, b.head * 0.1, b.head * 0.1, b.head * 0.6)
        body.add(
            moved(ear, place(side * b.head * 0.4, at[1] + b.head * 0.4, at[2] - b.head * 0.4, roll=-0.4 * side)), dark
        )
    body.add(shifted(box(b.head * 0.5, b.head * 0.3, b.head * 0.2), 0, at[1] - b.head * 0.5, at[2] + b.head), dark)
    rise = 0.9 if kind == "cat" else -0.5 if b.legs > 0.5 else 0.6
    tail = place(0, b.girth * 0.7, -b.length * 0.5, turn=math.pi, tilt=math.pi / 2 - rise)
    body.add(moved(tube(b.head * 0.22, b.head * 0.12, b.tail, 5), tail), dark if kind in ("horse", "cow") else plain)
    if kind == "horse":
        mane = shifted(box(0.06, b.neck, 0.2), 0, 0, -b.girth * 0.22)
        body.add(moved(mane, neck), dark)
    thick = b.girth * 0.17
    leg = Mesh().add(shifted(frustum(thick * 0.8, thick * 0.8, thick * 1.5, thick * 1.7, b.legs), y=-b.legs), plain)
    leg.add(shifted(box(thick, thick * 0.6, thick * 1.2), y=-b.legs - 0.03 * b.legs), dark)
    return Animal([body, leg, leg, leg, leg], b)


@dataclass(frozen=True)
class Bird:
    """Body and two wings (class other_animal)."""

    parts: list[Mesh]

    def fly(self, at: Matrix, time: float, beat: float = 2.2) -> list[Matrix]:
        """Flying, ``beat`` strokes a second."""
        up = 0.15 + 0.65 * sin(2 * math.pi * beat * time)
        return [at, chain(at, place(0.05, 0.03, 0, roll=up)), chain(at, place(-0.05, 0.03, 0, roll=-up))]


def bird(dice: Dice) -> Bird:
    """A gull, a crow, a duck."""
    color = dice.pick((WHITE, (60.0, 62.0, 70.0), (150.0, 120.0, 90.0)))
    feather = coat("other_animal", color, Texture.FUR, 0.4, 0.85)
    tip = coat("other_animal", scaled(color, 0.55))
    body = Mesh().add(moved(ball(1.0, 5, 7), place(size=(0.09, 0.09, 0.28))), feather)
    body.add(shifted(ball(0.08, 4, 6), 0, 0.07, 0.26), feather)
    body.add(moved(tube(0.03, 0.0, 0.12, 5), place(0, 0.06, 0.32, tilt=1.5)), coat("other_animal", (226, 160, 60)))
    body.add(polygon((0, 0.02, -0.2), (0.1, 0.02, -0.42), (-0.1, 0.02, -0.42)), tip)
    wings = []
    for side in (1, -1):
        inner = polygon((0, 0, 0.13), (side * 0.35, 0.05, 0.14), (side * 0.35, 0.05, -0.1), (0, 0, -0.13))
        outer = polygon((side * 0.35, 0.05, 0.14), (side * 0.72, 0.0, -0.05), (side * 0.35, 0.05, -0.1))
        wings.append(Mesh().add(inner, feather).add(outer, tip))
    return Bird([body, *wings])
