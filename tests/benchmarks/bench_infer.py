"""What `infer` adds around the bare forward loop, and what the command line costs to start."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
import transformers
from PIL import Image

from tests.models.tiny import frame_network
from vsscli.data.classes import vspw_classes
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.infer.build import build
from vsscli.infer.request import Request
from vsscli.models.preprocess import prepare

FRAMES = 4
SIZE = (480, 853)


def make_model(folder: Path) -> None:
    """Mask2Former with ResNet-50 and VSPW's classes, weights at random (seed 0)."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    names = dict(enumerate(vspw_classes().names))
    config = transformers.Mask2FormerConfig(
        backbone_config=transformers.ResNetConfig(out_features=["stage1", "stage2", "stage3", "stage4"]),
        id2label=names,
        label2id={name: i for i, name in names.items()},
    )
    transformers.Mask2FormerForUniversalSegmentation(config).save_pretrained(folder)


def make_frames(folder: Path, count: int = FRAMES) -> None:
    """Frames with large and small structure, as JPEG."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    coarse = random.integers(0, 200, (SIZE[0] // 32 + 2 + count // 8, SIZE[1] // 32 + 2, 3)).repeat(32, 0).repeat(32, 1)
    for i in range(count):
        frame = coarse[4 * i : 4 * i + SIZE[0], : SIZE[1]] + random.integers(0, 55, (*SIZE, 3))
        Image.fromarray(frame.astype(np.uint8)).save(folder / f"{i:08d}.jpg", quality=92)


def main() -> None:
    """CPU seconds a frame, one thread: the forward passes alone, and the whole stage from JPEG to PNG."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_model(root / "model")
        make_frames(root / "data" / "video")
        dataset = open_dataset(root / "data")
        network = frame_network(str(root / "model"))
        pixels = [prepare(image, SIZE, network.preprocess)[None] for image in dataset.video("video").images()]
        bare, whole = [], []
        for i in range(3):
            started = time.process_time()
            for frame in pixels:
                network.forward(frame)
            bare.append((time.process_time() - started) / FRAMES)
            stage = build(dataset, Request(str(root / "model"), "native"), ["cpu"], root / f"run{i}").stage
            stage.open("cpu")
            started = time.process_time()
            produce(stage, root / f"run{i}", dataset.names())
            whole.append((time.process_time() - started) / FRAMES)
    print(f"Mask2Former R50, 124 classes, random weights, {SIZE[1]}x{SIZE[0]}, fp32, CPU seconds a frame, median of 3")
    print(f"  bare forward loop        {median(bare):7.3f}")
    print(f"  vsscli infer's stage     {median(whole):7.3f}   x {median(whole) / median(bare):.3f} of it")
    starts = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "vsscli", "--help"], stdout=subprocess.DEVNULL, check=True)
        starts.append(time.perf_counter() - started)
    print(f"  vsscli --help            {median(starts):7.3f} s (goal 0.3)")


if __name__ == "__main__":
    main()
