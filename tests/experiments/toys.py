"""Two small networks trained for minutes: ``python -m tests.experiments.toys FOLDER --data DATA [--split train]``.

SegFormers of about 0.3 million weights, with random starts of their own, learn frames of DATA and become model folders
``FOLDER/toy0`` and ``FOLDER/toy1``. They make the errors that networks make, which is all they are good for.
"""

import argparse
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsscli.data.classes import IGNORE
from vsscli.data.dataset import Dataset
from vsscli.data.open import open_dataset

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def build(classes: tuple[str, ...]) -> Any:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        hidden_sizes=[16, 32, 64, 96],
        depths=[1, 1, 2, 1],
        num_attention_heads=[1, 2, 4, 4],
        decoder_hidden_size=64,
        num_labels=len(classes),
        id2label=dict(enumerate(classes)),
        label2id={name: i for i, name in enumerate(classes)},
    )
    return SegformerForSemanticSegmentation(config)


def read(dataset: Dataset, limit: int, short: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """About ``limit`` frames, spread evenly: images [N, h, w, 3] and labels [N, h, w], shrunk to ``short``."""
    from PIL import Image

    videos = [dataset.video(name) for name in dataset.names()]
    step = max(1, sum(len(video.frames) for video in videos) // limit)
    every = (
        (video, frame, image) for video in videos for frame, image in zip(video.frames, video.images(), strict=True)
    )
    images, labels = [], []
    for video, frame, pixels in islice(every, 0, None, step):
        image = Image.fromarray(pixels)
        size = (round(image.width * short / image.height), short)
        images.append(np.asarray(image.resize(size, Image.Resampling.BILINEAR)))
        labels.append(np.asarray(Image.fromarray(video.labels(frame)).resize(size, Image.Resampling.NEAREST)))
    return np.stack(images), np.stack(labels)


def train(model: Any, images: Tensor, labels: Tensor, seconds: float, seed: int, batch: int = 8) -> float:
    """Adam on mirrored frames for ``seconds`` of processor time; the last losses' mean."""
    model.train()
    chance = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    started, losses = time.process_time(), [0.0]
    while (spent := time.process_time() - started) < seconds:
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - spent / seconds) ** 0.9
        pick = torch.randint(len(images), (batch,), generator=chance)
        x, y = (images[pick].permute(0, 3, 1, 2) / 255 - mean) / std, labels[pick].long()
        if torch.rand(1, generator=chance) < 0.5:
            x, y = x.flip(3), y.flip(2)
        logits = torch.nn.functional.interpolate(model(x).logits, y.shape[1:], mode="bilinear")
        loss = torch.nn.functional.cross_entropy(logits, y, ignore_index=IGNORE)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses[-20:]))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--short", type=int, default=240)
    parser.add_argument("--seconds", type=float, default=240)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    dataset = open_dataset(options.data, options.split)
    assert dataset.classes is not None
    images, labels = map(torch.from_numpy, read(dataset, options.frames, options.short))
    for seed in (0, 1):
        torch.manual_seed(seed)
        model = build(dataset.classes.names)
        loss = train(model, images, labels, options.seconds, seed)
        model.eval().save_pretrained(options.folder / f"toy{seed}")
        print(f"toy{seed}: {len(images)} frames, loss {loss:.3f}", flush=True)


if __name__ == "__main__":
    main()
