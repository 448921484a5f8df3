"""Was it right? Where masks exist: pixels helped and hurt, and mIoU before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vsscli import engine
from vsscli.data.classes import IGNORE
from vsscli.data.dataset import Dataset
from vsscli.errors import RunError
from vsscli.maps.confusion import PairCounter
from vsscli.postprocess.groups import Group
from vsscli.runs.run import Run
from vsscli.score.measures import rates
from vsscli.score.protocols import PROTOCOLS

#: ``pairs [2, 256, 256]``: pixels by true and predicted class, before and after; ``moves [G, 2]``: helped and hurt.
Counts = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Line:
    """What became of a group (or of ``all`` classes): pixels that were wrong and are right now, and that were right.

    ``before`` and ``after``: the mean IoU over its classes that are in the truth; None where none is.
    """

    name: str
    helped: int
    hurt: int
    before: float | None
    after: float | None


def masked_videos(dataset: Dataset, run: Run, videos: Sequence[str]) -> list[str]:
    """Those of ``videos`` that have masks of the classes of ``run``."""
    if dataset.classes is None or (run.table is not None and run.table.digest != dataset.classes.digest):
        return []
    return list(dataset.masked(videos))


def measure(
    dataset: Dataset, before: Run, after: Run, groups: Sequence[Group], videos: Sequence[str], workers: int
) -> list[Line]:
    """A line for each group of which a pixel changed or that is in the truth, the last for all classes.

    ``videos`` are finished and have masks. DataError or RunError where a mask does not decode or is of odd size.
    """
    work = partial(count_video, dataset, before, after, groups)
    pairs, moves = np.zeros((2, 256, 256), np.int64), np.zeros((len(groups), 2), np.int64)
    for more, moved in engine.map(work, list(videos), workers=workers, title="effect"):
        pairs += more
        moves += moved
    lines = [_line(g.name, moves[i], pairs, g.ids) for i, g in enumerate(groups)]
    everything = _line("all classes", moves.sum(0), pairs, range(len(dataset.classes or ())))
    return [line for line in lines if line.before is not None or line.helped or line.hurt] + [everything]


def count_video(dataset: Dataset, before: Run, after: Run, groups: Sequence[Group], video: str) -> Counts:
    """Counts the frames of ``video`` that have masks; void in the truth counts nowhere."""
    source, counters = dataset.video(video), [PairCounter(np.ones(256, np.bool_)) for _ in range(2)]
    moves = np.zeros((len(groups), 2), np.int64)
    group_of = np.full(256, len(groups), np.uint8)
    for i, group in enumerate(groups):
        group_of[list(group.ids)] = i
    for frame in source.masked():
        truth, old, new = source.labels(frame), before.labels(video, frame), after.labels(video, frame)
        if truth.shape != old.shape:
            raise RunError(f"Frame {frame} of video {video}: the mask and {before.path} are of different sizes.")
        for counter, labels in zip(counters, (old, new), strict=True):
            counter.add(truth, labels)
        changed = old != new
        if changed.any():
            owner, true = group_of[old[changed]], truth[changed]
            for column, labels in enumerate((new, old)):
                right = owner[labels[changed] == true]
                moves[:, column] += np.bincount(right, minlength=len(groups) + 1)[: len(groups)]
    pairs = np.stack([counter.pairs for counter in counters])
    pairs[:, IGNORE] = 0
    return pairs, moves


def _line(name: str, moves: NDArray[np.int64], pairs: NDArray[np.int64], ids: Sequence[int]) -> Line:
    before, after = (_miou(one, ids) for one in pairs)
    return Line(name, int(moves[0]), int(moves[1]), before, after)


def _miou(pairs: NDArray[np.int64], ids: Sequence[int]) -> float | None:
    """The mean over those of the classes ``ids`` that are in the truth, as the protocol vspw has it."""
    hits, truth, predicted = (part.astype(np.float64) for part in (np.diagonal(pairs), pairs.sum(1), pairs.sum(0)))
    rate = rates(hits, truth, predicted, PROTOCOLS["vspw"])
    counted = [i for i in ids if rate.counted[i]]
    return float(rate.iou[counted].mean()) if counted else None
