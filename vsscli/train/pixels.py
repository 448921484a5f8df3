"""A class for every pixel, told besides the masks: it hastens what has no weights to start from."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vsscli.train.targets import Targets


class PixelHead(nn.Module):
    """A linear head on the pixel decoder's finest level; it learns with the segmenter and is no part of the model.

    The idea is MaX-DeepLab's auxiliary semantic loss (Wang et al. 2021); place, weight and the head without a hidden
    layer are ours. Queries need thousands of steps to share the classes out among them, and until then the masks tell
    the backbone little; this tells it from the first step.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(width, classes, 1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)  # the same for every seed

    def forward(self, level: Tensor, targets: Sequence[Targets]) -> Tensor:
        """The mean cross-entropy of ``level`` [B * T, C, h, w] against the targets of B clips of T frames.

        A place is told the class of the pixel in its middle; without a label it is told nothing.
        """
        height, width = level.shape[-2:]
        truth = torch.cat([_classes(target, height, width) for target in targets])
        total = cross_entropy(self.project(level), truth, ignore_index=-1, reduction="sum")
        return total / (truth >= 0).sum().clamp(min=1)


def _classes(target: Targets, height: int, width: int) -> Tensor:
    """The class of each frame's pixels at ``height`` x ``width`` places, int64 [T, height, width]; -1: no label."""
    down, right = target.masks.shape[-2] // height, target.masks.shape[-1] // width
    masks = target.masks[:, :, down // 2 :: down, right // 2 :: right]
    return (masks * (target.labels + 1)[:, None, None, None]).sum(0) - 1  # a pixel is in one mask at most
