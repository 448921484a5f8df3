"""Masked Video Consistency (MVC): patches of the input are hidden, the answer must stay the same.

From the paper (2nd place of PVUW 2024): patches of size b, each hidden when its uniform draw falls below the ratio r
(equations 1 and 2), and the demand that the masked clip gives the labels of the whole one (equations 3 and 4).
Ours: the numbers, which are those of MIC (Hoyer et al. 2023: b = 64, r = 0.7, weight 1), a loss on the whole clip
besides the one on the masked clip, the choice between one mask for a clip and one for each frame, and what is put
in place of a hidden patch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vsscli.errors import OptionError

PER, FILL = ("frame", "clip"), ("mean", "zero")


@dataclass(frozen=True)
class Mvc:
    """``patch`` in pixels of the network's input; ``ratio``, the share that is hidden; ``weight`` of the masked loss.

    ``per``: a mask for each frame, or one for the clip. ``fill``: a hidden pixel becomes the mean colour of the
    training of the backbone, or black. OptionError for values that make no sense.
    """

    patch: int = 64
    ratio: float = 0.7
    weight: float = 1.0
    per: str = "frame"
    fill: str = "mean"

    def __post_init__(self) -> None:
        wrong = {
            f"mvc.patch {self.patch} is below 1": self.patch < 1,
            f"mvc.ratio {self.ratio} is not in 0..1": not 0 <= self.ratio <= 1,
            f"mvc.weight {self.weight} is not above 0": not self.weight > 0,
            f"mvc.per {self.per!r} is not one of {', '.join(PER)}": self.per not in PER,
            f"mvc.fill {self.fill!r} is not one of {', '.join(FILL)}": self.fill not in FILL,
        }
        for problem, holds in wrong.items():
            if holds:
                raise OptionError(f"{problem}.", "See vsscli guide training.")


def hidden(mvc: Mvc, frames: int, height: int, width: int, chance: torch.Generator) -> Tensor:
    """Where a clip is hidden: bool [frames, height, width], in whole patches counted from the top left.

    Patches at the right and at the bottom are cut off where ``patch`` does not divide the size.
    """
    patch = min(mvc.patch, max(height, width))  # a larger one hides the same
    rows, columns = -(-height // patch), -(-width // patch)
    draws = torch.rand(frames if mvc.per == "frame" else 1, rows, columns, generator=chance, device=chance.device)
    grid = (draws < mvc.ratio).repeat_interleave(patch, 1).repeat_interleave(patch, 2)
    return grid[:, :height, :width].expand(frames, -1, -1)


def hide(pixels: Tensor, mvc: Mvc, black: Tensor, chance: torch.Generator) -> Tensor:
    """A clip [T, 3, H, W], normalised, with patches hidden; a copy. ``black`` [3] is the normalised colour black."""
    frames, _, height, width = pixels.shape
    where = hidden(mvc, frames, height, width, chance)[:, None]
    fill = torch.zeros_like(black) if mvc.fill == "mean" else black
    return torch.where(where, fill[:, None, None], pixels)
