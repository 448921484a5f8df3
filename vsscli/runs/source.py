"""The frames that runs were made from, for those who read both."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from vsscli.data.dataset import Dataset, natural_key
from vsscli.data.images import image_size
from vsscli.errors import DataError, RunError
from vsscli.runs.merge import check_frames
from vsscli.runs.run import Run

Array = NDArray[np.uint8]

_HINT = "Give the dataset the runs were made from (--data, --split)."


def where(dataset: Dataset) -> str:
    """``val.txt of DATA``, or the folder alone."""
    return f"{dataset.split}.txt of {dataset.root}" if dataset.split else str(dataset.root)


def check_source(dataset: Dataset, runs: Sequence[Run], videos: Sequence[str], chosen: Sequence[str]) -> None:
    """RunError naming the first of ``videos`` that is not in ``dataset``, or of ``chosen`` with other frames or size.

    A video of the dataset that cannot be read is passed over: it fails later, and no other.
    """
    names = frozenset(dataset.names())
    for video in videos:
        if video not in names:
            raise RunError(f"Video {video} of {runs[0].path} is not in {where(dataset)}.", _HINT)
    for video in chosen:
        with suppress(DataError):
            check_source_frames(dataset, runs[0], video)
            frame = runs[0].frames(video)[0]
            size = image_size(runs[0].path / video / f"{frame}.png")
            _check_size(dataset, runs[0], video, frame, dataset.video(video).image_size(frame), size)


def check_source_frames(dataset: Dataset, run: Run, video: str) -> None:
    """RunError naming the first frame of ``video`` that only one of ``dataset`` and ``run`` has."""
    frames, maps = dataset.video(video).frames, run.frames(video)
    odd = frozenset(frames) ^ frozenset(maps)
    if odd:
        frame = min(odd, key=natural_key)
        has, lacks = (dataset.root, run.path) if frame in frames else (run.path, dataset.root)
        raise RunError(f"Frame {frame} of video {video} is missing in {lacks} and there in {has}.", _HINT)


def frames_and_maps(dataset: Dataset, runs: Sequence[Run], video: str) -> Iterator[tuple[Array, list[Array]]]:
    """The frames of ``video`` in order, RGB ``uint8 [H, W, 3]``, each with the runs' maps ``uint8 [H, W]``.

    Each file is decoded once. RunError or DataError naming the frame that is missing, does not decode, or is of
    another size than its map or the frame before.
    """
    check_frames(runs, video)
    check_source_frames(dataset, runs[0], video)
    source, before = dataset.video(video), None
    for frame, image in zip(source.frames, source.images(), strict=True):
        size = (image.shape[0], image.shape[1])
        if before not in (None, size):
            raise DataError(
                f"Frame {frame} of video {video} in {dataset.root} is {_show(size)}, the frame before is another size.",
                "All frames of a video must have one size here.",
            )
        maps = [run.labels(video, frame) for run in runs]
        for run, labels in zip(runs, maps, strict=True):
            _check_size(dataset, run, video, frame, size, labels.shape)
        before = size
        yield image, maps


def _check_size(
    dataset: Dataset, run: Run, video: str, frame: str, size: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    if size != expected:
        raise RunError(
            f"Frame {frame} of video {video} is {_show(size)} in {dataset.root} and {_show(expected)} in {run.path}.",
            _HINT,
        )


def _show(size: tuple[int, ...]) -> str:
    return f"{size[1]}x{size[0]}"
