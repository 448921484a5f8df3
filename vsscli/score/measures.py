"""From counts to numbers, in the arithmetic of the official scripts: float64, in their order, to the last bit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsscli.score.protocols import Protocol
from vsscli.score.tally import VideoCounts

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClassRates:
    """Per class: ``iou`` and ``acc`` with NaN where undefined, pixels in truth and prediction, and whether the class
    is among those that mIoU averages over."""

    iou: Floats
    acc: Floats
    truth: Floats
    predicted: Floats
    counted: NDArray[np.bool_]


def class_rates(pixels: NDArray[np.int64], protocol: Protocol) -> ClassRates:
    """The rates of each class from ``int64 [..., K, K + 1]`` pixels by true and predicted class."""
    hits = np.diagonal(pixels, axis1=-2, axis2=-1).astype(np.float64)
    truth = pixels.sum(axis=-1).astype(np.float64)
    predicted = pixels[..., :-1].sum(axis=-2).astype(np.float64)
    return rates(hits, truth, predicted, protocol)


def rates(hits: Floats, truth: Floats, predicted: Floats, protocol: Protocol) -> ClassRates:
    """The rates of each class from its pixels, ``float64 [..., K]``: hit, in the truth, in the prediction."""
    with np.errstate(invalid="ignore"):
        iou, acc = hits / (truth + predicted - hits), hits / truth
    counted = truth > 0
    if protocol.mean_over == "truth or prediction":
        counted = counted | (predicted > 0)
    return ClassRates(iou, acc, truth, predicted, counted)


def measures(
    videos: Sequence[VideoCounts], protocol: Protocol, lengths: Sequence[int], classes: int
) -> dict[str, float | None]:
    """``miou, wiou, pixel_acc, class_acc`` and ``vc<n>`` of videos together, fractions; None where undefined.

    The order of the videos decides the last bits of VC: give them in the order of the split's list.
    """
    pixels = sum_pixels(videos, classes)
    rate = class_rates(pixels, protocol)
    result: dict[str, float | None] = dict.fromkeys(("miou", "wiou", "pixel_acc", "class_acc"))
    if rate.truth.any():
        total = rate.truth.sum()
        share, present = rate.truth / total, rate.truth > 0
        result["miou"] = _masked_mean(rate.iou, rate.counted)
        weighted = float((share[present] * rate.iou[present]).sum())
        result["wiou"] = min(weighted, 1.0)  # shares that add up to a bit more than 1
        result["pixel_acc"] = float(np.diagonal(pixels).sum() / total)
        result["class_acc"] = _masked_mean(rate.acc, present)
    for n in lengths:
        values = window_values(videos, protocol.pooled(n))
        defined = ~np.isnan(values)
        result[f"vc{n}"] = _masked_mean(values, defined) if defined.any() else None
    return result


def sum_pixels(videos: Iterable[VideoCounts], classes: int) -> NDArray[np.int64]:
    """``int64 [K, K + 1]``: the pixels of all videos by true and predicted class (the last column: no label)."""
    return sum((video.pixels for video in videos), np.zeros((classes, classes + 1), np.int64))


def looks_shifted(pixels: NDArray[np.int64]) -> bool:
    """Whether most predictions are the class after the true one: maps stored as VSPW stores its masks.

    ``pixels`` is ``int64 [K, K + 1]`` as of `sum_pixels`.
    """
    known = pixels[:, :-1]
    return bool(2 * np.trace(known, offset=1) > pixels.sum() > 0)


def window_values(videos: Sequence[VideoCounts], pooled: Sequence[int]) -> Floats:
    """The values of all windows, length by length and video by video; NaN for those without a constant true pixel."""
    parts = [video.windows[n] for n in pooled for video in videos if n in video.windows]
    counts = np.concatenate([np.zeros((0, 2), np.int64), *parts])
    with np.errstate(invalid="ignore"):
        values: Floats = counts[:, 0] / counts[:, 1]
    return values


def _masked_mean(values: Floats, mask: NDArray[np.bool_]) -> float:
    """The mean where ``mask`` holds: the others stay in the sum as zeros, which fixes the order of the additions."""
    return float(np.where(mask, values, 0.0).sum() / mask.sum())
