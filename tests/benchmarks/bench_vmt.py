"""VidEoMT and LVMT at full size: where the time of a frame goes, and what `infer` adds around the bare network.

Weights are random: what is computed does not depend on them. Takes some minutes, and about 4 GB.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from tests.benchmarks.bench_dvis import Clock
from tests.benchmarks.bench_infer import make_frames
from tests.models.vmt.cases import config_of
from tests.models.vmt.folders import write_random
from vsscli.data.open import open_dataset
from vsscli.infer.build import build
from vsscli.infer.request import Request
from vsscli.infer.semantic import label_map_from_queries
from vsscli.infer.stage import NetworkStage
from vsscli.maps.geometry import network_size, padded_size
from vsscli.models.network import QueryScores
from vsscli.models.preprocess import Preprocess, prepare
from vsscli.models.vmt.encoders import grid_of
from vsscli.models.vmt.model import Vmt
from vsscli.models.vmt.video import VmtNetwork

FRAMES, SIZE, SHORT = 4, (480, 853), 480
ARCHES = ("videomt_vitl", "lvmt_dinov3_vitl")
PREPROCESS = Preprocess(SHORT, 889, divisor=32)


def network_of(arch: str) -> VmtNetwork:
    """The full-size network with random weights whose maps hold more than one class."""
    torch.manual_seed(0)
    model = Vmt(config_of(arch)).eval().requires_grad_(False)
    model.queries.normal_()
    model.masks.get_submodule("4").get_parameter("weight").mul_(5)
    return VmtNetwork(model, PREPROCESS, torch.device("cpu"), torch.float32)


def shares(network: VmtNetwork, frames: list[torch.Tensor], clock: Clock, sizes: dict[str, Any]) -> None:
    """A video stage by stage."""
    model, config, queries = network.model, network.model.config, None
    for frame in frames:
        grid = grid_of(frame)
        tokens = clock("encoder", lambda frame=frame: model.see(frame)[0])  # type: ignore[misc]
        step = clock("queries", lambda q=queries, t=tokens, g=grid: model.step(q, t, g))  # type: ignore[misc]
        queries = step.following
        logits, embeds = clock("heads", lambda s=step: model.classify(s.normed))  # type: ignore[misc]
        patches = step.normed[config.queries + config.prefix :]
        masks = clock("masks", lambda e=embeds, p=patches, g=grid: model.paint(e, p, g))  # type: ignore[misc]
        found = QueryScores(logits.softmax(-1)[:, :-1], masks)
        clock("label maps", lambda f=found: label_map_from_queries(f.class_prob, f.mask_logits, **sizes))  # type: ignore[misc]


def main() -> None:
    """CPU seconds a frame on one thread."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        root = Path(folder)
        make_frames(root / "data" / "video")
        write_random(root / "model", "lvmt")
        dataset = open_dataset(root / "data")
        inner = network_size(*SIZE, SHORT, PREPROCESS.cap)
        sizes = {"padded": padded_size(*inner, 32), "network": inner, "out": SIZE}
        frames = [prepare(image, inner, PREPROCESS)[None] for image in dataset.video("video").images()][:FRAMES]
        for arch in ARCHES:
            network, clock = network_of(arch), Clock()
            shares(network, frames, clock, sizes)
            stage = build(dataset, Request(str(root / "model"), str(SHORT)), ["cpu"], root / arch).stage
            assert isinstance(stage, NetworkStage)
            stage.shared.network, stage.shared.device = network, "cpu"
            started = time.process_time()
            count = len(list(stage.process("video")))
            whole = (time.process_time() - started) / count
            total = sum(clock.seconds.values())
            print(f"{network.model.config.title} ViT-L at {inner[1]}x{inner[0]}, fp32, CPU seconds a frame, one thread")
            for name, seconds in clock.seconds.items():
                print(f"  {name:22}{seconds / len(frames):7.3f}   {100 * seconds / total:4.1f} %")
            bare = (total - clock.seconds["label maps"]) / len(frames)
            print(f"  bare network          {bare:7.3f}   {1 / bare:.3f} frames/s")
            print(f"  vsscli infer's stage  {whole:7.3f}   x {whole / bare:.3f} of it (goal 1.10)")


if __name__ == "__main__":
    main()
