"""Does a vote over time help? ``python -m tests.experiments.consensus FOLDER --data DATA RUN [RUN ...]``.

Every pixel of frame t votes with the pixels it is linked to by optical flow in frames t-k..t+k. A vote counts as much
as flow there and back agree: exp(-(d / SIGMA)^2) for a round trip that ends d pixels away; the frame's own label counts
1 and wins ties. For every RUN and k the voted run is written to FOLDER, scored, and compared with RUN. Tables are
Markdown. What was seen stands in ``vsscli guide selection``.
"""

import argparse
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsscli import engine
from vsscli.data.dataset import Dataset
from vsscli.data.open import open_dataset
from vsscli.engine.inputs import DatasetInput, RunInput
from vsscli.maps.flow import backward_flow, gray
from vsscli.maps.warp import flow_sources, warp
from vsscli.runs.manifest import Manifest
from vsscli.runs.run import Run, open_run
from vsscli.runs.source import frames_and_maps
from vsscli.score.intervals import compare
from vsscli.score.protocols import PROTOCOLS
from vsscli.score.reading import count_run, make_rule

SIGMA = 1.0
METRICS = ("miou", "vc8", "vc16")

Labels = NDArray[np.uint8]
Link = tuple[NDArray[np.int32], NDArray[np.float32]]  # sources in the other frame, weights


def link(here: Labels, there: Labels) -> tuple[Link, Link]:
    """Between two gray frames: where each pixel of one is in the other, and how much to trust it; both ways."""
    to, back = backward_flow(there, here), backward_flow(here, there)
    return _weigh(to, back), _weigh(back, to)


def _weigh(to: NDArray[np.float32], back: NDArray[np.float32]) -> Link:
    sources = flow_sources(to)
    returned = back.reshape(-1, 2)[np.maximum(sources, 0)]
    away = ((to + returned) ** 2).sum(2)
    return sources, np.where(sources >= 0, np.exp(-away / SIGMA**2), 0).astype(np.float32)


def weighted_vote(maps: Sequence[Labels], weights: Sequence[NDArray[np.float32]]) -> Labels:
    """The label with the largest sum of weights, ``uint8 [H, W]``; among equals the earliest map's."""
    best, most = maps[0].copy(), np.full(maps[0].shape, -1.0, np.float32)
    for labels in maps:
        votes = np.zeros(labels.shape, np.float32)
        for other, weight in zip(maps, weights, strict=True):
            votes += np.where(other == labels, weight, 0)
        better = votes > most
        best, most = np.where(better, labels, best), np.where(better, votes, most)
    return best


def consensus(frames: Iterator[tuple[Labels, Labels]], k: int) -> Iterator[Labels]:
    """Voted maps of (gray frame, label map) in order; 2k + 1 frames and the links between them are held."""
    window: deque[tuple[Labels, Labels]] = deque()
    links: deque[dict[int, tuple[Link, Link]]] = deque()  # of a frame, to those d frames before it
    place = 0  # of the frame whose turn it is, in the window
    for item in frames:
        links.append({d: link(item[0], window[-d][0]) for d in range(1, min(k, len(window)) + 1)})
        window.append(item)
        if len(window) - place > k:
            yield _voted(window, links, place, k)
            place += 1
        if place > k:
            window.popleft()
            links.popleft()
            place -= 1
    for turn in range(place, len(window)):
        yield _voted(window, links, turn, k)


def _voted(
    window: Sequence[tuple[Labels, Labels]], links: Sequence[dict[int, tuple[Link, Link]]], t: int, k: int
) -> Labels:
    own = window[t][1]
    maps, weights = [own], [np.ones(own.shape, np.float32)]
    for d in range(1, k + 1):
        near = [(t - d, links[t][d][0])] if t >= d and d in links[t] else []
        near += [(t + d, links[t + d][d][1])] if t + d < len(window) else []
        for other, (sources, weight) in near:
            maps.append(warp(window[other][1], sources))
            weights.append(weight)
    return weighted_vote(maps, weights)


class ConsensusStage(engine.Stage):
    """A run and its dataset in, the voted run out."""

    def __init__(self, run: Run, dataset: Dataset, k: int) -> None:
        self.run, self.dataset, self.k, self.table = run, dataset, k, run.table
        self.inputs = [RunInput(run), DatasetInput(dataset)]
        identity = {"k": k, "sigma": SIGMA, "run": run.identity, "data": dataset.kind, "split": dataset.split}
        self.manifest = Manifest("experiment", identity)

    def count(self, video: str) -> int:
        return len(self.run.frames(video))

    def process(self, video: str) -> Iterator[engine.Frame]:
        pairs = ((gray(image), maps[0]) for image, maps in frames_and_maps(self.dataset, [self.run], video))
        for frame, labels in zip(self.run.frames(video), consensus(pairs, self.k), strict=True):
            yield engine.Frame(frame, labels)


def row(name: str, metrics: dict[str, Any]) -> str:
    """``| name | mIoU | VC8 | VC16 |``, each with its difference and, where there is one, the interval of that."""
    cells = []
    for metric in METRICS:
        found = metrics[metric]
        if found["difference"] is None:  # too short for this window
            cells.append("-")
            continue
        text = f"{100 * found['value']:.2f} ({100 * found['difference']:+.2f}"
        if found["low"] is not None:
            text += f", {100 * found['low']:+.2f} to {100 * found['high']:+.2f}"
        cells.append(f"{text})")
    return f"| {name} | " + " | ".join(cells) + " |"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("-k", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    dataset = open_dataset(options.data, options.split)
    rule = make_rule(dataset, PROTOCOLS["vspw"])
    print("| run | mIoU | VC8 | VC16 |\n|---|---|---|---|")
    for path in options.runs:
        run = open_run(path)
        before = count_run(run, dataset, rule, workers=options.workers)
        print(row(path.name, compare(before, before)["metrics"]), flush=True)
        for k in options.k:
            out = options.folder / f"{path.name}-k{k}"
            outcome = engine.produce(ConsensusStage(run, dataset, k), out, run.names(), ["cpu"] * options.workers)
            assert not outcome.failed, outcome.failed
            after = count_run(open_run(out), dataset, rule, workers=options.workers)
            print(row(f"{path.name}, k = {k}", compare(after, before)["metrics"]), flush=True)


if __name__ == "__main__":
    main()
