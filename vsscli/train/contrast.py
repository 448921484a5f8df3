"""Terms that tell queries apart over time: what is the same thing comes close, all else goes away.

The two formulas are DVIS++'s (after Ying et al., "CTVIS", 2023). Which queries are compared is ours: each query that
answers for a target at one frame (an anchor) with all queries of the next frame of the clip.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, softplus


def identity_loss(anchors: Tensor, others: Tensor, same: Tensor) -> Tensor:
    """[A]: for each anchor a, log(1 + sum over pairs (n, p) of exp(a . n - a . p)).

    ``anchors`` [A, D], ``others`` [M, D]; p are the others that ``same`` (bool [A, M]) says are the same, n the rest.
    0 where one of the two kinds is missing.
    """
    likeness = anchors @ others.T
    rest = likeness.masked_fill(same, -torch.inf).logsumexp(1)
    best = (-likeness).masked_fill(~same, -torch.inf).logsumexp(1)
    return softplus(rest + best)


def cosine_loss(anchors: Tensor, others: Tensor, same: Tensor) -> Tensor:
    """[A]: the mean squared difference between the cosine of an anchor with each other and 1 or 0, as ``same`` says."""
    cosine = cosine_similarity(anchors[:, None], others[None], dim=-1)
    return (cosine - same.to(cosine.dtype)).square().mean(1)


def contrast(embeds: Sequence[Tensor], queries: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Both terms of a clip, each the mean over its anchors; 0 where the clip has none.

    ``embeds`` holds [Q, D] of each frame, ``queries`` int64 [N] of each frame: the query that answers for target i.
    """
    identity, cosine = [], []
    for now, then, anchors, answers in zip(embeds[:-1], embeds[1:], queries[:-1], queries[1:], strict=True):
        same = torch.arange(len(then), device=then.device) == answers[:, None]
        identity.append(identity_loss(now[anchors].float(), then.float(), same))
        cosine.append(cosine_loss(now[anchors].float(), then.float(), same))
    nothing = torch.stack([each.float().sum() for each in embeds]).sum() * 0
    if not identity or not len(queries[0]):
        return nothing, nothing
    return torch.cat(identity).mean(), torch.cat(cosine).mean()
