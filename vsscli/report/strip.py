"""One video of a report: its strip of frames, its flicker, the questions about it: made by one worker, plain data."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsscli.data.dataset import FolderVideo, Video
from vsscli.data.images import read_image
from vsscli.errors import RunError
from vsscli.report.flicker import Flicker
from vsscli.report.pictures import draw_errors, draw_heat, draw_labels, small_frame, small_labels
from vsscli.report.questions import Topic, ask_again
from vsscli.report.stages import Stages

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Sheet:
    """``block``: what the page shows when the video is opened, as JSON; ``flicker``: per run the mean share of pixels
    that change from frame to frame, None for a single frame; ``truth``: that of the masks, None without them."""

    video: str
    frames: int
    block: dict[str, Any]
    flicker: tuple[float | None, ...]
    truth: float | None


def spread(count: int, most: int) -> tuple[int, ...]:
    """The places of ``most`` frames at most of ``count``, evenly spread, the first and the last among them."""
    if count <= most:
        return tuple(range(count))
    return tuple(round(i * (count - 1) / max(most - 1, 1)) for i in range(most))


def make_sheet(stages: Stages, most: int, topics: Sequence[Topic], video: str) -> Sheet:
    """Reads every label map and mask of ``video`` once, one frame at a time, and ``most`` of its frames.

    ``topics`` are the regions of the video that a model was asked about. DataError or RunError naming a file that does
    not decode or is of another size.
    """
    source = stages.dataset.video(video)
    shown = frozenset(spread(len(source.frames), most))
    masked = frozenset(source.masked()) if video in stages.masked else frozenset()
    images = _picked(source, shown)
    flickers, truth_flicker = [Flicker() for _ in stages.runs], Flicker()
    pixels: Counter[int] = Counter()
    frames = []
    for number, frame in enumerate(source.frames):
        truth = source.labels(frame) if frame in masked else None
        truth_flicker.add(truth)
        maps = []
        for run, flicker in zip(stages.runs, flickers, strict=True):
            maps.append(run.labels(video, frame))
            flicker.add(maps[-1])
        if number in shown:
            image = next(images)
            _check_sizes(f"Frame {frame} of video {video}", stages, image, truth, maps[0])
            small = [small_labels(labels) for labels in maps]
            small_truth = None if truth is None else small_labels(truth)
            frames.append(_frame(stages, frame, image, small_truth, small))
            for labels in small if small_truth is None else [*small, small_truth]:
                pixels.update(dict(enumerate(np.bincount(labels.ravel(), minlength=256).tolist())))
    block = {
        "frames": frames,
        "classes": [label for label, count in pixels.most_common() if count and label < len(stages.table)],
        "flicker": [_rounded(flicker) for flicker in flickers],
        "truth": _rounded(truth_flicker) if masked else None,
        "heat": [_heat(flicker) for flicker in flickers],
        "truthHeat": _heat(truth_flicker) if masked else None,
        "topics": ask_again(stages, video, topics),
    }
    means = tuple(flicker.mean for flicker in flickers)
    return Sheet(video, len(source.frames), block, means, truth_flicker.mean)


def _frame(stages: Stages, name: str, image: Labels, truth: Labels | None, maps: Sequence[Labels]) -> dict[str, Any]:
    """A frame of the strip; ``truth`` and ``maps`` are small."""
    return {
        "name": name,
        "image": small_frame(image),
        "truth": None if truth is None else draw_labels(truth, stages.table),
        "maps": [draw_labels(labels, stages.table) for labels in maps],
        "errors": None if truth is None else [draw_errors(labels, truth) for labels in maps],
    }


def _picked(source: Video, wanted: frozenset[int]) -> Iterator[Labels]:
    """The frames at the places ``wanted``, in order, RGB; of a folder no other is decoded."""
    if isinstance(source, FolderVideo):
        files = list(source.files.values())
        return (read_image(files[number].image) for number in sorted(wanted))
    return (image for number, image in enumerate(source.images()) if number in wanted)


def _check_sizes(where: str, stages: Stages, image: Labels, truth: Labels | None, labels: Labels) -> None:
    for what, shape in (("the frame", image.shape[:2]), ("its mask", None if truth is None else truth.shape)):
        if shape not in (None, labels.shape):
            raise RunError(
                f"{where}: {what} is {shape[1]}x{shape[0]}, its map in {stages.runs[0].path} "
                f"{labels.shape[1]}x{labels.shape[0]}.",
                "Give the dataset the runs were made from (--data, --split).",
            )


def _rounded(flicker: Flicker) -> list[float | None]:
    """Shares with as many digits as a plot can show."""
    return [None if share is None else round(share, 5) for share in flicker.shares]


def _heat(flicker: Flicker) -> str | None:
    return None if flicker.map is None else draw_heat(flicker.map)
