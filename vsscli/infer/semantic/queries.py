"""Scores of a network that answers with queries: a class distribution and a mask for each."""

import torch
from torch import Tensor

from vsscli.infer.semantic.exact import first_best
from vsscli.infer.semantic.grid import Grid
from vsscli.infer.semantic.resize import Scratch, resize_strip
from vsscli.infer.semantic.rounding import DOUBLE, check_finite, query_slack, single_products
from vsscli.infer.semantic.tiles import contenders, extremes


class QueryScores:
    """S[c] = sum over q of class_prob[q, c] * M[q], with M the resized sigmoid of the mask logits.

    Few classes ever lead in a frame. A strip therefore computes the scores of the candidates, and one more sum
    that no other class can exceed: over q of the largest probability any of the others has in q. Pixels where
    that sum reaches the best candidate get all classes.
    """

    def __init__(self, class_prob: Tensor, mask_logits: Tensor, labels: Tensor, grid: Grid) -> None:
        self.grid = grid
        self.labels = labels
        self.width = max(class_prob.shape)
        self._z = mask_logits.permute(1, 2, 0).contiguous().float()
        self._prob = class_prob
        self._by_class = class_prob.t().contiguous()
        self._scratch = Scratch(class_prob.device)
        low, high = (float(v) for v in mask_logits.aminmax())
        least, mass = torch.stack([class_prob.min(), class_prob.sum(0).max()]).tolist()
        check_finite("mask logits", low, high)
        check_finite("class probabilities", least, mass)
        if least < 0:
            raise ValueError(f"Class probabilities must not be negative: {least}.")
        size = (max(-low, high), mass, class_prob.shape[0])
        self._slack = query_slack(single_products(), *size)
        self._tie = query_slack(DOUBLE, *size)
        self._candidates: tuple[Tensor, Tensor] | None = None

    def alive(self) -> Tensor:
        low, high = (bound.sigmoid_() for bound in extremes(self._z, self.grid))
        least, most = self._by_class @ low.t(), self._by_class @ high.t()
        alive = most >= least.amax(0) - self._slack
        self._choose_candidates(least.add_(most))
        return alive

    def _choose_candidates(self, typical: Tensor) -> None:
        """Candidates are the classes that lead on some tile; ``typical`` [K, tiles] only affects the speed."""
        chosen = (typical >= typical.amax(0)).any(1)
        if int(chosen.sum()) > 0.6 * chosen.numel():
            return
        others = self._by_class[~chosen].amax(0, keepdim=True)
        self._candidates = torch.cat([self._by_class[chosen], others]), self.labels[chosen]

    def strip(self, tiles: range, cols: Tensor) -> tuple[Tensor, Tensor]:
        rows = self.grid.rows.span(tiles)
        masks = resize_strip(self._z, self.grid, rows, cols, self._scratch, squash=True).flatten(0, 1)
        if self._candidates is None:
            return self._all_classes(masks)
        weights, labels = self._candidates
        scores = self._product(weights, masks)
        bar, count, label = contenders(scores[:-1], labels, self._slack, self._scratch)
        missed = (scores[-1] >= bar).nonzero()[:, 0]
        if missed.numel():
            label[missed], count[missed] = self._all_classes(masks[missed])
            if missed.numel() > count.numel() // 2:
                self._candidates = None
        return label, count

    def _all_classes(self, masks: Tensor) -> tuple[Tensor, Tensor]:
        scores = self._product(self._by_class, masks)
        _, count, label = contenders(scores, self.labels, self._slack, self._scratch)
        return label, count

    def _product(self, weights: Tensor, masks: Tensor) -> Tensor:
        out = self._scratch.take("scores", weights.shape[0], masks.shape[0])
        return torch.mm(weights, masks.t(), out=out)

    def settle(self, ys: Tensor, xs: Tensor) -> Tensor:
        prob = self._prob.double()
        best = first_best(self._z, self.grid, ys, xs, self._tie, squash=True, combine=lambda masks: masks @ prob)
        return self.labels[best]
