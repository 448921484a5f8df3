"""Several runs of the same videos: whether they are alike, how they rank, and their vote."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from math import prod

import numpy as np
from numpy.typing import NDArray

from vsscli.data.dataset import natural_key
from vsscli.data.images import image_size
from vsscli.errors import DataError, OptionError, RunError
from vsscli.maps.vote import vote
from vsscli.runs.run import Run

BY_SIZE = "larger network input first, then unflipped, then as listed"
AS_LISTED = "as listed"


def tie_rule(runs: Sequence[Run]) -> str:
    """How ``runs`` rank in ties: `BY_SIZE` where each is one view of a network and tells so, else `AS_LISTED`."""
    views = [run.manifest.view if run.manifest is not None else None for run in runs]
    return BY_SIZE if all(view is not None for view in views) else AS_LISTED


def ranked(runs: Sequence[Run], video: str) -> list[Run]:
    """``runs``, the best-ranked first, by `tie_rule`; the sizes are those of ``video``. Raises RunError."""
    if tie_rule(runs) == AS_LISTED:
        return list(runs)
    return sorted(runs, key=lambda run: (-_input_pixels(run, video), _flipped(run)))


def vote_runs(runs: Sequence[Run], video: str) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """The frames of ``video`` in order: (name, the vote of 1 to 255 ``runs``, ``uint8 [H, W]``).

    RunError naming run, video and frame where a map does not decode or is of another size.
    """
    check_frames(runs, video)
    order = ranked(runs, video)
    for frame in runs[0].frames(video):
        maps = [run.labels(video, frame) for run in order]
        for run, labels in zip(order, maps, strict=True):
            _check_size(video, frame, run, labels.shape, order[0], maps[0].shape)
        yield frame, vote(maps)


def check_once(runs: Sequence[Run], hint: str) -> None:
    """OptionError with ``hint`` where a run is listed twice, by whatever path."""
    places = [run.path.resolve() for run in runs]
    for i, place in enumerate(places):
        if place in places[:i]:
            raise OptionError(f"The run {runs[i].path} is listed twice.", hint)


def check_tables(runs: Sequence[Run]) -> None:
    """RunError naming the first two of ``runs`` that number their classes differently, and the first such class."""
    told = [(run, run.table) for run in runs if run.table is not None]
    for run, table in told[1:]:
        first, expected = told[0]
        if table.digest == expected.digest:
            continue
        pairs = zip_longest(table.names, expected.names)
        i, (theirs, ours) = next((i, pair) for i, pair in enumerate(pairs) if pair[0] != pair[1])
        raise RunError(
            f"The class tables of {run.path} ({table.name}) and {first.path} ({expected.name}) differ: "
            f"class {i} is {theirs!r} there and {ours!r} here.",
            "Make both runs with one class table (infer --class-map).",
        )


def check_videos(runs: Sequence[Run], videos: Sequence[str]) -> None:
    """RunError naming the first of ``videos`` that one of ``runs`` lacks, and that run."""
    there = [frozenset(run.names()) for run in runs]
    for video in videos:
        for run, names in zip(runs, there, strict=True):
            if video not in names:
                other = next((r for r, has in zip(runs, there, strict=True) if video in has), None)
                state = "is not finished" if video in run.unfinished() else "is missing"
                raise RunError(
                    f"Video {video} {state} in {run.path}{f' and there in {other.path}' if other else ''}.",
                    "Finish that run, or take only videos that all runs have (--videos).",
                )


def check_frames(runs: Sequence[Run], video: str) -> None:
    """RunError naming the first frame of ``video`` that one of ``runs`` lacks, and that run."""
    frames = [run.frames(video) for run in runs]
    for run, names in zip(runs[1:], frames[1:], strict=True):
        missing = [(frame, run, runs[0]) for frame in frames[0] if frame not in names]
        missing += [(frame, runs[0], run) for frame in names if frame not in frames[0]]
        if missing:
            frame, lacks, has = min(missing, key=lambda found: natural_key(found[0]))
            raise RunError(
                f"Frame {frame} of video {video} is missing in {lacks.path} and there in {has.path}.",
                "Runs vote frame by frame: make them all from the same videos.",
            )


def check_sizes(runs: Sequence[Run], video: str) -> None:
    """RunError when the first frame of ``video`` has another size in one of ``runs``; reads headers alone.

    A header that cannot be read is passed over: it fails its video later, and no other.
    """
    frame = runs[0].frames(video)[0]
    with suppress(DataError):
        sizes = [image_size(run.path / video / f"{frame}.png") for run in runs]
        for run, size in zip(runs, sizes, strict=True):
            _check_size(video, frame, run, size, runs[0], sizes[0])


def _check_size(video: str, frame: str, run: Run, size: tuple[int, ...], other: Run, expected: tuple[int, ...]) -> None:
    if size != expected:
        raise RunError(
            f"Frame {frame} of video {video} is {size[1]}x{size[0]} in {run.path} "
            f"and {expected[1]}x{expected[0]} in {other.path}.",
            "Runs vote pixel by pixel: make them all at the size of the video.",
        )


def _input_pixels(run: Run, video: str) -> int:
    record = run.record(video)
    size = record.facts.get("input") if record is not None else None
    if not (isinstance(size, list) and all(isinstance(side, int) for side in size)):
        raise RunError(
            f"The record of video {video} in {run.path} does not tell the network's input size.",
            "Remove that video and its record under .vsscli/done, and repeat the command that made the run.",
        )
    return prod(size)


def _flipped(run: Run) -> bool:
    return run.manifest is not None and run.manifest.view is not None and bool(run.manifest.view.get("flip"))
