"""A video through a DVIS++ model: the segmenter frame by frame, the tracker behind it, the refiner at the end."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.model import Dvis
from vsscli.models.dvis.segmenter import Segmented
from vsscli.models.dvis.tracker import TrackerState
from vsscli.models.network import Passage, QueryScores, Scores
from vsscli.models.placed import PlacedNetwork


class DvisNetwork(PlacedNetwork[Dvis]):
    """What the three kinds share."""

    def segment(self, pixels: Tensor) -> list[Segmented]:
        """The frames of float32 [B, 3, H, W]."""
        with torch.no_grad(), self.precision():
            found: list[Segmented] = self.model.segmenter(pixels.to(self.device))
            return found


class SegmenterNetwork(DvisNetwork):
    """A segmenter alone: a `Network` of frames. There is no official way to its label maps; this is Mask2Former's."""

    def forward(self, pixels: Tensor) -> list[Scores]:
        with torch.no_grad(), self.precision():
            return [
                QueryScores(_probabilities(frame.class_logits), masks(frame.mask_embeds, frame.mask_features).float())
                for frame in self.segment(pixels)
            ]


class OnlineNetwork(DvisNetwork):
    """Segmenter and tracker: a `VideoNetwork`. What it keeps of a frame is its mask logits, [Q, h, w]."""

    def look(self, pixels: Tensor) -> list[Segmented]:
        return self.segment(pixels)

    def start(self) -> Passage:
        return _Tracking(self.model, self)


class OfflineNetwork(OnlineNetwork):
    """With the refiner: what it keeps of a frame is its mask features, [C, h, w]."""

    def start(self) -> Passage:
        return _Refining(self.model, self)


class _Tracking:
    """Each query's class is that of the mean of its logits over the video, so it is known at the end only."""

    def __init__(self, model: Dvis, network: DvisNetwork) -> None:
        assert model.tracker is not None
        self.model, self.tracker, self.network = model, model.tracker, network
        self._state: TrackerState | None = None
        self._logits: Tensor | None = None  # the sum over the frames so far, in float64 on the CPU
        self._frames = 0

    def push(self, seen: Segmented) -> Tensor:
        with torch.no_grad(), self.network.precision():
            tracked, self._state = self.tracker.step(self._state, seen)
            logits = tracked.class_logits.cpu().double()
            self._logits = logits if self._logits is None else self._logits + logits
            self._frames += 1
            return self.keep(tracked.embeds, tracked.mask_embeds, seen)

    def keep(self, embeds: Tensor, mask_embeds: Tensor, seen: Segmented) -> Tensor:
        """What of a frame is kept, of the tracker's ``embeds`` [Q, D] and ``mask_embeds`` [Q, C] of it."""
        return masks(mask_embeds, self.tracker.project(seen.mask_features)).float()

    def classes(self) -> Tensor:
        """The class probabilities of the queries, [Q, K]."""
        assert self._logits is not None
        return _probabilities((self._logits / self._frames).float())

    def finish(self) -> Callable[[int, Tensor], Scores]:
        prob, device = self.classes().to(self.network.device), self.network.device
        return lambda _, kept: QueryScores(prob, kept.to(device))


class _Refining(_Tracking):
    """The refiner reads the whole video; its classes and the tracker's are joined by their maximum."""

    def __init__(self, model: Dvis, network: DvisNetwork) -> None:
        super().__init__(model, network)
        self._embeds: list[Tensor] = []
        self._raw: list[Tensor] = []

    def keep(self, embeds: Tensor, mask_embeds: Tensor, seen: Segmented) -> Tensor:
        # Copies of their own: as views they would hold the whole batch they are part of.
        self._embeds.append(embeds.float().cpu().clone())
        self._raw.append(seen.raw.float().cpu().clone())
        return seen.mask_features.float()

    def finish(self) -> Callable[[int, Tensor], Scores]:
        refiner, device = self.model.refiner, self.network.device
        assert refiner is not None
        with torch.no_grad(), self.network.precision():
            refined = refiner(_stack(self._embeds, device), _stack(self._raw, device))
        prob = torch.maximum(_probabilities(refined.class_logits).cpu(), self.classes()).to(device)
        mask_embeds = cast(Tensor, refined.mask_embeds)

        def scores(i: int, kept: Tensor) -> Scores:
            with torch.no_grad(), self.network.precision():
                return QueryScores(prob, masks(mask_embeds[i], kept.to(device)).float())

        return scores


def _stack(frames: list[Tensor], device: torch.device) -> Tensor:
    """[T, ...] on the device of T tensors, which are let go of."""
    stacked = torch.stack(frames).to(device)
    frames.clear()
    return stacked


def _probabilities(logits: Tensor) -> Tensor:
    """Softmax of [Q, K + 1] without the last column, "no object": float32 [Q, K]."""
    return logits.float().softmax(-1)[:, :-1]
