"""Noise on the tracker's start, so that it learns to follow where the matching errs (DVIS++, "weighted averaging")."""

import torch
from torch import Tensor

#: How often a frame's start is mixed.
SHARE = 0.5


def shuffled(content: Tensor, order: Tensor, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """The order [Q] that counts as a frame's, and the start of its queries [Q, D].

    With probability `SHARE` each query of ``content`` [Q, D], in the frame's own order, is mixed with another by a
    weight drawn uniformly, and counts as whichever has the larger part; else the start is ``content`` in ``order``.
    """
    if float(torch.rand((), generator=chance, device=chance.device)) >= SHARE:
        return order, content[order]
    count = len(content)
    other = torch.randperm(count, generator=chance, device=chance.device)
    weight = torch.rand(count, 1, generator=chance, device=chance.device)
    own = torch.arange(count, device=content.device)
    return torch.where(weight[:, 0] < 0.5, other, own), weight * content + (1 - weight) * content[other]
