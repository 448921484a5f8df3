"""An MPVSS model behind `KeyFrameNetwork`, and frame by frame behind `Network`."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vsscli.models.mpvss.encoder import flow_image
from vsscli.models.mpvss.model import KeyFrame, Mpvss
from vsscli.models.network import QueryScores, Scores
from vsscli.models.placed import PlacedNetwork
from vsscli.models.preprocess import restore


@dataclass(frozen=True)
class MpvssKey:
    """A key frame: ``frame`` as the model gives it, its ``scores``."""

    frame: KeyFrame
    scores: QueryScores


class MpvssNetwork(PlacedNetwork[Mpvss]):
    """A `KeyFrameNetwork`."""

    def segment(self, pixels: Tensor, size: tuple[int, int]) -> list[MpvssKey]:
        pixels = pixels.to(self.device)
        with torch.no_grad():
            images = self._images(pixels, size)
            with self.precision():
                frames = self.model.segment(pixels, images)
            return [MpvssKey(frame, _scores(frame.class_logits, frame.mask_logits)) for frame in frames]

    def carry(self, pixels: Tensor, size: tuple[int, int], keys: Sequence[MpvssKey]) -> list[Scores]:
        with torch.no_grad():
            images = self._images(pixels.to(self.device), size)
            with self.precision():
                carried = self.model.carry(images, [key.frame for key in keys])
            return [QueryScores(key.scores.class_prob, logits) for key, logits in zip(keys, carried, strict=True)]

    def forward(self, pixels: Tensor) -> list[Scores]:
        """The segmenter on every frame."""
        return [key.scores for key in self.segment(pixels, (pixels.shape[2], pixels.shape[3]))]

    def _images(self, pixels: Tensor, size: tuple[int, int]) -> Tensor:
        return flow_image(restore(pixels, self._preprocess), size)


def _scores(class_logits: Tensor, mask_logits: Tensor) -> QueryScores:
    return QueryScores(class_logits.float().softmax(-1)[:, :-1], mask_logits.float())
