"""The mean of class scores against the vote of the same runs, and what keeping the scores costs.

CPU time of one thread, medians of interleaved rounds, for frames of 480x853 and four classes a cell.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from tests.benchmarks.bench_vote import FRAMES, SIZE, interleaved
from vsscli.data.classes import vspw_classes
from vsscli.infer.semantic import label_map_from_queries
from vsscli.infer.topk import best_classes
from vsscli.maps.mean import Cells, mean_classes
from vsscli.maps.vote import vote
from vsscli.models.network import QueryScores
from vsscli.runs.labels import read_labels, write_labels
from vsscli.runs.scores import TopK, read_scores, write_scores

GRID, PADDED = (120, 216), (480, 864)


def imagined(seed: int, frame: int) -> QueryScores:
    """What one of several like-minded networks with a hundred queries may say of a frame."""
    scene = torch.Generator().manual_seed(frame)
    own = torch.Generator().manual_seed(1000 * seed + frame)
    base, prob = torch.randn(1, 100, 9, 15, generator=scene), torch.randn(100, 125, generator=scene)
    base += 0.3 * torch.randn(base.shape, generator=own)
    prob[torch.arange(100), torch.randint(124, (100,), generator=scene)] += 8
    masks = functional.interpolate(base, size=GRID, mode="bicubic")[0] * 8 - 14
    return QueryScores(prob.softmax(1)[:, :124], masks)


def read(path: Path) -> Cells:
    kept = read_scores(path)
    return Cells(kept.classes, kept.probabilities, kept.sizes, kept.flip)


def write_all(path: Path, kept: list[TopK]) -> None:
    for one in kept:
        write_scores(path, one)


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        frames = [[Path(place) / f"{run}_{frame}" for run in range(4)] for frame in range(FRAMES)]
        ids = torch.arange(124, dtype=torch.uint8)
        scores = [[imagined(run, frame) for run in range(4)] for frame in range(FRAMES)]
        kept: list[TopK] = []
        for paths, said in zip(frames, scores, strict=True):
            for path, one in zip(paths, said, strict=True):
                labels = label_map_from_queries(one.class_prob, one.mask_logits, padded=PADDED, network=SIZE, out=SIZE)
                write_labels(path.with_suffix(".png"), labels.numpy(), vspw_classes().palette)
                kept.append(best_classes(one, ids, 4, padded=PADDED, network=SIZE).fetch(SIZE, False))
                write_scores(path.with_suffix(".npz"), kept[-1])
        sizes = [path.with_suffix(".npz").stat().st_size for paths in frames for path in paths]
        find, write = interleaved(
            lambda: [best_classes(said[0], ids, 4, padded=PADDED, network=SIZE).fetch(SIZE, False) for said in scores],
            lambda: write_all(Path(place) / "x.npz", kept[::4]),
        )
        print(f"  kept: {np.mean(sizes) / 1000:.0f} KB a frame; {find:.1f} ms to find, {write:.1f} ms to write")
        print("  runs   vote ms   mean ms   ratio   of it reading ms   pixels alike")
        for count in (2, 4):
            voted, averaged, reading = interleaved(
                lambda n=count: [vote([read_labels(p.with_suffix(".png")) for p in paths[:n]]) for paths in frames],  # type: ignore[misc]
                lambda n=count: [mean_classes([read(p.with_suffix(".npz")) for p in paths[:n]]) for paths in frames],  # type: ignore[misc]
                lambda n=count: [[read(p.with_suffix(".npz")) for p in paths[:n]] for paths in frames],  # type: ignore[misc]
            )
            alike = [
                (
                    vote([read_labels(p.with_suffix(".png")) for p in paths[:count]])
                    == mean_classes([read(p.with_suffix(".npz")) for p in paths[:count]])
                ).mean()
                for paths in frames
            ]
            print(
                f"{count:6}   {voted:7.2f}   {averaged:7.2f}   {averaged / voted:5.2f}   {reading:16.2f}   "
                f"{np.mean(alike):12.1%}"
            )
