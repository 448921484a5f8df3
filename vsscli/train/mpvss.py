"""The stage that makes an MPVSS model of a segmenter: masks of a key frame, carried to a later one, must fit there."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vsscli.models.dvis.blocks import masks
from vsscli.models.mpvss.encoder import flow_image
from vsscli.models.mpvss.model import KeyFrame, Mpvss
from vsscli.models.preprocess import restore
from vsscli.train.criterion import Losses, Prediction
from vsscli.train.stage import Stage
from vsscli.train.targets import Targets, Units


class MpvssStage(Stage):
    """The motion network learns, and the two heads of the segmenter that give classes and mask embeddings.

    A clip is a key frame and a later frame. The masks of every layer are carried by one flow, that of the last layer's
    queries, and every layer is told its errors at the later frame; nothing else is compared, neither the key frame nor
    the flow.
    """

    model: Mpvss

    def trained(self) -> nn.Module:
        mask2former = self.model.segmenter.mask2former
        embedder = mask2former.model.transformer_module.decoder.mask_predictor.mask_embedder
        heads = {"class_embed": mask2former.class_predictor, "mask_embed": embedder}
        return nn.ModuleDict({"motion": self.model.motion, **heads})

    def forward(self, pixels: Tensor, targets: Sequence[Targets], progress: float, seed: int) -> Losses:
        chance = self._chance(seed, pixels.device)
        images = self._images(pixels, targets)
        class_logits, keys = self._segment(pixels[:, 0], images[:, 0])
        carried = torch.stack(self.model.carry(images[:, 1], keys))  # [B, Q, L, h, w]
        units = Units([target.seen(1) for target in targets])
        layers = []
        for logits, maps in zip(class_logits, carried.unbind(2), strict=True):
            found = Prediction(logits, maps)
            answers = self.criterion.match(found, units, chance)
            layers.append(self.criterion.losses(found, units, answers, chance))
        return self._sum(layers)

    def _images(self, pixels: Tensor, targets: Sequence[Targets]) -> Tensor:
        """The frames as the motion network takes them, [B, T, 3, H/2, W/2]."""
        values = restore(pixels, self.preprocess)
        clips = zip(values, targets, strict=True)
        return torch.stack([flow_image(clip, target.size) for clip, target in clips])

    def _segment(self, pixels: Tensor, images: Tensor) -> tuple[list[Tensor], list[KeyFrame]]:
        """Of each layer the class logits [B, Q, K + 1]; the key frames, with the masks of all layers."""
        segmenter = self.model.segmenter
        with torch.no_grad():
            features, levels = segmenter.pixel_decoder(segmenter.backbone(pixels))
            states = segmenter.query_states(features, levels)
        class_logits, normed, embeds = zip(*map(segmenter.predict, states), strict=True)
        maps = torch.stack([masks(each, features) for each in embeds], 2)
        frames = zip(class_logits[-1], maps, normed[-1], images, strict=True)
        return list(class_logits), [KeyFrame(*frame) for frame in frames]
