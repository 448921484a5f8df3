"""Run alone: the memory that steps take, KiB: ``plain``, with MVC (``mvc``), with both losses at once (``joint``)."""

import sys
from pathlib import Path

import torch

from tests.support import peak_memory
from tests.train.small import config_of, random_model
from vsscli.train.masking import Mvc, hide
from vsscli.train.stages import SegmenterStage
from vsscli.train.targets import make_targets


def main() -> None:
    way, folder = sys.argv[1], Path(sys.argv[2])
    torch.set_num_threads(1)
    stage = SegmenterStage(random_model("segmenter"), config_of(folder)).train()
    labels = torch.arange(6, dtype=torch.uint8).repeat_interleave(43)[:256, None].expand(2, 256, 384)
    targets, pixels = [make_targets(labels)], torch.randn(1, 2, 3, 256, 384)
    stage(pixels[..., :32, :32], [make_targets(labels[:, :32, :32])], 0.0, 0)  # what is loaded once
    before = peak_memory()
    for step in range(2):
        stage.zero_grad()
        loss = torch.stack(list(stage(pixels, targets, 0.0, step).values())).sum()
        if way != "joint":
            torch.autograd.backward(loss)
            loss = loss.detach()
        if way != "plain":
            masked = hide(pixels[0], Mvc(), torch.zeros(3), torch.Generator().manual_seed(step))[None]
            loss = loss + torch.stack(list(stage(masked, targets, 0.0, step).values())).sum()
            torch.autograd.backward(loss)
    print(before, peak_memory())


if __name__ == "__main__":
    main()
