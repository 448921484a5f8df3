"""DVIS++ offline with ResNet-50: where the time of a frame goes, and what `infer` adds around the bare network."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

from tests.benchmarks.bench_infer import make_frames
from tests.models.dvis.folders import write_recorded
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.infer.build import build
from vsscli.infer.request import Request
from vsscli.infer.semantic import label_map_from_queries
from vsscli.maps.geometry import network_size, padded_size
from vsscli.models.dvis.video import OfflineNetwork
from vsscli.models.load import load_model
from vsscli.models.network import QueryScores
from vsscli.models.preprocess import prepare

FRAMES = 4  # of the file of `make_frames`
SIZE = (480, 853)


class Clock:
    """CPU seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        started = time.process_time()
        found = work()
        self.seconds[name] = self.seconds.get(name, 0) + time.process_time() - started
        return found


def shares(network: OfflineNetwork, pixels: list[torch.Tensor], clock: Clock, sizes: Any) -> None:
    """A video stage by stage."""
    segmenter = network.model.segmenter
    passage, kept = network.start(), []
    for frame in pixels:
        maps = clock("backbone", lambda frame=frame: segmenter.backbone(frame))  # type: ignore[misc]
        features, levels = clock("pixel decoder", lambda maps=maps: segmenter.pixel_decoder(maps))  # type: ignore[misc]
        clock("decoder", lambda f=features, v=levels: segmenter.query_states(f, v))  # type: ignore[misc]
        (seen,) = network.look(frame)
        kept.append(clock("tracker", lambda seen=seen: passage.push(seen)))  # type: ignore[misc]
    scores = clock("refiner", passage.finish)
    for i, one in enumerate(kept):
        found = clock("masks", lambda i=i, one=one: scores(i, one))  # type: ignore[misc]
        assert isinstance(found, QueryScores)
        clock("label maps", lambda f=found: label_map_from_queries(f.class_prob, f.mask_logits, **sizes))  # type: ignore[misc]


def bare(network: OfflineNetwork, pixels: list[torch.Tensor]) -> None:
    """The forward passes alone: no files, no label maps."""
    passage = network.start()
    kept = [passage.push(network.look(frame)[0]) for frame in pixels]
    scores = passage.finish()
    for i, one in enumerate(kept):
        scores(i, one)


def main() -> None:
    """CPU seconds a frame on one thread."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        root = Path(folder)
        write_recorded(root / "model", "dvis_r50_offline")
        make_frames(root / "data" / "video")
        network = load_model(str(root / "model"))
        assert isinstance(network, OfflineNetwork)
        dataset = open_dataset(root / "data")
        for short in (480, 720):
            inner = network_size(*SIZE, short, 1333)
            sizes = {"padded": padded_size(*inner, 32), "network": inner, "out": SIZE}
            pixels = [prepare(image, inner, network.preprocess)[None] for image in dataset.video("video").images()]
            clock, alone, whole = Clock(), list[float](), list[float]()
            shares(network, pixels, clock, sizes)
            for i in range(3):
                started = time.process_time()
                bare(network, pixels)
                alone.append((time.process_time() - started) / FRAMES)
                out = root / f"run{short}.{i}"
                stage = build(dataset, Request(str(root / "model"), str(short)), ["cpu"], out).stage
                stage.open("cpu")
                started = time.process_time()
                produce(stage, out, dataset.names())
                whole.append((time.process_time() - started) / FRAMES)
            total = sum(clock.seconds.values())
            print(f"DVIS++ R50 offline at {inner[1]}x{inner[0]}, fp32, CPU seconds a frame on one thread, median of 3")
            for name, seconds in clock.seconds.items():
                print(f"  {name:22}{seconds / FRAMES:7.3f}   {100 * seconds / total:4.1f} %")
            print(f"  bare forward passes   {median(alone):7.3f}   {1 / median(alone):.2f} frames/s")
            ratio = median(whole) / median(alone)
            print(f"  vsscli infer's stage  {median(whole):7.3f}   x {ratio:.3f} of it (goal 1.10)")


if __name__ == "__main__":
    main()
