"""Batches of clips in an order that follows from their numbers alone, so that any step can be the first."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from vsscli.errors import VssError
from vsscli.maps.geometry import padded_size
from vsscli.models.preprocess import Preprocess
from vsscli.train.augment import augment, draw_change
from vsscli.train.clips import Clips
from vsscli.train.config import Input
from vsscli.train.targets import Targets, make_targets


@dataclass(frozen=True)
class Batch:
    """B clips of T frames: ``pixels`` float32 [B, T, 3, H, W], normalised and padded to multiples of 32; what they
    should give; what they are called."""

    pixels: Tensor
    targets: list[Targets]
    told: list[str]


@dataclass(frozen=True)
class Share:
    """Which part of every batch this process takes: part ``rank`` of ``world``, ``clips`` at a time."""

    clips: int
    rank: int = 0
    world: int = 1

    def numbers(self, start: int, stop: int) -> Iterator[list[int]]:
        """The numbers of the clips of each part of a batch, from part ``start`` to before part ``stop``."""
        for part in range(start, stop):
            first = (part * self.world + self.rank) * self.clips
            yield list(range(first, first + self.clips))


_Sample = tuple[Tensor, Tensor, str]


class Samples(Dataset[_Sample | VssError]):
    """Clip n as pixels, labels and its name; an error that the user must see comes as a value, from any process.

    ``overfit``: only the first so many clips, each always the same, its size, crop and mirroring too.
    """

    def __init__(self, clips: Clips, wanted: Input, preprocess: Preprocess, overfit: int | None = None) -> None:
        self.clips, self.wanted, self.preprocess, self.overfit = clips, wanted, preprocess, overfit

    def __getitem__(self, n: int) -> _Sample | VssError:
        n = n if self.overfit is None else n % self.overfit
        dice = self.clips.dice(n)
        try:
            shot = self.clips.read(n, dice)
        except VssError as error:
            return error
        height, width = shot.labels.shape[1:]
        images, labels = augment(shot, draw_change(height, width, self.wanted, dice))
        mean, std = (torch.tensor(triple)[:, None, None] for triple in (self.preprocess.mean, self.preprocess.std))
        pixels = (torch.from_numpy(images).permute(0, 3, 1, 2) - mean) / std
        return pixels, torch.from_numpy(labels), shot.told


def batches(samples: Samples, share: Share, start: int, stop: int, workers: int) -> Iterator[Batch]:
    """The batches from part ``start`` to before part ``stop``, read by ``workers`` processes (0: by this one)."""
    loader: DataLoader[_Sample | VssError] = DataLoader(
        samples,
        batch_sampler=list(share.numbers(start, stop)),
        num_workers=workers,
        collate_fn=collate,
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_deaf,
    )
    for found in loader:
        if isinstance(found, VssError):
            raise found
        yield found


def _deaf(number: int) -> None:
    """A reader does not heed Ctrl-C and SIGTERM, which reach it too: the process that trains ends it."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)


def collate(samples: Sequence[_Sample | VssError]) -> Batch | VssError:
    """One batch of clips of any sizes: right and bottom are padded, with the mean colour and with no label."""
    good: list[_Sample] = []
    for sample in samples:
        if isinstance(sample, VssError):
            return sample
        good.append(sample)
    sizes = [pixels.shape[2:] for pixels, _, _ in good]
    height, width = padded_size(max(size[0] for size in sizes), max(size[1] for size in sizes), 32)
    frames = good[0][0].shape[0]
    padded = torch.zeros(len(good), frames, 3, height, width)
    labels = torch.full((len(good), frames, height, width), 255, dtype=torch.uint8)
    for i, (pixels, label, _) in enumerate(good):
        h, w = label.shape[1:]
        padded[i, :, :, :h, :w], labels[i, :, :h, :w] = pixels, label
    targets = [make_targets(label, (size[0], size[1])) for label, size in zip(labels, sizes, strict=True)]
    return Batch(padded, targets, [told for _, _, told in good])
