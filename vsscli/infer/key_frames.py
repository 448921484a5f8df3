"""Key frames: the network on every Nth frame of a video, something cheaper on those between."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from vsscli.data.dataset import Choose
from vsscli.errors import OptionError
from vsscli.infer.frames import Named, Size
from vsscli.infer.request import Request
from vsscli.models.card import ModelCard
from vsscli.models.mpvss.config import INTERVAL

#: Frames of a video that may wait in memory so that several key frames can go through the network at once.
MOST_WAITING = 64
#: Ways to carry the scores of a key frame on, as they are told to users.
HOW = {
    "mpvss": "carried on by the model's own flow of every mask",
    "farneback": "carried on by Farneback's flow",
    "zero": "copied on",
}


@dataclass(frozen=True)
class Carrying:
    """A key frame every ``interval`` frames, and how the others get their scores (one of `HOW`)."""

    interval: int
    how: str

    def tell(self) -> str:
        """In words."""
        return f"every {self.interval} frames a key frame, {HOW[self.how]}"


def find_carrying(request: Request, card: ModelCard) -> Carrying | None:
    """What ``--key-interval`` and ``--propagate`` ask for; None: every frame goes through the network.

    Raises OptionError where they do not go together, or not with the model.
    """
    interval, how = request.key_interval, request.propagate
    if how not in (None, "farneback", "zero"):
        raise OptionError(f"--propagate {how!r} is no way to carry class scores.", "Give farneback or zero.")
    if card.carries:
        interval = interval or INTERVAL
        return None if interval == 1 else Carrying(interval, how or "mpvss")
    if interval is None and how is None:
        return None
    if interval is None:
        raise OptionError("--propagate says how key frames are carried on, not which they are.", "Add --key-interval.")
    if interval == 1:
        return None
    if how is None:
        raise OptionError(
            f"--key-interval {interval}: {card.title} has no flow of its own for the frames between.",
            "Add --propagate farneback (classical flow) or --propagate zero (a copy).",
        )
    return Carrying(interval, how)


def every(interval: int) -> Choose:
    """Key frames: every ``interval`` frames, and where the size of the frames changes. For one video."""
    since, last = interval, (0, 0)

    def choose(name: str, size: Size) -> bool:
        nonlocal since, last
        since += 1
        if since < interval and size == last:
            return False
        since, last = 0, size
        return True

    return choose


@dataclass(frozen=True)
class Stretch:
    """A key frame and frames after it; without ``key``, more frames of the last key frame."""

    key: Named | None
    others: list[Named]


def stretches(images: Iterable[Named], choose: Choose) -> Iterator[Stretch]:
    """The frames of a video cut at the key frames that are chosen; the first frame is one.

    One stretch at a time is in memory, and none has more than `MOST_WAITING` frames: longer ones come in parts.
    """
    current = Stretch(None, [])
    for named in images:
        if choose(named[0], (named[1].shape[0], named[1].shape[1])):
            if current.others or current.key:
                yield current
            current = Stretch(named, [])
        else:
            if len(current.others) >= MOST_WAITING - 1:
                yield current
                current = Stretch(None, [])
            current.others.append(named)
    if current.others or current.key:
        yield current


def groups(images: Iterable[Named], choose: Choose, interval: int, batch: int) -> Iterator[list[Stretch]]:
    """Stretches whose key frames go through the network at once: up to ``batch``, if few enough to wait in memory."""
    cut = stretches(images, choose)
    while group := list(islice(cut, max(1, min(batch, MOST_WAITING // interval)))):
        yield group
