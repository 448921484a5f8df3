"""Scores of a network that answers with one map of logits per class."""

from torch import Tensor

from vsscli.infer.semantic.exact import first_best
from vsscli.infer.semantic.grid import Grid
from vsscli.infer.semantic.resize import Scratch, resize_strip
from vsscli.infer.semantic.rounding import DOUBLE, SINGLE, check_finite, logit_slack
from vsscli.infer.semantic.tiles import contenders, extremes


class LogitScores:
    """The score of a class is its resized logit."""

    def __init__(self, logits: Tensor, labels: Tensor, grid: Grid) -> None:
        self.grid = grid
        self.labels = labels
        self.width = logits.shape[0]
        self._z = logits.permute(1, 2, 0).contiguous().float()
        self._scratch = Scratch(logits.device)
        low, high = (float(bound) for bound in logits.aminmax())
        check_finite("class scores", low, high)
        self._slack = logit_slack(SINGLE, max(-low, high))
        self._tie = logit_slack(DOUBLE, max(-low, high))
        self._alive: Tensor | None = None

    def alive(self) -> Tensor:
        least, most = extremes(self._z, self.grid)
        alive = (most >= least.amax(1, keepdim=True) - self._slack).t().contiguous()
        self._alive = alive.view(-1, self.grid.rows.tiles, self.grid.cols.tiles)
        return alive

    def strip(self, tiles: range, cols: Tensor) -> tuple[Tensor, Tensor]:
        channels, labels = None, self.labels
        if self._alive is not None:
            here = self._alive[:, tiles.start : tiles.stop].flatten(1)
            channels = here[:, here.sum(0) > 1].any(1).nonzero()[:, 0]
            labels = labels[channels]
        rows = self.grid.rows.span(tiles)
        values = resize_strip(self._z, self.grid, rows, cols, self._scratch, squash=False, channels=channels)
        by_pixel = values.flatten(0, 1).t()
        scores = self._scratch.take("scores", *by_pixel.shape).copy_(by_pixel)
        _, count, label = contenders(scores, labels, self._slack, self._scratch)
        return label, count

    def settle(self, ys: Tensor, xs: Tensor) -> Tensor:
        best = first_best(self._z, self.grid, ys, xs, self._tie, squash=False, combine=lambda values: values)
        return self.labels[best]
