"""The convolutional branch of the ViT-Adapter (Chen et al. 2023): the detail that patches of 16 pixels lose."""

from itertools import pairwise

from torch import Tensor, nn


class SpatialPrior(nn.Module):
    """Four maps of an image at strides 4, 8, 16 and 32, all ``dim`` wide, from convolutions ``width`` wide and up."""

    def __init__(self, *, dim: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *_convolution(3, width, stride=2),
            *_convolution(width, width, stride=1),
            *_convolution(width, width, stride=1),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        widths = (width, 2 * width, 4 * width, 4 * width)
        self.down = nn.ModuleList(
            nn.Sequential(*_convolution(before, after, stride=2)) for before, after in pairwise(widths)
        )
        self.project = nn.ModuleList(nn.Conv2d(wide, dim, 1) for wide in widths)

    def forward(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[B, 3, H, W] -> the stem's map [B, width, H/4, W/4], and the maps of strides 8, 16, 32 [B, dim, ...].

        The largest map is left to `finest`: at ``dim`` channels it is as large as all else together, and it is needed
        last.
        """
        stem: Tensor = self.stem(pixels)
        maps, last = [], stem
        for down, project in zip(self.down, self.project[1:], strict=True):
            last = down(last)
            maps.append(project(last))
        return stem, maps

    def finest(self, stem: Tensor) -> Tensor:
        """The map of stride 4, [B, dim, H/4, W/4], from what the stem gave."""
        projected: Tensor = self.project[0](stem)
        return projected


def _convolution(before: int, after: int, *, stride: int) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
    return conv, nn.BatchNorm2d(after), nn.ReLU(inplace=True)
