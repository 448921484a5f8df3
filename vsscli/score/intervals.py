"""How sure a number is: percentile bootstrap over videos, the units that were drawn when the split was made.

Frames of one video are nearly copies of each other, so videos are resampled, not frames. All resamples are made at
once from the counts of the videos: nothing is read again.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsscli.score.measures import Floats, measures, rates, window_values
from vsscli.score.reading import Counts
from vsscli.score.tally import Rule, VideoCounts

RESAMPLES = 2000
LEVEL = 0.95
#: With fewer videos an interval says more about luck than about the run.
FEWEST = 5


def intervals(counts: Counts, seed: int = 0) -> dict[str, Any]:
    """``{"level", "resamples", "seed", "videos", "metrics": {name: {"low", "high", "reason"}}}``.

    ``low`` and ``high`` are None, and ``reason`` says why, where fewer than 5 videos contribute to a number.
    """
    samples = resample(counts.videos, counts.rule, _weights(len(counts.videos), seed))
    support = _support(counts.videos, counts.rule)
    metrics = {name: _interval(values, support[name]) for name, values in samples.items()}
    return {**_head(seed), "videos": len(counts.videos), "metrics": metrics}


def common(counts: Counts, against: Counts) -> tuple[Counts, Counts]:
    """Both, cut down to the videos of which the same frames were scored."""
    theirs = {video.video: video for video in against.videos}
    pairs = [(a, theirs[a.video]) for a in counts.videos if a.video in theirs and a.missed == theirs[a.video].missed]
    return replace(counts, videos=tuple(a for a, _ in pairs)), replace(against, videos=tuple(b for _, b in pairs))


def compare(counts: Counts, against: Counts, seed: int = 0) -> dict[str, Any]:
    """The paired differences ``counts - against``, on the videos that are equally scored in both.

    Both are resampled alike, so what makes a video hard for either cancels out. The head as in `intervals`,
    ``left_out`` (videos of which not the same frames were scored: only after --partial), and per metric ``{"value",
    "against", "difference", "low", "high", "reason"}``.
    """
    ours, theirs = common(counts, against)
    rule, weights = counts.rule, _weights(len(ours.videos), seed)
    one, two = (resample(side.videos, rule, weights) for side in (ours, theirs))
    values, before = (measures(side.videos, rule.protocol, rule.lengths, len(rule.table)) for side in (ours, theirs))
    support = _support(ours.videos, rule)
    metrics = {}
    for name, value in values.items():
        base = before[name]
        difference = None if value is None or base is None else value - base
        interval = _interval(one[name] - two[name], support[name])
        metrics[name] = {"value": value, "against": base, "difference": difference, **interval}
    names = {video.video for side in (counts, against) for video in side.videos}
    head = {**_head(seed), "videos": len(ours.videos), "left_out": len(names) - len(ours.videos)}
    return {**head, "metrics": metrics}


def resample(videos: Sequence[VideoCounts], rule: Rule, weights: Floats) -> dict[str, Floats]:
    """Each measure (see `measures`) for each row of ``weights``, ``float64 [B, V]``: how often each video is taken.

    NaN where undefined.
    """
    classes = len(rule.table)
    pixels = np.stack([video.pixels for video in videos]) if videos else np.zeros((0, classes, classes + 1), np.int64)
    hits, truth, predicted = (
        weights @ part.astype(np.float64)
        for part in (np.diagonal(pixels, axis1=1, axis2=2), pixels.sum(axis=2), pixels[..., :-1].sum(axis=1))
    )
    rate = rates(hits, truth, predicted, rule.protocol)
    total = truth.sum(axis=1)
    with np.errstate(invalid="ignore"):
        result = {
            "miou": np.where(rate.counted, rate.iou, 0).sum(axis=1) / rate.counted.sum(axis=1),
            "wiou": np.where(truth > 0, truth * rate.iou, 0).sum(axis=1) / total,
            "pixel_acc": hits.sum(axis=1) / total,
            "class_acc": np.where(truth > 0, rate.acc, 0).sum(axis=1) / (truth > 0).sum(axis=1),
        }
        for n in rule.lengths:
            values = [window_values([video], rule.protocol.pooled(n)) for video in videos]
            sums = np.array([np.nansum(v) for v in values])
            defined = np.array([np.count_nonzero(~np.isnan(v)) for v in values], np.float64)
            result[f"vc{n}"] = (weights @ sums) / (weights @ defined)
    return result


def _weights(videos: int, seed: int) -> Floats:
    """``float64 [RESAMPLES, videos]``: how often each video is drawn, ``videos`` draws with replacement a row."""
    if videos == 0:
        return np.zeros((RESAMPLES, 0))
    drawn = np.random.default_rng(seed).multinomial(videos, np.full(videos, 1 / videos), RESAMPLES)
    return drawn.astype(np.float64)


def _support(videos: Sequence[VideoCounts], rule: Rule) -> dict[str, tuple[int, str]]:
    """Per measure the number of videos behind it, and what they have."""
    scored = sum(bool(video.pixels.any()) for video in videos)
    support = dict.fromkeys(("miou", "wiou", "pixel_acc", "class_acc"), (scored, "with labelled pixels"))
    for n in rule.lengths:
        values = [window_values([video], rule.protocol.pooled(n)) for video in videos]
        support[f"vc{n}"] = (sum(bool((~np.isnan(v)).any()) for v in values), f"with windows for VC{n}")
    return support


def _interval(values: NDArray[np.float64], support: tuple[int, str]) -> dict[str, float | str | None]:
    count, having = support
    if count < FEWEST:
        reason = f"{count} video{'' if count == 1 else 's'} {having}, of the {FEWEST} that an interval needs"
        return {"low": None, "high": None, "reason": reason}
    low, high = np.percentile(values[~np.isnan(values)], [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return {"low": float(low), "high": float(high), "reason": None}


def _head(seed: int) -> dict[str, Any]:
    return {"level": LEVEL, "resamples": RESAMPLES, "seed": seed}
