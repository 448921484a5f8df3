"""What carrying alone costs: ``python -m tests.experiments.carried_truth DATA [--split val]``.

The truth of a key frame, as if a perfect network had said it, is carried to the frames between by Farneback's flow or
copied, and held against their own truth: what any network loses at most between its key frames. The table is Markdown.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import IGNORE
from vsscli.data.dataset import Dataset
from vsscli.data.open import open_dataset
from vsscli.data.video_backend import load_cv2
from vsscli.infer.oracle import fill_void
from vsscli.maps.flow import backward_flow, gray
from vsscli.maps.warp import flow_sources, warp

INTERVALS = (2, 5, 10)
Labels = NDArray[np.uint8]


def carried(labels: Labels, key: Labels, frame: Labels) -> Labels:
    """``labels`` of the gray ``key`` frame along the flow to the gray ``frame``; outside, the nearest place inside."""
    height, width = labels.shape
    flow = backward_flow(key, frame)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    flow[..., 0] = np.clip(columns + flow[..., 0], 0, width - 1) - columns
    flow[..., 1] = np.clip(rows + flow[..., 1], 0, height - 1) - rows
    return warp(labels, flow_sources(flow))


def count(dataset: Dataset, interval: int) -> dict[str, NDArray[np.int64]]:
    """Confusions [K, K] (truth, carried) of all frames of a dataset, key frames among them, for both ways."""
    assert dataset.classes is not None
    k = len(dataset.classes.names)
    found = {how: np.zeros((k, k), np.int64) for how in ("farneback", "zero")}
    for name in dataset.names():
        video = dataset.video(name)
        for i, (frame, image) in enumerate(zip(video.frames, video.images(), strict=True)):
            truth, luma = video.labels(frame), gray(image)
            if i % interval == 0:
                key, labels = luma, fill_void(truth)
            for how, table in found.items():
                said = labels if how == "zero" or i % interval == 0 else carried(labels, key, luma)
                known = truth != IGNORE
                pairs = truth[known].astype(np.int64) * k + said[known]
                table += np.bincount(pairs, minlength=k * k).reshape(k, k)
    return found


def miou(confusion: NDArray[np.int64]) -> float:
    """The mean over the classes in the truth."""
    truth, hits = confusion.sum(1), confusion.diagonal()
    there = truth > 0
    return float((hits[there] / (truth + confusion.sum(0) - hits)[there]).mean())


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="val")
    asked = parser.parse_args(words)
    load_cv2().setNumThreads(1)
    print("| interval | farneback | zero |\n|---|---|---|")
    for interval in INTERVALS:
        found = count(open_dataset(asked.data, asked.split), interval)
        print(f"| {interval} | {100 * miou(found['farneback']):.1f} | {100 * miou(found['zero']):.1f} |", flush=True)


if __name__ == "__main__":
    main()
