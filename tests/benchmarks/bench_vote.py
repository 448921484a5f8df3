"""The vote against decoding the maps it votes on, and the whole command.

CPU time of one thread, medians of interleaved rounds. The floor is Pillow decoding the same files.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import vspw_classes
from vsscli.maps.vote import vote
from vsscli.runs.labels import read_labels, write_labels

SIZE = (480, 853)
RUNS, FRAMES, ROUNDS = 8, 12, 9


def scene(random: np.random.Generator) -> NDArray[np.float64]:
    """Forty ellipses (y, x, height, width, class), drawn one over the other."""
    low, high = (0, 0, 15, 15, 0), (*SIZE, 150, 250, 124)
    return random.uniform(low, high, (40, 5))


def draw(shapes: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.uint8]:
    """A label map of the scene as one model sees it: outlines displaced, a tenth of the shapes of another class."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    labels = np.zeros(SIZE, np.uint8)
    for y, x, height, width, label in shapes + random.normal(0, (3, 3, 3, 3, 0), shapes.shape):
        inside = ((rows - y) / height) ** 2 + ((columns - x) / width) ** 2 < 1
        labels[inside] = random.integers(124) if random.random() < 0.1 else int(label)
    return labels


def make_runs(folder: Path) -> list[Path]:
    """``RUNS`` folders with one video of ``FRAMES`` frames."""
    random = np.random.default_rng(0)
    runs = [folder / f"run{i}" for i in range(RUNS)]
    for run in runs:
        (run / "v0").mkdir(parents=True)
    for frame in range(FRAMES):
        shapes = scene(random)
        for run in runs:
            write_labels(run / "v0" / f"{frame:08d}.png", draw(shapes, random), vspw_classes().palette)
    return runs


def interleaved(*functions: Callable[[], object]) -> list[float]:
    """Median CPU milliseconds per frame of functions that work through all frames, called in turns."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, spent in zip(functions, times, strict=True):
            start = time.process_time()
            function()
            spent.append((time.process_time() - start) * 1000 / FRAMES)
    return [statistics.median(spent) for spent in times]


def kernel(runs: list[Path]) -> None:
    files = [[run / "v0" / f"{frame:08d}.png" for run in runs] for frame in range(FRAMES)]
    print("  runs   decode ms   decode + vote ms   ratio   vote alone ms")
    for count in (2, 3, 4, 8):
        maps = [[read_labels(path) for path in paths[:count]] for paths in files]
        vote(maps[0])
        decode, both, alone = interleaved(
            lambda n=count: [len([read_labels(path) for path in paths[:n]]) for paths in files],  # type: ignore[misc]
            lambda n=count: [len(vote([read_labels(path) for path in paths[:n]])) for paths in files],  # type: ignore[misc]
            lambda m=maps: [len(vote(frame)) for frame in m],  # type: ignore[misc]
        )
        print(f"{count:6}   {decode:9.2f}   {both:16.2f}   {both / decode:5.2f}   {alone:13.2f}")


def more_videos(runs: list[Path], videos: int) -> None:
    """Further videos with the same content."""
    for run in runs:
        for video in range(1, videos):
            (run / f"v{video}").mkdir(exist_ok=True)
            for path in (run / "v0").iterdir():
                (run / f"v{video}" / path.name).write_bytes(path.read_bytes())


def command(runs: list[Path], out: Path, videos: int) -> float:
    """CPU seconds of ``vsscli ensemble`` over ``videos`` videos with one worker, start of the process included."""
    chosen = ",".join(f"v{i}" for i in range(videos))
    line = [sys.executable, "-m", "vsscli", "ensemble", *map(str, runs), "--out", str(out), "--videos", chosen]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*line, "--workers", "1"], check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def whole(runs: list[Path], folder: Path) -> None:
    few, many = 2, 22
    more_videos(runs, many)
    short, long = zip(
        *((command(runs, folder / f"a{i}", few), command(runs, folder / f"b{i}", many)) for i in range(3)), strict=True
    )
    frames = (many - few) * FRAMES
    each = (statistics.median(long) - statistics.median(short)) / frames
    fixed = statistics.median(short) - few * FRAMES * each
    print(
        f"vsscli ensemble, {RUNS} runs, one worker: {each * 1000:.2f} ms per frame, writing included; "
        f"start {fixed:.2f} s"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        runs = make_runs(folder)
        print(f"{RUNS} runs, {FRAMES} frames of {SIZE[1]}x{SIZE[0]}, palette PNG; CPU time, one thread")
        kernel(runs)
        whole(runs, folder)
