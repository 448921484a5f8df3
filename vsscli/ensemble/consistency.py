"""How well label maps follow the motion in the frames: eq. 7 of the paper, for any number of runs at once."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import IGNORE
from vsscli.maps.flow import backward_flow
from vsscli.maps.ssim import WINDOW, class_ssim, id_ssim, windows_inside
from vsscli.maps.warp import flow_sources, warp

Labels = NDArray[np.uint8]

#: What ``--ssim-on`` may be: ids as gray values (the paper's), or the mean over the masks of classes.
SSIM_ON: dict[str, Callable[[Labels, Labels, NDArray[np.bool_]], float | None]] = {
    "ids": id_ssim,
    "classes": class_ssim,
}


class Consistency:
    """Takes the frames of a video one by one, with the maps that each run gives them; holds two frames.

    The flow of a pair of frames, and which pixels it brings from where, is computed once for all runs. Each run's map
    of the earlier frame is warped to the later one and compared with the run's own map there by SSIM; windows that
    touch pixels from outside the frame are left out.
    """

    def __init__(self, runs: int, ssim_on: str) -> None:
        self._ssim = SSIM_ON[ssim_on]
        self._sums = [0.0] * runs
        self._classes: list[set[int]] = [set() for _ in range(runs)]
        self._last: tuple[Labels, list[Labels]] | None = None
        #: Frames so far, and pairs of them in which there was something to compare.
        self.frames, self.pairs = 0, 0

    def add(self, frame: Labels, maps: Sequence[Labels]) -> None:
        """The next frame, gray ``uint8 [H, W]``, and a map of the same size from each run."""
        for labels, classes in zip(maps, self._classes, strict=True):
            if len(classes) < 2:  # more than that there is no need to know
                classes.update(np.unique(labels).tolist())
                classes.discard(IGNORE)
        if self._last is not None and min(frame.shape) >= WINDOW:
            self._compare(*self._last, frame, maps)
        self._last = frame, list(maps)
        self.frames += 1

    def _compare(self, earlier: Labels, before: Sequence[Labels], later: Labels, after: Sequence[Labels]) -> None:
        sources = flow_sources(backward_flow(earlier, later))
        valid = windows_inside(sources)
        found = [self._ssim(warp(old, sources), new, valid) for old, new in zip(before, after, strict=True)]
        values = [value for value in found if value is not None]
        if values:  # there is a valid window for all runs, or for none
            self._sums = [total + value for total, value in zip(self._sums, values, strict=True)]
            self.pairs += 1

    @property
    def means(self) -> tuple[float, ...] | None:
        """The mean SSIM of each run over the pairs of frames, None without a pair."""
        return tuple(total / self.pairs for total in self._sums) if self.pairs else None

    @property
    def eligible(self) -> tuple[bool, ...]:
        """Whether each run's maps hold two classes or more: a constant map has SSIM 1 and would always win."""
        return tuple(len(classes) >= 2 for classes in self._classes)
