"""The score: its kernels against a plain transcription, the whole command against Pillow, one worker against two.

Kernels and command: CPU time of one thread, medians of interleaved rounds. Workers: wall time, beside what two
processes that share nothing reach on this machine at this moment.
"""

import contextlib
import io
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vsscli.cli.main import run
from vsscli.data.classes import vspw_classes
from vsscli.data.open import open_dataset
from vsscli.maps.confusion import PairCounter
from vsscli.maps.consistency import WindowCounter
from vsscli.runs.labels import write_labels
from vsscli.runs.run import open_run
from vsscli.score.protocols import find_protocol
from vsscli.score.reading import count_run, make_rule

SIZE = (480, 853)
FRAMES = 71  # per video, the mean of VSPW's val split
ROUNDS = 5
Clip = NDArray[np.uint8]  # [T, H, W]


def make_clip(seed: int) -> tuple[Clip, Clip]:
    """Stored truth: thirty moving regions with ragged outlines; prediction: a few pixels late, with wrong patches."""
    random = np.random.default_rng(seed)
    ids = random.choice(124, 30, replace=False)
    sites, speed = random.uniform(0, 1, (30, 2)) * SIZE, random.normal(0, 1.5, (30, 2))
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    ragged = 400 * (np.sin(columns / 7) + np.sin(rows / 5))
    truth, prediction = np.zeros((2, FRAMES, *SIZE), np.uint8)
    for k in range(FRAMES):
        best = np.full(SIZE, np.inf, np.float32)
        for site, label in zip(sites + speed * k, ids, strict=True):
            distance = (rows - site[0]) ** 2 + (columns - site[1]) ** 2 + ragged * np.sin(label)
            nearer = distance < best
            best[nearer], truth[k][nearer] = distance[nearer], label + 1
        wrong = np.kron(random.random((60, 107)) < 0.03, np.ones((8, 8), bool))[: SIZE[0], : SIZE[1]]
        prediction[k] = np.where(wrong, random.choice(ids), np.roll(truth[k], 3, axis=1) - 1)
    truth[:, :4], truth[:, :, -3:] = 0, 255
    return truth, prediction


def plain(truth: Clip, prediction: Clip) -> tuple[NDArray[np.int64], list[list[int]]]:
    """The definitions as they read: ``bincount`` per frame, every window scanned in full, for 8 and for 16 frames."""
    pairs = np.zeros(1 << 16, np.int64)
    for t, p in zip(truth, prediction, strict=True):
        pairs += np.bincount(t.ravel().astype(np.int64) * 256 + p.ravel(), minlength=1 << 16)
    windows = []
    for n in (8, 16):
        for i in range(len(truth) - n):
            held, same = np.ones(SIZE, bool), np.ones(SIZE, bool)
            for j in range(1, n):
                held = np.logical_and(held, truth[i] == truth[i + j])
                same = np.logical_and(same, prediction[i] == prediction[i + j])
            windows.append([int((same * held).sum()), int(held.sum())])
    return pairs.reshape(256, 256), windows


def kernels(truth: Clip, prediction: Clip) -> tuple[NDArray[np.int64], list[list[int]]]:
    """The same numbers from the kernels."""
    pairs, counter = PairCounter(np.ones(256, bool)), WindowCounter((8, 16))
    rows = []
    for t, p in zip(truth, prediction, strict=True):
        pairs.add(t, p)
        rows.append(counter.add(t, p).tolist())
    return pairs.pairs, [rows[i + n - 1][k] for k, n in enumerate((8, 16)) for i in range(len(truth) - n)]


def cpu_times(*works: Callable[[], object]) -> list[float]:
    """Median CPU seconds of each, in interleaved rounds after one that is not counted."""
    times: list[list[float]] = [[] for _ in works]
    for lap in range(ROUNDS + 1):
        for work, seconds in zip(works, times, strict=True):
            started = time.process_time()
            work()
            if lap:
                seconds.append(time.process_time() - started)
    return [statistics.median(seconds) for seconds in times]


def bench_kernels(clip: tuple[Clip, Clip]) -> None:
    ours, reference = kernels(*clip), plain(*clip)
    assert np.array_equal(ours[0], reference[0]) and ours[1] == reference[1]
    slow, fast = cpu_times(lambda: plain(*clip), lambda: kernels(*clip))
    print("kernels on arrays in memory, confusion and VC8 and VC16, 480x853, CPU ms a frame")
    print(f"  plain {1000 * slow / FRAMES:6.2f}   ours {1000 * fast / FRAMES:5.2f}   {slow / fast:5.1f}x   (goal 10x)")


