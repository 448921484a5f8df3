"""The losses of Mask2Former, of matched pairs and of all queries."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy


def mask_loss(logits: Tensor, truth: Tensor, count: float) -> Tensor:
    """Binary cross-entropy of sampled mask logits [N, P] against 0..1 [N, P]: mean over points, sum over ``count``."""
    return binary_cross_entropy_with_logits(logits, truth, reduction="none").mean(1).sum() / count


def dice_loss(logits: Tensor, truth: Tensor, count: float) -> Tensor:
    """Dice loss of the same, smoothed by one (Milletari et al. 2016), sum over ``count``."""
    share = logits.sigmoid()
    overlap, total = 2 * (share * truth).sum(1), share.sum(1) + truth.sum(1)
    return (1 - (overlap + 1) / (total + 1)).sum() / count


def class_loss(logits: Tensor, labels: Tensor, no_object: float) -> Tensor:
    """Cross-entropy of class logits [B, Q, K + 1] against labels [B, Q], "no object" (K) weighted by ``no_object``."""
    weight = torch.ones(logits.shape[-1], device=logits.device)
    weight[-1] = no_object
    return cross_entropy(logits.float().flatten(0, 1), labels.flatten(), weight)
