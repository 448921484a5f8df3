"""The K best classes of every cell of a network's output, and their probabilities."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vsscli.infer.semantic.grid import Size
from vsscli.models.network import QueryScores, Scores
from vsscli.runs.scores import ONE, TopK, cells_read

#: Cells handled at once: no array of all classes and all cells of a large input exists.
_CELLS = 1 << 14


@dataclass(frozen=True)
class Best:
    """What `best_classes` gives, still on the device.

    ``keys``, int32 [k, h, w], the largest first: probability in 65535ths times 256 plus 255 minus id.
    """

    keys: Tensor
    grid: Size
    padded: Size
    network: Size

    def fetch(self, frame: Size, flip: bool) -> TopK:
        """As it is kept of a ``frame`` (H, W), seen mirrored or not."""
        keys = self.keys.cpu().numpy()
        sizes = np.array([self.grid, self.padded, self.network, frame], np.int32)
        return TopK((255 - (keys & 255)).astype(np.uint8), (keys >> 8).astype(np.uint16), sizes, flip)


def best_classes(scores: Scores, ids: Tensor, k: int, *, padded: Size, network: Size) -> Best:
    """The ``k`` best classes (fewer where there are not so many) of every cell that the unpadded input reads.

    ``ids`` (uint8 [K]) are the classes' ids, ``padded`` and ``network`` (H, W) of the input with and without padding.
    Equal probabilities are ordered by id, on any device. See `vsscli.runs.scores` for the cells and what a probability
    is.
    """
    values = scores.mask_logits if isinstance(scores, QueryScores) else scores.values
    grid = (values.shape[1], values.shape[2])
    rows, cols = (cells_read(grid[i], padded[i], network[i]) for i in (0, 1))
    cells = values[:, :rows, :cols].flatten(1)
    order = 255 - ids.to(torch.int32)
    found = []
    with torch.autocast(values.device.type, enabled=False):
        for part in torch.split(cells, _CELLS, 1):
            keys = (_probabilities(scores, part.float()) * ONE + 0.5).to(torch.int32) * 256 + order
            found.append(keys.topk(min(k, len(ids)), 1).values)
    return Best(torch.cat(found).t().reshape(-1, rows, cols), grid, padded, network)


def _probabilities(scores: Scores, part: Tensor) -> Tensor:
    """fp32 [cells, K] of some cells ``part`` [Q or K, cells]."""
    if isinstance(scores, QueryScores):
        sums = part.sigmoid().t() @ scores.class_prob.float()
    elif scores.logits:
        return part.t().softmax(1)
    else:
        sums = part.t()
    return sums / sums.sum(1, keepdim=True).clamp_min(torch.finfo(sums.dtype).tiny)
