"""Which query answers for which target: the cheapest assignment (Hungarian algorithm)."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import softplus

#: What stands in for a cost that is not finite, so that broken numbers reach the loss, where they are told.
_WORST = 1e6


@dataclass(frozen=True)
class Weights:
    """How much class, mask and dice count, in costs and in losses alike (Mask2Former: 2, 5, 5)."""

    label: float = 2.0
    mask: float = 5.0
    dice: float = 5.0


def class_cost(logits: Tensor, labels: Tensor) -> Tensor:
    """[Q, N]: minus the probability that class logits [Q, K + 1] give to the classes of the targets [N]."""
    return -logits.float().softmax(-1)[:, labels]


def mask_cost(logits: Tensor, truth: Tensor) -> Tensor:
    """[Q, N]: mean binary cross-entropy of mask logits [Q, P] against masks [N, P] at the same points."""
    return (softplus(-logits) @ truth.T + softplus(logits) @ (1 - truth).T) / logits.shape[1]


def dice_cost(logits: Tensor, truth: Tensor) -> Tensor:
    """[Q, N]: dice loss of the same, smoothed by one."""
    share = logits.sigmoid()
    return 1 - (2 * share @ truth.T + 1) / (share.sum(1)[:, None] + truth.sum(1)[None] + 1)


@torch.no_grad()
def total_cost(logits: Tensor, points: Tensor, labels: Tensor, truth: Tensor, weights: Weights) -> Tensor:
    """The weighted sum of the three, float32 [Q, N]: class logits, mask logits at points, labels, masks at points."""
    label = weights.label * class_cost(logits, labels)
    return weights.mask * mask_cost(points, truth) + label + weights.dice * dice_cost(points, truth)


def assign(cost: Tensor) -> Tensor:
    """For each target the query of the assignment of the smallest sum of [Q, N], N <= Q: int64 [N], all different."""
    numbers = np.nan_to_num(cost.detach().float().cpu().numpy(), nan=_WORST, posinf=_WORST, neginf=-_WORST)
    queries, targets = linear_sum_assignment(numbers)
    return torch.as_tensor(queries[targets.argsort()], device=cost.device)
