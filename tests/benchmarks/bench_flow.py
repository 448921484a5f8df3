"""Choosing by motion against Farneback alone, and against the plain way.

CPU time of one process and one thread, medians of interleaved rounds, per pair of frames. Everything is in it that
``vsscli ensemble --method flow-ssim`` does to choose: decoding frames and label maps, flow, warp, SSIM. The plain way
computes the flow for each run and compares with scikit-image, whose large temporary arrays cost two to three times as
much where the allocator hands them back to the system every time: try MALLOC_MMAP_THRESHOLD_=131072 and =1000000000.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity

from tests.benchmarks.bench_vote import draw, scene
from vsscli.data.classes import vspw_classes
from vsscli.data.open import open_dataset
from vsscli.data.plain import PlainDataset
from vsscli.ensemble.consistency import Consistency
from vsscli.maps.flow import backward_flow, gray
from vsscli.maps.ssim import class_ssim, id_ssim, windows_inside
from vsscli.maps.warp import flow_sources, warp
from vsscli.runs.labels import write_labels
from vsscli.runs.run import Run, open_run
from vsscli.runs.source import frames_and_maps

FRAMES, ROUNDS = 6, 7
PAIRS = FRAMES - 1


def make(folder: Path, runs: int) -> tuple[PlainDataset, list[Run]]:
    """A video of a scene that pans, in JPEG, and runs that see it each in their way."""
    random = np.random.default_rng(0)
    shapes = scene(random)
    video, paths = folder / "data" / "v", [folder / f"run{i}" for i in range(runs)]
    for path in (video, *(path / "v" for path in paths)):
        path.mkdir(parents=True)
    grain = cv2.GaussianBlur(random.integers(0, 256, (600, 1000, 3), dtype=np.uint8), (0, 0), 2)
    for i in range(FRAMES):
        moved = shapes + np.array([2.0 * i, 3.0 * i, 0, 0, 0])
        truth = draw(moved, random)
        picture = truth[..., None] // 2 + grain[2 * (20 - i) :, 3 * (20 - i) :][: truth.shape[0], : truth.shape[1]] // 2
        Image.fromarray(picture.astype(np.uint8)).save(video / f"{i:08d}.jpg", quality=90)
        for path in paths:
            write_labels(path / "v" / f"{i:08d}.png", draw(moved, random), vspw_classes().palette)
    dataset = open_dataset(folder / "data")
    assert isinstance(dataset, PlainDataset)
    return dataset, [open_run(path) for path in paths]


def ours(dataset: PlainDataset, runs: list[Run], ssim_on: str) -> tuple[float, ...]:
    consistency = Consistency(len(runs), ssim_on)
    for image, maps in frames_and_maps(dataset, runs, "v"):
        consistency.add(gray(image), maps)
    assert consistency.means is not None
    return consistency.means


def plainly(dataset: PlainDataset, runs: list[Run]) -> tuple[float, ...]:
    """Each run for itself, warped by OpenCV: what a script does that was written for one model."""
    means = []
    for run in runs:
        values, before = [], None
        for image, (labels,) in frames_and_maps(dataset, [run], "v"):
            frame = gray(image)
            if before is not None:
                flow = backward_flow(before[0], frame)
                x, y = np.meshgrid(
                    np.arange(flow.shape[1], dtype=np.float32), np.arange(flow.shape[0], dtype=np.float32)
                )
                warped = cv2.remap(before[1], x + flow[..., 0], y + flow[..., 1], cv2.INTER_NEAREST)
                _, full = structural_similarity(warped, labels, full=True)
                values.append(float(full[3:-3, 3:-3].mean()))
            before = frame, labels
        means.append(float(np.mean(values)))
    return tuple(means)


def interleaved(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median CPU milliseconds per pair of frames, by name, of functions called in turns."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(ROUNDS):
        for name, function in functions.items():
            start = time.process_time()
            function()
            times[name].append((time.process_time() - start) * 1000 / PAIRS)
    return {name: statistics.median(spent) for name, spent in times.items()}


def parts(dataset: PlainDataset, runs: list[Run]) -> None:
    """What each step of ours takes, in milliseconds."""
    (first, _), (second, maps), *_ = frames_and_maps(dataset, runs, "v")
    flow = backward_flow(gray(first), gray(second))
    sources = flow_sources(flow)
    valid, warped = windows_inside(sources), warp(maps[0], sources)
    many = range(PAIRS)
    steps = {
        "decode a frame and two maps": lambda: [None for _ in frames_and_maps(dataset, runs, "v")],
        "to gray": lambda: [gray(first) for _ in many],
        "sources and windows": lambda: [windows_inside(flow_sources(flow)) for _ in many],
        "warp": lambda: [warp(maps[0], sources) for _ in many],
        "SSIM on ids": lambda: [id_ssim(warped, maps[0], valid) for _ in many],
        "SSIM on classes": lambda: [class_ssim(warped, maps[0], valid) for _ in many],
        "SSIM of scikit-image": lambda: [structural_similarity(warped, maps[0], full=True) for _ in many],
    }
    print("  ".join(f"{name} {spent:.2f}" for name, spent in interleaved(steps).items()))


def main() -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with tempfile.TemporaryDirectory() as place:
            dataset, runs = make(Path(place), 3)
            compare(dataset, runs[:2])
            parts(dataset, runs[:2])
            compare(dataset, runs)
    finally:
        cv2.setNumThreads(threads)


def compare(dataset: PlainDataset, runs: list[Run]) -> None:
    frames: list[NDArray[np.uint8]] = [gray(image) for image in dataset.video("v").images()]
    found = interleaved(
        {
            "Farneback alone": lambda: [backward_flow(a, b) for a, b in pairwise(frames)],
            "flow-ssim, ids": lambda: ours(dataset, runs, "ids"),
            "flow-ssim, classes": lambda: ours(dataset, runs, "classes"),
            "the plain way, ids": lambda: plainly(dataset, runs),
        }
    )
    floor = found["Farneback alone"]
    h, w = frames[0].shape
    print(f"{len(runs)} runs, {w}x{h}, CPU ms per pair of frames")
    for name, spent in found.items():
        print(f"  {name:20} {spent:7.1f}   {spent / floor:5.2f} x Farneback")
    print(f"  the plain way takes {found['the plain way, ids'] / found['flow-ssim, ids']:.2f} times as long as ours")


if __name__ == "__main__":
    main()
