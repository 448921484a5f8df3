"""Clips of labelled videos: which frames, in which order, and their pixels."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import ClassTable
from vsscli.data.dataset import Dataset, FolderVideo
from vsscli.data.images import read_image
from vsscli.errors import DataError
from vsscli.train.config import Clip

Dice = np.random.Generator


@dataclass(frozen=True)
class Shot:
    """A clip as it lies on the disk: ``images`` RGB uint8 [T, H, W, 3], ``labels`` uint8 [T, H, W], 255 = void."""

    video: str
    frames: tuple[str, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    @property
    def told(self) -> str:
        """What to call it in a sentence."""
        return f"{self.video} ({', '.join(self.frames)})"


class Clips:
    """The labelled videos of some splits. Clip ``n`` is always the same one: nothing is kept from clip to clip.

    Every video comes once before any comes again. ``strict``: a mask with a value outside the class table is a
    DataError, else its pixels are void. DataError too where a video has fewer labelled frames than a clip.
    """

    def __init__(self, datasets: Sequence[Dataset], clip: Clip, seed: int, *, strict: bool) -> None:
        self.clip, self.seed, self.strict = clip, seed, strict
        self._datasets = datasets
        for video in self.videos:
            masked = len(video.masked())
            least = clip.frames if clip.reach is None and clip.short_videos == "refuse" else 1
            if masked < least:
                raise DataError(
                    f"Video {video.name} has {masked} frames with masks, and a clip has {clip.frames}.",
                    "Take the video out of the split's list, lower clip.frames"
                    + (", or give --set clip.short_videos=hold." if masked else "."),
                )

    @cached_property
    def videos(self) -> list[FolderVideo]:
        """The videos, split by split; DataError where they are no folders of images with masks."""
        found = []
        for dataset in self._datasets:
            for name in dataset.names():
                video = dataset.video(name)
                if not isinstance(video, FolderVideo) or video.numbering is None:
                    raise DataError(
                        f"{dataset.root} has no masks to learn from.", "Give a dataset in VSPW's or CamVid's layout."
                    )
                found.append(video)
        return found

    @property
    def short(self) -> int:
        """How many videos have fewer labelled frames than a clip without gaps."""
        return sum(len(video.masked()) < self.clip.frames for video in self.videos) if self.clip.reach is None else 0

    @property
    def table(self) -> ClassTable:
        """The classes."""
        table = self._datasets[0].classes
        assert table is not None
        return table

    @property
    def digest(self) -> str:
        """SHA-256 over the names of the videos and of their labelled frames."""
        lines = (f"{video.name} {' '.join(video.masked())}\n" for video in self.videos)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def dice(self, n: int) -> Dice:
        """The chance of clip ``n``."""
        return np.random.default_rng((self.seed, 1, n))

    def read(self, n: int, dice: Dice) -> Shot:
        """Clip ``n``, by its `dice`. DataError naming the file that cannot be used."""
        lap, place = divmod(n, len(self.videos))
        order = np.random.default_rng((self.seed, 0, lap)).permutation(len(self.videos))
        video = self.videos[order[place]]
        masked = video.masked()
        frames = tuple(masked[i] for i in choose_frames(len(masked), self.clip, dice))
        images = [read_image(video.files[frame].image) for frame in frames]
        labels = [self._labels(video, frame) for frame in frames]
        for frame, image, label in zip(frames, images, labels, strict=True):
            if not image.shape[:2] == label.shape == images[0].shape[:2]:
                raise DataError(
                    f"Video {video.name}, frame {frame}: the frame is {image.shape[1]}x{image.shape[0]}, its mask "
                    f"{label.shape[1]}x{label.shape[0]}, the first frame {images[0].shape[1]}x{images[0].shape[0]}.",
                    "vsscli data check finds all such frames.",
                )
        return Shot(video.name, frames, np.stack(images), np.stack(labels))

    def _labels(self, video: FolderVideo, frame: str) -> NDArray[np.uint8]:
        stored, numbering = video.stored_mask(frame), video.numbering
        assert numbering is not None
        if self.strict and numbering.odd:
            odd = sorted(numbering.odd.intersection(np.unique(stored).tolist()))
            if odd:
                raise DataError(
                    f"Video {video.name}, frame {frame}: the mask holds the value {odd[0]}, which is outside the "
                    f"table of {len(self.table)} classes.",
                    "vsscli data check finds all such masks; with odd_masks: void such pixels have no label.",
                )
        return numbering.labels[stored]


def choose_frames(count: int, clip: Clip, dice: Dice) -> list[int]:
    """The frames of a clip, of ``count`` there are.

    Without gaps the last possible start is never drawn unless it is the only one, as in DVIS++'s own sampling. Of
    fewer frames than a clip's the last is held.
    """
    if clip.reach is None:
        start = int(dice.integers(max(1, count - clip.frames)))
        chosen = [min(i, count - 1) for i in range(start, start + clip.frames)]
    else:
        centre = int(dice.integers(count))
        low, high = max(0, centre - clip.reach), min(count, centre + clip.reach + 1)
        chosen = sorted([centre, *dice.integers(low, high, clip.frames - 1).tolist()])
    return chosen[::-1] if dice.random() < clip.reverse else chosen
