"""Frames through a function of a network: one by one on the cores of a CPU, in batches on an accelerator."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vsscli.errors import DataError, DeviceError
from vsscli.infer.pipeline import frame_threads, in_order
from vsscli.models.refusals import is_out_of_memory, is_too_small

if TYPE_CHECKING:
    import torch

log = logging.getLogger("vsscli")

Image = NDArray[np.uint8]
Size = tuple[int, int]


@dataclass(frozen=True)
class Place:
    """A frame: its name, its own size (H, W), and the network's for it before padding."""

    name: str
    out: Size
    size: Size


def require_same(place: Place, before: Place) -> None:
    """DataError where a frame has not the size that it had, or that its key frame has."""
    if place.out != before.out:
        raise DataError(
            f"Frame {place.name} became {place.out[1]}x{place.out[0]} while its video was read.",
            "Run it again when nothing writes to the dataset.",
        )


@dataclass(frozen=True)
class Prepared:
    """A frame on its way, and what the network gets of it: float32 [3, H, W]."""

    place: Place
    pixels: "torch.Tensor"


Named = tuple[str, Image]
Seen = tuple[Place, Any]
Prepare = Callable[[Named], Prepared]
Work = Callable[["torch.Tensor", list[Place]], list[Any]]


class Batches:
    """Up to ``size`` frames at once: on a CPU as many threads of one frame each, on an accelerator one batch."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._halved = False

    def run(
        self,
        device: str,
        prepare: Callable[[tuple[str, Image]], Prepared],
        work: Work,
        images: Iterable[tuple[str, Image]],
    ) -> Iterator[Seen]:
        """``work`` of every frame, in order. It gets float32 [B, 3, H, W] on the device and the B frames.

        On a CPU every frame is one task of a thread with one core, so the sums inside it are always made in the same
        order: the result does not depend on how many run at once. On an accelerator the next batch is read and
        prepared while it computes, and launched before the last one's results are handed out.

        Raises DeviceError when memory does not do even for half a batch.
        """
        with frame_threads(self.size, device) as pool:
            if device == "cpu":
                yield from in_order(pool, lambda named: self._alone(prepare(named), work), images, self.size + 1)
                return
            last: list[Seen] = []
            for group in self._groups(in_order(pool, prepare, images, 2 * self.size + 1)):
                launched = self._launch(group, work, device)
                yield from last
                last = launched
            yield from last

    def _alone(self, frame: Prepared, work: Work) -> Seen:
        (seen,) = _apply(work, [frame], "cpu")
        return seen

    def _groups(self, prepared: Iterable[Prepared]) -> Iterator[list[Prepared]]:
        """Up to ``self.size`` frames of one size; that may become smaller on the way."""
        group: list[Prepared] = []
        for frame in prepared:
            if group and (len(group) >= self.size or _sizes(frame) != _sizes(group[0])):
                yield group
                group = []
            group.append(frame)
        if group:
            yield group

    def _launch(self, group: list[Prepared], work: Work, device: str) -> list[Seen]:
        if len(group) == 1 or self._halved:
            return _apply(work, group, device)
        try:
            return _apply(work, group, device)
        except DeviceError:
            half = (len(group) + 1) // 2
        height, width = group[0].place.size
        log.warning("out of memory with %d frames of %dx%d at once: going on with %d", len(group), width, height, half)
        self.size, self._halved = half, True
        return _apply(work, group[:half], device) + _apply(work, group[half:], device)


def _sizes(frame: Prepared) -> tuple[Size, Size]:
    return frame.place.out, frame.place.size


def _apply(work: Work, group: list[Prepared], device: str) -> list[Seen]:
    import torch

    places = [frame.place for frame in group]
    with explained(places[0], len(group)), torch.inference_mode():
        found = work(torch.stack([frame.pixels for frame in group]).to(device), places)
    return list(zip(places, found, strict=True))


@contextmanager
def explained(place: Place, batch: int = 1) -> Iterator[None]:
    """Inside, want of memory is a DeviceError and a frame too small to be normalised a DataError, about ``place``."""
    size = f"{place.size[1]}x{place.size[0]}"
    try:
        yield
    except (RuntimeError, MemoryError, ValueError) as error:
        if is_too_small(error):
            what = f"Frame {place.name} is too small for this network ({size})."
            raise DataError(what, "Try a larger --size.") from error
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            f"Out of memory at frame {place.name} with {batch} frame(s) of {size} at once.",
            "Try a smaller --size or --batch, half precision (--dtype), or fewer --workers.",
        ) from error
