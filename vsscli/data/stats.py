"""Counting what a dataset holds: videos, frames, sizes, windows, pixels of each class."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import IGNORE
from vsscli.data.dataset import Dataset
from vsscli.errors import DataError

WINDOWS = (8, 16)


@dataclass
class VideoCounts:
    """One video: ``sizes`` counts its frames by (H, W); ``pixels`` and ``in_frames`` are by label, ``int64 [256]``."""

    video: str
    frames: int = 0
    masks: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    in_frames: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    odd: Counter[int] = field(default_factory=Counter)
    error: str | None = None


def count_video(dataset: Dataset, name: str) -> VideoCounts:
    """Counts one video; what cannot be read stands in ``error``."""
    counts = VideoCounts(name)
    try:
        video = dataset.video(name)
        counts.frames = len(video.frames)
        counts.sizes.update(video.image_size(frame) for frame in video.frames)
        for frame in video.masked():
            assert dataset.numbering is not None
            stored = np.bincount(video.stored_mask(frame).ravel(), minlength=256)
            by_label = np.zeros(256, np.int64)
            np.add.at(by_label, dataset.numbering.labels, stored)
            counts.masks += 1
            counts.pixels += by_label
            counts.in_frames += by_label > 0
            counts.odd.update({value: int(stored[value]) for value in dataset.numbering.odd if stored[value]})
    except DataError as error:
        return VideoCounts(name, error=error.message)
    return counts


def describe(dataset: Dataset, videos: Sequence[VideoCounts]) -> dict[str, Any]:
    """The totals as JSON; ``void_share`` and ``per_class`` are null where there are no masks.

    ``windows`` are those of VC8 and VC16: T - n for every video of T > n frames. A class's ``share`` is of the
    pixels that have a label.
    """
    good = [counts for counts in videos if counts.error is None]
    lengths = np.array([counts.frames for counts in good] or [0])
    sizes = Counter(size for counts in good for size in counts.sizes)
    pixels = sum((counts.pixels for counts in good), np.zeros(256, np.int64))
    odd = sum((counts.odd for counts in good), Counter[int]())
    return {
        "dataset": dataset.kind,
        "root": str(dataset.root),
        "split": dataset.split,
        "videos": len(good),
        "frames": int(lengths.sum()),
        "masks": sum(counts.masks for counts in good),
        "length": {
            "min": int(lengths.min()),
            "median": float(np.median(lengths)),
            "max": int(lengths.max()),
        },
        "sizes": [{"height": h, "width": w, "videos": n} for (h, w), n in sorted(sizes.items(), key=_often)],
        "windows": {str(n): int(np.maximum(lengths - n, 0).sum()) for n in WINDOWS},
        "pixels": int(pixels.sum()),
        "void_share": _share(pixels[IGNORE], pixels.sum()),
        "odd_values": {str(value): odd[value] for value in sorted(odd)},
        "per_class": _per_class(dataset, good, pixels),
        "per_video": [_row(counts) for counts in good],
        "failed": {counts.video: counts.error for counts in videos if counts.error is not None},
    }


def _often(item: tuple[tuple[int, int], int]) -> tuple[int, tuple[int, int]]:
    return -item[1], item[0]


def _share(part: np.integer[Any], whole: np.integer[Any]) -> float | None:
    return float(part / whole) if whole else None


def _per_class(
    dataset: Dataset, videos: Sequence[VideoCounts], pixels: NDArray[np.int64]
) -> list[dict[str, Any]] | None:
    if dataset.classes is None or not any(counts.masks for counts in videos):
        return None
    labelled = pixels[: len(dataset.classes)].sum()
    return [
        {
            "id": i,
            "name": name,
            "thing": dataset.classes.things[i],
            "pixels": int(pixels[i]),
            "share": _share(pixels[i], labelled),
            "frames": sum(int(counts.in_frames[i]) for counts in videos),
            "videos": sum(bool(counts.in_frames[i]) for counts in videos),
        }
        for i, name in enumerate(dataset.classes.names)
    ]


def _row(counts: VideoCounts) -> dict[str, Any]:
    (height, width), _ = counts.sizes.most_common(1)[0]
    labels = counts.pixels[:IGNORE]
    return {
        "video": counts.video,
        "frames": counts.frames,
        "masks": counts.masks,
        "height": height,
        "width": width,
        "sizes": len(counts.sizes),
        "classes": int((labels > 0).sum()) if counts.masks else None,
        "void_share": _share(counts.pixels[IGNORE], counts.pixels.sum()),
    }
