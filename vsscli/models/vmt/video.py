"""A video through VidEoMT, PMT or LVMT: the encoder frame by frame, behind it the queries from frame to frame."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vsscli.models.network import Passage, QueryScores, Scores
from vsscli.models.placed import PlacedNetwork
from vsscli.models.vmt.encoders import Grid, grid_of
from vsscli.models.vmt.model import Vmt


class Looked(NamedTuple):
    """A frame after the encoder: ``tokens`` [prefix + patches, C] and how many rows and columns of patches."""

    tokens: Tensor
    grid: Grid


class VmtNetwork(PlacedNetwork[Vmt]):
    """A `VideoNetwork`. Of a frame it keeps the patches and mask embeddings, or the mask logits: what is less."""

    def look(self, pixels: Tensor) -> list[Looked]:
        with torch.no_grad(), self.precision():
            return [Looked(tokens, grid_of(pixels)) for tokens in self.model.see(pixels.to(self.device))]

    def start(self) -> Passage:
        return _Propagation(self.model, self)


class _Propagation:
    """Queries keep their place in the video, so each has one class: that of the mean of its logits over all frames."""

    def __init__(self, model: Vmt, network: VmtNetwork) -> None:
        self.model, self.network = model, network
        self._queries: Tensor | None = None  # of the next frame
        self._logits: Tensor | None = None  # the sum over the frames so far, in float64 on the CPU
        self._grids: list[Grid] = []

    def push(self, seen: Looked) -> Tensor:
        model, config = self.model, self.model.config
        with torch.no_grad(), self.network.precision():
            step = model.step(self._queries, seen.tokens, seen.grid)
            class_logits, mask_embeds = model.classify(step.normed)
            self._queries = step.following
            logits = class_logits.cpu().double()
            self._logits = logits if self._logits is None else self._logits + logits
            self._grids.append(seen.grid)
            patches = step.normed[config.queries + config.prefix :]
            if config.keeps_tokens(len(patches)):
                return torch.cat((mask_embeds.float(), patches.float()))
            return model.paint(mask_embeds, patches, seen.grid).float()

    def finish(self) -> Callable[[int, Tensor], Scores]:
        assert self._logits is not None
        device, count = self.network.device, self.model.config.queries
        prob = (self._logits / len(self._grids)).float().softmax(-1)[:, :-1].to(device)

        def scores(i: int, kept: Tensor) -> Scores:
            kept = kept.to(device)
            if kept.ndim == 3:
                return QueryScores(prob, kept)
            with torch.no_grad(), self.network.precision():
                return QueryScores(prob, self.model.paint(kept[:count], kept[count:], self._grids[i]).float())

        return scores
