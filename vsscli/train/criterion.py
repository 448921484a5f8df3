"""The losses of predictions against targets, at sampled points.

As Mask2Former trains (Cheng et al. 2022): queries and targets are matched one to one, each pair gives a mask and a dice
loss, every query a class loss, unmatched ones for "no object".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from vsscli.errors import OptionError
from vsscli.train.config import Loss
from vsscli.train.losses import class_loss, dice_loss, mask_loss
from vsscli.train.matching import Weights, assign, total_cost
from vsscli.train.points import random_points, sample, sample_alike, unsure_points
from vsscli.train.targets import Units

Losses = dict[str, Tensor]


@dataclass(frozen=True)
class Prediction:
    """B units (frames, or clips as one tall picture of T frames): ``class_logits`` [B, Q, K + 1], "no object" last, and
    ``mask_logits`` [B, Q, T * h, w]."""

    class_logits: Tensor
    mask_logits: Tensor


class Criterion:
    """Matching and losses with the weights and points of ``config``."""

    def __init__(self, config: Loss) -> None:
        self.config = config
        self.weights = Weights(config.label, config.mask, config.dice)

    def match(self, found: Prediction, units: Units, chance: torch.Generator) -> list[Tensor]:
        """For each unit the query that answers for each of its targets, int64 [N]: the cheapest, at random points.

        OptionError where a clip has more classes than the model has queries.
        """
        queries, most = found.class_logits.shape[1], max(units.counts)
        if most > queries:
            raise OptionError(
                f"A clip has {most} classes, and the model {queries} queries: some would find none.",
                "Set model.queries higher.",
            )
        answers = []
        with torch.no_grad():
            for logits, maps, (labels, truth) in zip(found.class_logits, found.mask_logits, units.each(), strict=True):
                points = random_points(1, self._points(units), chance)[0]
                at = sample_alike(maps, points), labels, sample_alike(truth, points)
                answers.append(assign(total_cost(logits, *at, self.weights)))
        return answers

    def losses(self, found: Prediction, units: Units, answers: Sequence[Tensor], chance: torch.Generator) -> Losses:
        """The weighted terms ``label``, ``mask``, ``dice`` where ``answers`` are the queries that answer for targets.

        Mask and dice are sums over the number of targets.
        """
        wanted = found.class_logits.new_full(
            found.class_logits.shape[:2], found.class_logits.shape[2] - 1, dtype=torch.int64
        )
        for row, (labels, _), answer in zip(wanted, units.each(), answers, strict=True):
            row[answer] = labels
        label = self.config.label * class_loss(found.class_logits, wanted, self.config.no_object)
        return {"label": label, **self._mask_losses(found, units, answers, chance)}

    def _mask_losses(
        self, found: Prediction, units: Units, answers: Sequence[Tensor], chance: torch.Generator
    ) -> Losses:
        config = self.config
        count = shared_count(sum(units.counts), found.mask_logits.device)
        logits = torch.cat([maps[answer] for maps, answer in zip(found.mask_logits, answers, strict=True)])
        if not len(logits):  # nothing but void: every parameter still takes part, for other processes wait for it
            nothing = found.mask_logits.sum() * 0
            return {"mask": nothing, "dice": nothing}
        points = unsure_points(logits, self._points(units), config.oversample, config.importance, chance)
        at, truth = sample(logits, points), sample(units.masks, points)
        return {"mask": config.mask * mask_loss(at, truth, count), "dice": config.dice * dice_loss(at, truth, count)}

    def _points(self, units: Units) -> int:
        return self.config.points * units.targets[0].depth


def shared_count(count: int, device: torch.device) -> float:
    """The mean of ``count`` over all processes, at least 1."""
    if not dist.is_initialized():
        return max(1.0, count)
    total = torch.tensor(float(count), device=device)
    dist.all_reduce(total)
    return max(1.0, float(total) / dist.get_world_size())