def write_world(root: Path, clips: list[tuple[Clip, Clip]], videos: int, palette: bytes | None) -> None:
    """``videos`` videos that repeat ``clips``, in VSPW's layout, and a run."""
    names = [f"{i}_v" for i in range(videos)]
    for i, name in enumerate(names):
        folders = [root / "data" / "data" / name / "mask", root / "run" / name]
        (root / "data" / "data" / name / "origin").mkdir(parents=True)
        for k in range(FRAMES):
            (root / "data" / "data" / name / "origin" / f"{k:08d}.jpg").write_bytes(b"not read")
        if i >= len(clips):
            for folder, source in zip(folders, ("data/data/{}/mask", "run/{}"), strict=True):
                shutil.copytree(root / source.format(names[i % len(clips)]), folder)
            continue
        for folder, values in zip(folders, clips[i], strict=True):
            folder.mkdir(parents=True)
            for k in range(FRAMES):
                write_labels(folder / f"{k:08d}.png", values[k], palette)
    (root / "data" / "val.txt").write_text("\n".join(names))


def decode(root: Path, videos: list[str]) -> None:
    """The floor: Pillow decodes every mask and every label map of ``videos`` into an array."""
    for name in videos:
        for folder in (root / "data" / "data" / name / "mask", root / "run" / name):
            for path in sorted(folder.iterdir()):
                np.asarray(Image.open(path))


def command(root: Path, videos: list[str]) -> None:
    """The whole command, one worker, to its JSON and its table."""
    options = ["--workers", "1", "--videos", ",".join(videos), "--json", str(root / "score.json")]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert run(["score", str(root / "run"), "--data", str(root / "data"), *options]) == 0
    assert json.loads((root / "score.json").read_text())["frames"] == FRAMES * len(videos)


def bench_command(clips: list[tuple[Clip, Clip]], folder: Path) -> None:
    print("the whole command, CPU ms a frame; marginal: 6 videos less 2 videos")
    for kind, palette in (("palette", vspw_classes().palette), ("gray", None)):
        root = folder / kind
        write_world(root, clips, 6, palette)
        names = list(open_dataset(root / "data", "val").names())
        times = cpu_times(
            lambda root=root, names=names: decode(root, names),  # type: ignore[misc]
            lambda root=root, names=names: decode(root, names[:2]),  # type: ignore[misc]
            lambda root=root, names=names: command(root, names),  # type: ignore[misc]
            lambda root=root, names=names: command(root, names[:2]),  # type: ignore[misc]
        )
        floor, ours = (1000 * (times[i] - times[i + 1]) / (4 * FRAMES) for i in (0, 2))
        print(f"  {kind:8} Pillow {floor:5.2f}   ours {ours:5.2f}   {ours / floor:5.2f}x   (goal 1.4x)")


def burn(seconds_of_work: int) -> None:
    """Work that shares nothing."""
    total = 0
    for i in range(seconds_of_work * 10_000_000):
        total += i


def two_burners() -> float:
    """How much more two processes do than one, at the same time: 2 where two cores are free."""
    context = multiprocessing.get_context("spawn")
    walls = []
    for number in (1, 2):
        processes = [context.Process(target=burn, args=(6,)) for _ in range(number)]
        started = time.perf_counter()
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        walls.append(time.perf_counter() - started)
    return 2 * walls[0] / walls[1]


def cpu() -> float:
    """CPU seconds of this process and of the workers that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def bench_workers(clips: list[tuple[Clip, Clip]], folder: Path) -> None:
    videos = 96
    write_world(folder, clips, videos, vspw_classes().palette)
    dataset = open_dataset(folder / "data", "val")
    rule = make_rule(dataset, find_protocol("vspw"))
    print(f"workers, {videos} videos of {FRAMES} frames, wall seconds (goal 1.7x where two cores are free)")
    scores = []
    for _ in range(3):
        free, load = two_burners(), os.getloadavg()[0]
        walls, cpus = [], []
        for workers in (1, 2):
            started, used = time.perf_counter(), cpu()
            scores.append(count_run(open_run(folder / "run"), dataset, rule, workers=workers))
            walls.append(time.perf_counter() - started)
            cpus.append(cpu() - used)
        print(
            f"  1 worker {walls[0]:5.2f} (CPU {cpus[0]:5.2f})   2 workers {walls[1]:5.2f} (CPU {cpus[1]:5.2f})   "
            f"{walls[0] / walls[1]:4.2f}x   two processes that share nothing: {free:4.2f}x, load {load:.1f}"
        )
    results = [[(video.video, video.pixels.tolist()) for video in score.videos] for score in scores]
    assert all(result == results[0] for result in results)


def main() -> None:
    clips = [make_clip(seed) for seed in range(2)]
    bench_kernels(clips[0])
    with tempfile.TemporaryDirectory() as folder:
        bench_command(clips, Path(folder) / "command")
        bench_workers(clips, Path(folder) / "workers")


if __name__ == "__main__":
    main()
