"""Puts what moves into a scene: walkers, riders, cars, animals, birds, boats."""

from vsscli.data.world.chance import Dice
from vsscli.data.world.geometry import Flat, Matrix, chain, place
from vsscli.data.world.mesh import Mesh
from vsscli.data.world.motion import Way, round_trip, standing, straight
from vsscli.data.world.props.animals import BUILDS, Bird, animal, bird
from vsscli.data.world.props.boats import afloat
from vsscli.data.world.props.outdoor import flag, oddity, umbrella, waving
from vsscli.data.world.props.people import Person, person
from vsscli.data.world.props.traffic import bicycle
from vsscli.data.world.scene import Scene

WALK = 1.3  # metres a second


def walker(scene: Scene, dice: Dice, way: Way, *, child: bool = False, shade: float = 0.0) -> None:
    """Someone on ``way``; with the chance ``shade`` under an umbrella."""
    who = person(dice, child=child)
    if dice.chance(shade):
        cover = umbrella(dice)

        def under(time: float) -> list[Matrix]:
            at = way(time).at()
            return [*who.walk(at, way(time).way), chain(at, place(0.2, 1.2 * who.size, 0.15))]

        scene.act([*who.parts, cover], under)
        return
    walk_on(scene, who, way)


def walk_on(scene: Scene, who: Person, way: Way, height: float = 0.0, pace: float = 1.0) -> None:
    """Walks ``who`` along ``way`` at ``height``; ``pace`` below 1 means longer strides."""
    scene.act(who.parts, lambda time: who.walk(way(time).at(height), pace * way(time).way))


def stroller(scene: Scene, dice: Dice, start: Flat, end: Flat, **look: float) -> None:
    """Someone who walks from ``start`` to ``end``, in one direction or the other, somewhere on the way."""
    a, b = (start, end) if dice.chance(0.5) else (end, start)
    way = straight(a, b, WALK * dice.between(0.8, 1.2), dice.between(0, 60))
    walker(scene, dice, way, child=dice.chance(0.15), shade=look.get("shade", 0.0))


def bystander(scene: Scene, dice: Dice, x: float, z: float, turn: float, *, seat: float = 0.0) -> None:
    """Someone who stands and may wave, or sits on a seat of height ``seat``."""
    who: Person = person(dice, bag=0.1)
    at = place(x, 0, z, turn=turn)
    if seat:
        scene.act(who.parts, lambda time: who.sit(at, seat))
    elif dice.chance(0.4):
        phase = dice.between(0, 6)
        scene.act(who.parts, lambda time: who.wave(at, time + phase))
    else:
        scene.act(who.parts, lambda time: who.walk(at, 0.0))


def cyclist(scene: Scene, dice: Dice, way: Way) -> None:
    """Someone on a bicycle."""
    who, wheels = person(dice, bag=0.1), bicycle(dice)

    def pose(time: float) -> list[Matrix]:
        step = way(time)
        return [step.at(), *who.ride(chain(step.at(), place(0, -0.08, -0.22)), step.way)]

    scene.act([wheels, *who.parts], pose)


def rider(scene: Scene, dice: Dice, mesh: Mesh, way: Way, seat: float = -0.2) -> None:
    """Someone on a motorcycle."""
    who = person(dice, bag=0.0)
    still = [(-1.25, 1.0), (-1.25, 1.0)]

    def pose(time: float) -> list[Matrix]:
        at = way(time).at()
        return [at, *who.posed(chain(at, place(0, seat, -0.4)), 0.3, 1.02, still, [(-1.3, -0.2)] * 2)]

    scene.act([mesh, *who.parts], pose)


def drive(scene: Scene, mesh: Mesh, way: Way) -> None:
    """A vehicle on its way."""
    scene.act([mesh], lambda time: [way(time).at()])


def convoy(scene: Scene, meshes: list[Mesh], x: float, nose: float, speed: float, gap: float = 17.0) -> None:
    """A train along z whose first mesh is at ``nose`` now; a negative ``speed`` lets it come towards -z."""
    ahead = 2000.0 if speed > 0 else -2000.0
    for i, mesh in enumerate(meshes):
        z = nose - gap * i if speed > 0 else nose + gap * i
        drive(scene, mesh, straight((x, z), (x, z + ahead), abs(speed)))


def float_boat(scene: Scene, dice: Dice, mesh: Mesh, way: Way, crew: bool = False, swell: float = 0.08) -> None:
    """A boat that heaves, with someone sitting in it or not."""
    phase = dice.between(0, 6)
    if not crew:
        scene.act([mesh], lambda time: [afloat(way, time, phase, swell)])
        return
    who = person(dice, bag=0.0)

    def pose(time: float) -> list[Matrix]:
        at = afloat(way, time, phase, swell)
        return [at, *who.sit(chain(at, place(0, 0.1, 0.05)), 0.35)]

    scene.act([mesh, *who.parts], pose)


def beast(scene: Scene, dice: Dice, kind: str, way: Way) -> None:
    """An animal of `BUILDS` on its way."""
    being = animal(dice, kind)
    scene.act(being.parts, lambda time: being.walk(way(time).at(), way(time).way))


def grazing(scene: Scene, dice: Dice, kind: str, spots: list[Flat]) -> None:
    """Animals that stand about or walk slowly."""
    assert kind in BUILDS
    for x, z in spots:
        turn = dice.between(0, 6.28)
        if dice.chance(0.5):
            beast(scene, dice, kind, standing(x, z, turn))
        else:
            radius = dice.between(3, 8)
            beast(scene, dice, kind, round_trip(x, z, radius, radius, 0.6 * dice.sign(), turn))


def flock(scene: Scene, dice: Dice, count: int, x: float, z: float, height: float, radius: float = 9.0) -> None:
    """Birds that circle at ``height``."""
    for _ in range(count):
        being, phase, up = bird(dice), dice.between(0, 6), height * dice.between(0.7, 1.3)
        way = round_trip(x + dice.between(-5, 5), z + dice.between(-5, 5), radius, radius * 0.7, 7.0, phase)
        beat = dice.between(1.6, 2.6)

        _circle(scene, being, way, up, phase, beat)


def _circle(scene: Scene, being: Bird, way: Way, height: float, phase: float, beat: float) -> None:
    scene.act(being.parts, lambda time: being.fly(way(time).at(height, -0.25), time + phase, beat), casts=False)


def swimmers(scene: Scene, dice: Dice, count: int, x: float, z: float, radius: float) -> None:
    """Ducks on the water."""
    for _ in range(count):
        middle = (x + dice.between(-4, 4), z + dice.between(-4, 4))
        drive(scene, bird(dice).parts[0], round_trip(*middle, radius, radius, 0.5 * dice.sign(), dice.between(0, 6)))


def hoist(scene: Scene, dice: Dice, x: float, z: float, height: float = 6.5, turn: float | None = None) -> None:
    """A flag in the wind."""
    at = place(x, 0, z, turn=dice.between(-0.6, 0.6) if turn is None else turn)
    phase = dice.between(0, 6)
    scene.act(flag(dice, height), lambda time: waving(at, time, phase, height))


def odd(scene: Scene, dice: Dice, x: float, z: float, share: float = 0.65) -> None:
    """With the chance ``share`` something that no class names."""
    if dice.chance(share):
        scene.put(oddity(dice), place(x, 0, z, turn=dice.between(0, 6)))
