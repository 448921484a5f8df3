"""Regions: what is judged as one, and why its class may be wrong."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vsscli.postprocess.groups import Group
from vsscli.postprocess.question import Question
from vsscli.postprocess.rules import MIXED, Rules
from vsscli.postprocess.tubes import Tube, Tubes


@dataclass
class Region:
    """A region that is big and long enough, called ``name`` within its video.

    It is what the ``place``-th tube of the video has of the classes ``ids``; ``tube`` is that share of it. ``why`` it
    is asked about (None: it is not), with one of ``questions`` for each key frame.
    """

    name: str
    group: Group
    place: int
    ids: tuple[int, ...]
    tube: Tube
    why: str | None
    questions: list[Question] = field(default_factory=list)


def find_regions(tubes: Tubes, groups: Sequence[Group], rules: Rules) -> Iterator[Region]:
    """The regions of a video, tube by tube. A tube of several classes is judged class by class, unless its group is one
    of scope ``image``."""
    numbers: dict[str, int] = {}
    for place, tube in enumerate(tubes.tubes):
        group = groups[tube.group]
        number = numbers[group.name] = numbers.get(group.name, 0) + 1
        why = "all are" if rules.when == "all" else suspicion(tube)
        whole = tuple(range(len(group.ids)))
        parts = [whole] if group.scope == "image" or why is None else list(judged_alone(tube, rules.min_frames))
        for part in parts:
            name = group.name if group.scope == "image" else f"{group.name}-{number}"
            if len(parts) > 1:
                name += f".{_word(group.classes[max(part, key=lambda c: tube.pixels[c])])}"
            yield Region(name, group, place, tuple(group.ids[c] for c in part), share_of(tube, part), why)


def judged_alone(tube: Tube, min_frames: int) -> Iterator[tuple[int, ...]]:
    """Which classes of a tube (their places in its group) are judged together.

    Two things that touch are one tube, a car and the truck behind it as well as a car of which a half is called a
    truck. Every class that is more than specks, and in ``min_frames`` frames, is judged alone, so that both can come
    out right; the largest one takes the others along.
    """
    pixels, seen = tube.pixels, (tube.counts > 0).sum(0)
    main = int(pixels.argmax())
    alone = [c for c in range(len(pixels)) if c != main and pixels[c] >= MIXED * pixels.sum() and seen[c] >= min_frames]
    yield tuple(c for c in range(len(pixels)) if c not in alone)
    yield from ((c,) for c in alone)


def share_of(tube: Tube, part: Sequence[int]) -> Tube:
    """What a tube has of the classes at the places ``part``."""
    counts = np.zeros_like(tube.counts)
    counts[:, list(part)] = tube.counts[:, list(part)]
    there = counts.any(1)
    return Tube(tube.group, tuple(np.array(tube.frames)[there].tolist()), counts[there])


def suspicion(tube: Tube) -> str | None:
    """Why a region's class may be wrong, None where nothing speaks for it: several classes, or one that flips."""
    pixels = tube.pixels
    if pixels.max() <= (1 - MIXED) * pixels.sum():
        return "it is of several classes"
    main = tube.counts.argmax(1)
    flips = int((main[1:] != main[:-1]).sum())
    return f"its class flips {flips} time{'s' * (flips > 1)}" if flips else None


def _word(name: str) -> str:
    """The name of a class as a part of a region's ID and of a file's name."""
    return re.sub(r"\W+", "-", name)
