"""An MPVSS model as one module."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.segmenter import Segmenter
from vsscli.models.mpvss.config import MpvssConfig
from vsscli.models.mpvss.motion import Motion
from vsscli.models.mpvss.warp import warp_masks


@dataclass(frozen=True)
class KeyFrame:
    """What is carried on from a key frame.

    ``class_logits`` [Q, K + 1], ``mask_logits`` [Q, h, w] (in a training [Q, L, h, w], those of L layers); ``queries``
    [Q, C] after the segmenter's last norm, and ``image`` [3, H/2, W/2] for the motion network
    (`vsscli.models.mpvss.encoder.flow_image`).
    """

    class_logits: Tensor
    mask_logits: Tensor
    queries: Tensor
    image: Tensor


class Mpvss(nn.Module):
    """The two networks, to be called one by one."""

    def __init__(self, config: MpvssConfig) -> None:
        super().__init__()
        self.config = config
        self.segmenter = Segmenter(config.segmenter)
        self.motion = Motion(config.motion, config.segmenter.width, config.segmenter.queries)

    def segment(self, pixels: Tensor, images: Tensor) -> list[KeyFrame]:
        """Key frames: float32 [B, 3, H, W], normalised and padded, and their `flow_image` [B, 3, H/2, W/2]."""
        found = []
        for frame, image in zip(self.segmenter(pixels), images, strict=True):
            logits = masks(frame.mask_embeds, frame.mask_features)
            found.append(KeyFrame(frame.class_logits, logits, frame.normed, image))
        return found

    def carry(self, images: Tensor, keys: list[KeyFrame]) -> list[Tensor]:
        """The mask logits of frames, each carried from those of its key frame; their classes are the key frame's.

        ``images`` is the frames' `flow_image` [B, 3, H/2, W/2]. Gradients pass, also to the key frames' queries and
        masks. The warp is in float32 whatever the rest does.
        """
        flow = self.motion(images, torch.stack([k.image for k in keys]), torch.stack([k.queries for k in keys]))
        with torch.autocast(images.device.type, enabled=False):
            return [warp_masks(k.mask_logits.float(), f.float()) for k, f in zip(keys, flow, strict=True)]


def build(config: MpvssConfig) -> Mpvss:
    """The model without weights, for evaluation: in no time, taking no memory (as `vsscli.models.dvis.model.build`)."""
    with torch.device("meta"):
        model = Mpvss(config).to("meta")  # once more, because transformers makes one parameter past the context
    model.segmenter.fill_constants()
    return model.eval()
