"""People: they walk, stand, sit, ride."""

import math
from dataclasses import dataclass

from vsscli.data.world.chance import Dice, sin
from vsscli.data.world.geometry import Matrix, ball, box, chain, frustum, moved, place, shifted
from vsscli.data.world.mesh import Mesh
from vsscli.data.world.paint import BLACK, CLOTH, HAIR, SKIN, coat, near, scaled
from vsscli.data.world.textures import Texture

STRIDE = 1.5  # metres for two steps


@dataclass(frozen=True)
class Person:
    """Nine parts (and a bag): trunk with head, thighs, shins, upper arms, lower arms."""

    parts: list[Mesh]
    size: float

    def walk(self, at: Matrix, way: float) -> list[Matrix]:
        """Walking; ``way`` is the distance gone, standing still when it does not change."""
        phase = 2 * math.pi * way / (STRIDE * self.size)
        swing, lift = 0.52 * sin(phase), 0.03 * sin(2 * phase + 1.2)
        knees = [0.15 + 0.55 * max(0.0, sin(phase + s)) for s in (math.pi / 2 + 0.5, -math.pi / 2 + 0.5)]
        legs = [(-swing, knees[0]), (swing, knees[1])]
        arms = [(0.8 * swing, -0.35), (-0.8 * swing, -0.35)]
        return self.posed(at, 0.04, 0.9 + lift, legs, arms)

    def sit(self, at: Matrix, height: float = 0.45) -> list[Matrix]:
        """Sitting; the seat is at ``height``."""
        return self.posed(at, -0.06, height / self.size + 0.05, [(-1.45, 1.4), (-1.5, 1.45)], [(-0.5, -0.7)] * 2)

    def ride(self, at: Matrix, way: float, reach: float = 0.55, lean: float = 0.35) -> list[Matrix]:
        """On a bicycle (``way`` turns the pedals)."""
        phase = 2 * math.pi * way / 4.2
        legs = [(-0.85 - 0.35 * sin(phase + s), 1.05 + 0.3 * sin(phase + s + 0.9)) for s in (0.0, math.pi)]
        return self.posed(at, lean, 1.0, legs, [(-reach - 0.75, -0.15)] * 2)

    def wave(self, at: Matrix, time: float) -> list[Matrix]:
        """Standing, one arm up and moving."""
        up = (-2.6 + 0.25 * sin(5 * time), -0.3 + 0.3 * sin(5 * time + 1))
        return self.posed(at, 0.0, 0.9, [(0.0, 0.05), (-0.08, 0.08)], [up, (0.1, -0.2)])

    def posed(
        self, at: Matrix, lean: float, hips: float, legs: list[tuple[float, float]], arms: list[tuple[float, float]]
    ) -> list[Matrix]:
        """Any pose: ``lean`` of the trunk, height of the hips, tilts of thighs and shins, of upper and lower arms."""
        root = chain(at, place(size=self.size))
        trunk = chain(root, place(0, hips, 0, tilt=lean))
        result = [trunk]
        for side, (upper, lower) in zip((-0.1, 0.1), legs, strict=True):
            thigh = chain(root, place(side, hips, 0, tilt=upper))
            result += [thigh, chain(thigh, place(0, -0.44, 0, tilt=lower))]
        for side, (upper, lower) in zip((-0.25, 0.25), arms, strict=True):
            arm = chain(trunk, place(side, 0.52, 0, tilt=upper))
            result += [arm, chain(arm, place(0, -0.29, 0, tilt=lower))]
        return result + [trunk] * (len(self.parts) - len(result))


def person(dice: Dice, *, child: bool = False, bag: float = 0.25) -> Person:
    """Someone: skin, hair, clothes and size by chance."""
    skin, hair = dice.pick(SKIN), dice.pick(HAIR)
    top, legs = near(dice.pick(CLOTH), dice), near(dice.pick(CLOTH), dice)
    shirt = coat("person", top, dice.pick((Texture.WEAVE, Texture.STRIPES, Texture.PLAIN)), 0.5, 0.8)
    trousers = coat("person", scaled(legs, 0.8), Texture.WEAVE, 0.5, 0.85)
    bare, shock, shoe = coat("person", skin), coat("person", hair), coat("person", BLACK)
    sleeve = shirt if dice.chance(0.6) else bare
    long_hair = dice.chance(0.4)
    trunk = Mesh().add(frustum(0.30, 0.19, 0.40, 0.22, 0.56), shirt).add(shifted(box(0.11, 0.1, 0.1), y=0.55), bare)
    trunk.add(shifted(frustum(0.32, 0.2, 0.3, 0.19, 0.12), y=-0.08), trousers)
    trunk.add(shifted(ball(0.125, 5, 8), y=0.73), bare)
    trunk.add(moved(ball(0.138, 5, 8), place(0, 0.765, -0.025, size=(1.0, 0.85, 1.0))), shock)
    if long_hair:
        trunk.add(shifted(box(0.22, 0.3, 0.08, 1.05), y=0.48, z=-0.11), shock)
    thigh = Mesh().add(shifted(frustum(0.11, 0.12, 0.15, 0.17, 0.48), y=-0.46), trousers)
    shin = Mesh().add(shifted(frustum(0.09, 0.1, 0.11, 0.12, 0.42), y=-0.42), trousers)
    shin.add(shifted(box(0.1, 0.08, 0.25), y=-0.46, z=0.05), shoe)
    upper = Mesh().add(shifted(frustum(0.08, 0.09, 0.1, 0.11, 0.32), y=-0.3), shirt)
    lower = Mesh().add(shifted(frustum(0.07, 0.07, 0.08, 0.08, 0.25), y=-0.25), sleeve)
    lower.add(shifted(ball(0.055, 3, 6), y=-0.29), bare)
    parts = [trunk, thigh, shin, thigh, shin, upper, lower, upper, lower]
    if dice.chance(bag):
        cloth = coat("bag_or_package", near(dice.pick(CLOTH), dice), Texture.WEAVE, 0.4)
        parts.append(Mesh().add(shifted(box(0.3, 0.42, 0.17, 0.9), y=0.1, z=-0.2), cloth))
    size = dice.between(0.94, 1.08) * (0.65 if child else 1.0)
    return Person(parts, size)
