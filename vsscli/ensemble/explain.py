"""Was the choice right? Where masks exist: what other ways to choose would have given."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vsscli import engine
from vsscli.data.classes import IGNORE
from vsscli.data.dataset import Dataset
from vsscli.ensemble.choice import Choice
from vsscli.errors import DataError, RunError
from vsscli.maps.confusion import PairCounter
from vsscli.runs.run import Run
from vsscli.runs.source import where

#: Per run and class: pixels hit, in the truth, in the prediction: ``int64 [runs, 3, 256]``. They add up over videos.
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Way:
    """A way to choose: its mIoU over all videos together, and the mean of each video's own; fractions."""

    name: str
    miou: float
    per_video: float


@dataclass(frozen=True)
class Explanation:
    """``videos`` are those with masks, ``miou`` their own per run. ``ways`` begin with the choice that was made.

    ``hits``: in how many videos the chosen run has the highest mIoU. ``agreement``: of all pairs of runs in a video
    with different mIoU and SSIM (``compared`` of them), the share that both order alike: 0.5 is chance, None without
    such a pair.
    """

    videos: tuple[str, ...]
    miou: tuple[tuple[float, ...], ...]
    ways: tuple[Way, ...]
    hits: int
    agreement: float | None
    compared: int


def check_explainable(dataset: Dataset, runs: Sequence[Run], videos: Sequence[str]) -> None:
    """DataError where no video of ``videos`` has masks, RunError where a run is known to hold other classes."""
    if dataset.classes is None or not any(dataset.masked(videos)):
        raise DataError(
            f"None of these videos of {where(dataset)} has masks: --explain compares with them.",
            "Leave --explain out, or take videos with masks.",
        )
    for run in runs:
        if run.table is not None and run.table.digest != dataset.classes.digest:
            raise RunError(
                f"{run.path} holds the classes of {run.table.name}, {dataset.root} those of {dataset.classes.name}: "
                "--explain cannot compare them.",
                "Make the run with --class-map, or leave --explain out.",
            )


def explain(
    dataset: Dataset, runs: Sequence[Run], names: Sequence[str], choices: Sequence[Choice], workers: int
) -> Explanation | None:
    """What the choices among ``runs``, called ``names``, are worth; None where none of their videos has masks.

    DataError or RunError where a mask or a label map does not decode, or they are of different sizes.
    """
    videos = frozenset(dataset.masked(choice.video for choice in choices))
    masked = [choice for choice in choices if choice.video in videos]
    if not masked:
        return None
    work = partial(count_video, dataset, runs)
    counts = list(engine.map(work, [choice.video for choice in masked], workers=workers, title="explain"))
    return summarise(masked, counts, names)


def count_video(dataset: Dataset, runs: Sequence[Run], video: str) -> Counts:
    """The pixels of the frames of ``video`` that have masks; those that are void in the truth count nowhere."""
    source, counters = dataset.video(video), [PairCounter(np.ones(256, np.bool_)) for _ in runs]
    for frame in source.masked():
        truth = source.labels(frame)
        for run, counter in zip(runs, counters, strict=True):
            labels = run.labels(video, frame)
            if labels.shape != truth.shape:
                raise RunError(f"Frame {frame} of video {video}: the mask and {run.path} are of different sizes.")
            counter.add(truth, labels)
    for counter in counters:
        counter.pairs[IGNORE] = 0
    return np.stack([[np.diagonal(c.pairs), c.pairs.sum(1), c.pairs.sum(0)] for c in counters])


def miou(counts: Counts) -> float:
    """The mean IoU over the classes of the truth of one run, from ``int64 [3, 256]``; 0 where the truth is all void."""
    hits, truth, predicted = counts[:, counts[1] > 0]
    return float((hits / (truth + predicted - hits)).mean()) if hits.size else 0.0


def summarise(choices: Sequence[Choice], counts: Sequence[Counts], names: Sequence[str]) -> Explanation:
    """The ways to choose, side by side. ``counts`` stand in the order of ``choices``."""
    each = [[miou(run) for run in video] for video in counts]
    runs = range(len(names))

    def way(name: str, picks: Sequence[int]) -> Way:
        total = sum((video[i] for video, i in zip(counts, picks, strict=True)), np.zeros((3, 256), np.int64))
        return Way(name, miou(total), float(np.mean([row[i] for row, i in zip(each, picks, strict=True)])))

    chosen = [choice.chosen for choice in choices]
    oracle = [int(np.argmax(row)) for row in each]
    alone = [way(f"{names[i]} throughout", [i] * len(choices)) for i in runs]
    best = max(alone, key=lambda single: single.miou)
    pooled = sum((video.sum(0) for video in counts), np.zeros((3, 256), np.int64))
    ways = (
        way("flow-ssim", chosen),
        Way(f"best single run: {best.name.removesuffix(' throughout')}", best.miou, best.per_video),
        Way("random choice (expected)", miou(pooled), float(np.mean(each))),
        way("best run of each video", oracle),
        *alone,
    )
    alike, compared = _agreement(choices, each)
    hits = sum(row[i] == max(row) for row, i in zip(each, chosen, strict=True))
    return Explanation(
        tuple(choice.video for choice in choices),
        tuple(tuple(row) for row in each),
        ways,
        hits,
        alike / compared if compared else None,
        compared,
    )


def _agreement(choices: Sequence[Choice], each: Sequence[Sequence[float]]) -> tuple[int, int]:
    """(pairs of runs ordered alike, pairs that both order)."""
    alike = compared = 0
    for choice, row in zip(choices, each, strict=True):
        for i in range(len(row)):
            for j in range(i):
                if choice.ssim is not None and row[i] != row[j] and choice.ssim[i] != choice.ssim[j]:
                    compared += 1
                    alike += (row[i] > row[j]) == (choice.ssim[i] > choice.ssim[j])
    return alike, compared
