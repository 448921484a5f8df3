"""What a clip should give: one mask for each class in it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vsscli.data.classes import IGNORE


@dataclass(frozen=True)
class Targets:
    """The classes of a clip, int64 [N] ascending, and their masks, bool [N, T, H, W].

    A class that is anywhere in the clip counts at every frame, with an empty mask where it is not to be seen (as
    DVIS++ trains on VSPW). Pixels without a label are in no mask.
    """

    labels: Tensor
    masks: Tensor

    def frame(self, t: int) -> "Targets":
        """The clip of frame ``t`` alone."""
        return Targets(self.labels, self.masks[:, t : t + 1])

    def to(self, device: torch.device) -> "Targets":
        """The same on ``device``."""
        return Targets(self.labels.to(device), self.masks.to(device))


def make_targets(labels: Tensor) -> Targets:
    """The targets of label maps uint8 [T, H, W], 255 = no label."""
    found = labels.unique()
    found = found[found != IGNORE]
    return Targets(found.long(), labels[None] == found[:, None, None, None])
