"""What key frames cost and save: ``python -m tests.experiments.key_frames FOLDER --model MODEL --data DATA``.

MODEL sees every 1st, 2nd, 5th, 10th frame of the videos of a split with masks, and the frames between are carried on in
every way that it has. FOLDER is made, with a run for each; the table is Markdown. Times are those of one process over
the whole stage, files and label maps included, in CPU seconds: on a busy machine too they can be compared.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.benchmarks.macs import count_macs
from vsscli.data.dataset import Dataset
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.infer.build import build
from vsscli.infer.propagate import PropagatedKey, Propagation
from vsscli.infer.request import Request
from vsscli.infer.stage import NetworkStage
from vsscli.maps.geometry import padded_size
from vsscli.models.card import describe_model
from vsscli.models.network import KeyFrameNetwork, Network, Scores, VideoNetwork
from vsscli.runs.run import open_run
from vsscli.score.measures import measures
from vsscli.score.protocols import find_protocol
from vsscli.score.reading import count_run, make_rule

INTERVALS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Row:
    """A line of the table: mIoU, VC8 and VC16 as fractions, CPU seconds and multiply-adds a frame."""

    interval: int
    how: str
    scores: tuple[float | None, ...]
    seconds: float
    macs: float

    def __str__(self) -> str:
        scores = " | ".join("-" if score is None else f"{100 * score:.2f}" for score in self.scores)
        return f"| {self.interval} | {self.how} | {scores} | {self.seconds:.3f} | {self.macs / 1e9:.4g} |"


HEAD = (
    "| interval | frames between | mIoU | VC8 | VC16 | CPU s / frame | G multiply-adds / frame |\n" + "|---" * 7 + "|"
)


def ways(model: str) -> tuple[str | None, ...]:
    """The values of ``--propagate`` for a model; None: its own flow."""
    return (None, "farneback", "zero") if describe_model(model).carries else ("farneback", "zero")


def rows(folder: Path, model: str, dataset: Dataset, size: str | None) -> Iterator[Row]:
    """The lines, in order."""
    for interval in INTERVALS:
        for how in ways(model)[: 1 if interval == 1 else None]:
            request = Request(model, size, key_interval=interval, propagate=how, batch=1)
            out = folder / f"{interval}-{how or 'own'}"
            stage = build(dataset, request, ["cpu"], out).stage
            assert isinstance(stage, NetworkStage)
            stage.open("cpu")
            macs = average_macs(stage, dataset)
            started = time.process_time()
            outcome = produce(stage, out, dataset.names())
            spent = time.process_time() - started
            assert not outcome.failed, outcome.failed
            frames = sum(len(dataset.video(name).frames) for name in dataset.names())
            found = score(out, dataset)
            named = "" if interval == 1 else how or "MPVSS' flow"
            scores = found["miou"], found["vc8"], found["vc16"]
            yield Row(interval, named, scores, spent / frames, macs)


def average_macs(stage: NetworkStage, dataset: Dataset) -> float:
    """Multiply-adds a frame at the size of the first frame of the first video, by `count_macs`."""
    video = dataset.video(dataset.names()[0])
    size = stage.view.network_size(video.image_size(video.frames[0]))
    network, carrying = stage.shared.network, stage.carrying
    assert network is not None
    pixels = torch.randn(1, 3, *padded_size(*size, network.preprocess.divisor))
    scores, every = count_frame(network, pixels)
    if carrying is None:
        return every
    if isinstance(network, KeyFrameNetwork) and carrying.how == "mpvss":
        (key,) = network.segment(pixels, size)
        every = count_macs(lambda: network.segment(pixels, size))
        between = count_macs(lambda: network.carry(pixels, size, [key]))
    elif carrying.how == "zero":
        between = 0
    else:
        flow = Propagation(carrying.how, network.preprocess)
        kept = PropagatedKey(scores, flow.lumas(pixels, size)[0])
        between = count_macs(lambda: flow.carry(pixels, size, [kept]))
    return (every + (carrying.interval - 1) * between) / carrying.interval


def count_frame(network: Network | VideoNetwork, pixels: torch.Tensor) -> tuple[Scores, float]:
    """The scores of a frame in the midst of a video, and its multiply-adds."""
    found = list[Scores]()
    if not isinstance(network, VideoNetwork):
        return network.forward(pixels)[0], count_macs(lambda: network.forward(pixels))
    passage = network.start()
    passage.push(network.look(pixels)[0])

    def frame() -> None:
        kept = passage.push(network.look(pixels)[0])
        found.append(passage.finish()(1, kept))

    macs = count_macs(frame)
    return found[-1], macs


def score(run: Path, dataset: Dataset) -> dict[str, float | None]:
    """The measures of VSPW's protocol."""
    rule = make_rule(dataset, find_protocol("vspw"))
    counts = count_run(open_run(run), dataset, rule, workers=1)
    return measures(counts.videos, rule.protocol, rule.lengths, len(rule.table))


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--size")
    asked = parser.parse_args(words)
    dataset = open_dataset(asked.data, asked.split)
    asked.folder.mkdir(parents=True)
    torch.set_num_threads(1)
    print(HEAD)
    for row in rows(asked.folder, asked.model, dataset, asked.size):
        print(row, flush=True)


if __name__ == "__main__":
    main()
