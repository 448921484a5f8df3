"""Size, crop and mirror of a clip: drawn once, the same for all its frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vsscli.maps.geometry import network_size
from vsscli.train.clips import Dice, Shot
from vsscli.train.config import Input


@dataclass(frozen=True)
class Change:
    """What becomes of a clip: resized to ``size``, cut to ``height`` x ``width`` at ``top``, ``left``, mirrored."""

    size: tuple[int, int]
    top: int
    left: int
    height: int
    width: int
    mirror: bool

    def image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame uint8 [H, W, 3], by Pillow's bilinear filter, as in inference."""
        return self._cut(_resize(image, self.size, Image.Resampling.BILINEAR))

    def labels(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Its labels uint8 [H, W]: of each place the nearest."""
        return self._cut(_resize(labels, self.size, Image.Resampling.NEAREST))

    def _cut(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        part = array[self.top : self.top + self.height, self.left : self.left + self.width]
        return part[:, ::-1] if self.mirror else part


def draw_change(height: int, width: int, wanted: Input, dice: Dice) -> Change:
    """What becomes of a clip of frames of ``height`` x ``width``. A crop never exceeds the resized frame."""
    size = network_size(height, width, int(dice.choice(wanted.short)), wanted.cap)
    cut = size
    if wanted.crop is not None:
        cut = min(size[0], wanted.crop[0]), min(size[1], wanted.crop[1])
    elif wanted.crop_range is not None:
        least, most = wanted.crop_range
        sides = [int(dice.integers(min(side, least), min(side, most) + 1)) for side in size]
        cut = sides[0], sides[1]
    top, left = (int(dice.integers(side - kept + 1)) for side, kept in zip(size, cut, strict=True))
    return Change(size, top, left, *cut, bool(wanted.flip and dice.random() < 0.5))


def augment(shot: Shot, change: Change) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The changed frames uint8 [T, h, w, 3] and labels uint8 [T, h, w]."""
    images, labels = map(change.image, shot.images), map(change.labels, shot.labels)
    return np.stack(list(images)), np.stack(list(labels))


def _resize(array: NDArray[np.uint8], size: tuple[int, int], how: Image.Resampling) -> NDArray[np.uint8]:
    if array.shape[:2] == size:
        return array
    return np.asarray(Image.fromarray(array).resize((size[1], size[0]), how))
