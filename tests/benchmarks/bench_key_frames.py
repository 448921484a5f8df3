"""MPVSS with ResNet-50 at full size: multiply-adds and time of an interval, as ratios to every frame a key frame."""

import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from tests.benchmarks.bench_infer import make_frames
from tests.benchmarks.macs import count_macs
from tests.models.mpvss.cases import write_recorded
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.infer.build import build
from vsscli.infer.request import Request
from vsscli.models.load import load_model
from vsscli.models.mpvss.network import MpvssNetwork

INTERVALS = (1, 2, 5, 10)
SIZE = (480, 853)
PADDED = (480, 864)
FRAMES = 10
ROUNDS = 2


def count(network: MpvssNetwork) -> tuple[float, float]:
    """Multiply-adds, in thousands of millions, of a key frame and of a frame between."""
    pixels = torch.randn(1, 3, *PADDED, generator=torch.Generator().manual_seed(0))
    (key,) = network.segment(pixels, SIZE)
    segment = count_macs(lambda: network.segment(pixels, SIZE))
    return segment / 1e9, count_macs(lambda: network.carry(pixels, SIZE, [key])) / 1e9


def seconds(model: Path, data: Path, out: Path, interval: int) -> tuple[float, float]:
    """(wall, CPU) seconds a frame of `infer`'s stage, with reading and writing, on the cores there are."""
    stage = build(open_dataset(data), Request(str(model), key_interval=interval), ["cpu"], out).stage
    stage.open("cpu")
    wall, cpu = time.perf_counter(), time.process_time()
    assert not produce(stage, out, ("video",)).failed
    return (time.perf_counter() - wall) / FRAMES, (time.process_time() - cpu) / FRAMES


def main() -> None:
    """Multiply-adds at some intervals, then the time at 1 and 5, one after the other, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        model = write_recorded(root / "model")
        network = load_model(str(model))
        assert isinstance(network, MpvssNetwork)
        key, between = count(network)
        print(
            f"MPVSS R50 at {SIZE[1]}x{SIZE[0]}, thousands of millions of multiply-adds: {key:.1f} of a key frame, ",
            end="",
        )
        print(f"{between:.1f} of a frame between")
        for interval in INTERVALS:
            mean = (key + (interval - 1) * between) / interval
            print(f"  interval {interval:2}: {mean:6.1f} a frame, {key / mean:.2f} times fewer")
        product = 100 * 124 * PADDED[0] * PADDED[1] / 1e9
        mean = (key + product + 4 * (between + product)) / 5
        print(f"  interval  5, as papers count (the label map by one product of {product:.1f}): {mean:.1f}, ", end="")
        print(f"{(key + product) / mean:.2f} times fewer (goal 2.7)")
        del network
        make_frames(root / "data" / "video", FRAMES)
        found: dict[int, list[tuple[float, float]]] = {1: [], 5: []}
        for i in range(ROUNDS):
            for interval, times in found.items():
                times.append(seconds(model, root / "data", root / f"run{interval}.{i}", interval))
        for name, which in (("wall", 0), ("CPU", 1)):
            each = {interval: median(t[which] for t in times) for interval, times in found.items()}
            print(f"  {name} seconds a frame: {each[1]:.2f} every frame, {each[5]:.2f} at interval 5: ", end="")
            print(f"{each[1] / each[5]:.2f} times the frames per second (goal 2.0)")


if __name__ == "__main__":
    main()
