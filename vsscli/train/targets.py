"""What a clip should give: one mask for each class in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vsscli.data.classes import IGNORE


@dataclass(frozen=True)
class Targets:
    """The classes of a clip, int64 [N] ascending, and their masks, bool [N, T, H, W].

    A class that is anywhere in the clip counts at every frame, with an empty mask where it is not to be seen (as
    DVIS++ trains on VSPW). Pixels without a label are in no mask. The upper left (h, w) of ``size`` is the clip, the
    rest padding.
    """

    labels: Tensor
    masks: Tensor
    size: tuple[int, int]

    def frame(self, t: int) -> "Targets":
        """The clip of frame ``t`` alone."""
        return Targets(self.labels, self.masks[:, t : t + 1], self.size)

    def seen(self, t: int) -> "Targets":
        """The same, only with the classes that are to be seen in it."""
        there = self.masks[:, t].flatten(1).any(1)
        return Targets(self.labels[there], self.masks[there, t : t + 1], self.size)

    @property
    def depth(self) -> int:
        """T."""
        return self.masks.shape[1]

    def to(self, device: torch.device) -> "Targets":
        """The same on ``device``."""
        return Targets(self.labels.to(device), self.masks.to(device), self.size)


def make_targets(labels: Tensor, size: tuple[int, int] | None = None) -> Targets:
    """The targets of label maps uint8 [T, H, W], 255 = no label; beyond ``size``, where it is given, is padding."""
    found = torch.unique(labels)
    found = found[found != IGNORE]
    whole = labels.shape[1], labels.shape[2]
    return Targets(found.long(), labels[None] == found[:, None, None, None], size or whole)


class Units:
    """What B units (frames, or whole clips) should give; a unit of T frames is one picture, T times as high."""

    def __init__(self, targets: Sequence[Targets]) -> None:
        self.targets = targets
        self.counts = [len(target.labels) for target in targets]
        #: The masks of all units, float32 [sum of N, T * H, W]: made once for all layers.
        self.masks = torch.cat([target.masks.flatten(1, 2) for target in targets]).float()

    def each(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Of each unit the labels [N] and the masks float32 [N, T * H, W]."""
        return zip((target.labels for target in self.targets), torch.split(self.masks, self.counts), strict=True)
