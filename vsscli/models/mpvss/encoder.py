"""What two frames have in common and where they differ: the contraction of FlowNet-Simple."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, pad

from vsscli.models.mpvss.config import CONVOLUTIONS, MotionConfig

#: Sides of the kernels of the first convolution of each stage; all others are 3.
_KERNELS = (7, 5, 5, 3, 3, 3)
#: The means that the network was made for, RGB in 0..1.
_MEANS = (0.411, 0.432, 0.450)
SLOPE = 0.1


def flow_image(values: Tensor, size: tuple[int, int]) -> Tensor:
    """What the encoder gets of frames: float32 [B, 3, H/2, W/2].

    ``values`` is RGB 0..255, float32 [B, 3, H, W], of which the upper left (h, w) of ``size`` is the frame and the rest
    padding (H and W are even). Padding is zero after the means are taken off.
    """
    means = values.new_tensor(_MEANS)[:, None, None]
    height, width = size
    inside = values[:, :, :height, :width] / 255 - means
    padded = pad(inside, (0, values.shape[3] - width, 0, values.shape[2] - height))
    return interpolate(padded, scale_factor=0.5, mode="bilinear", align_corners=False)


class Encoder(nn.Module):
    """Dosovitskiy et al. 2015, "FlowNet": convolutions that halve the map six times."""

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        channels = 6
        for width, kernel, count in zip(config.widths, _KERNELS, CONVOLUTIONS, strict=True):
            first = nn.Conv2d(channels, width, kernel, stride=2, padding=kernel // 2)
            rest = [nn.Conv2d(width, width, 3, padding=1) for _ in range(count - 1)]
            self.stages.append(nn.ModuleList([first, *rest]))
            channels = width

    def forward(self, frames: Tensor, keys: Tensor) -> list[Tensor]:
        """The maps at strides 4, 8, 16, 32, 64 of two `flow_image` [B, 3, h, w]: the current frames', the keys'."""
        x, found = torch.cat([frames, keys], 1), []
        for stage in self.stages:
            for convolution in stage:  # type: ignore[attr-defined]
                x = leaky_relu(convolution(x), SLOPE)
            found.append(x)
        return found[1:]
