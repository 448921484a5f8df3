"""Run alone: the memory at the peak of steps, KiB, for each way: ``plain``, with MVC (``mvc``), with both losses at
once (``joint``). Each way has a process of its own, forked when everything is loaded."""

import json
import os
import sys
from pathlib import Path

import torch

from tests.support import peak_memory
from tests.train.small import PREPROCESS, config_of, random_model
from vsscli.train.masking import Mvc, hide
from vsscli.train.stage import Stage
from vsscli.train.stages import SegmenterStage
from vsscli.train.targets import make_targets


def steps(stage: Stage, way: str) -> None:
    labels = torch.arange(384, dtype=torch.uint8)[:, None].div(64, rounding_mode="floor").expand(2, 384, 512)
    targets, pixels = [make_targets(labels)], torch.randn(1, 2, 3, 384, 512)
    for step in range(4 if way == "plain" else 2):  # as many passes, for what the allocator keeps
        stage.zero_grad()
        loss = torch.stack(list(stage(pixels, targets, 0.0, step).values())).sum()
        if way != "joint":
            torch.autograd.backward(loss)
            loss = loss.detach()
        if way != "plain":
            masked = hide(pixels[0], Mvc(), torch.zeros(3), torch.Generator().manual_seed(step))[None]
            loss = loss + torch.stack(list(stage(masked, targets, 0.0, step).values())).sum()
            torch.autograd.backward(loss)


def main() -> None:
    torch.set_num_threads(1)
    stage = SegmenterStage(random_model("segmenter"), config_of(Path(sys.argv[1])), PREPROCESS).train()
    torch.autograd.set_multithreading_enabled(False)
    for way in ("plain", "mvc", "joint"):
        child = os.fork()
        if not child:
            steps(stage, way)
            print(json.dumps([way, peak_memory()]), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
