"""Flicker: how many pixels change their label from one frame to the next, where, and when."""

import numpy as np
from numpy.typing import NDArray


class Flicker:
    """Counts the changes of one video's label maps as they come, in order: two maps are in memory at a time."""

    def __init__(self) -> None:
        #: Of each pair of consecutive frames the share of pixels that change; None across a gap or a change of size.
        self.shares: list[float | None] = []
        self._changes: NDArray[np.int32] | None = None
        self._last: NDArray[np.uint8] | None = None
        self._steps = 0
        self._begun = False

    def add(self, labels: NDArray[np.uint8] | None) -> None:
        """The map of the next frame, ``uint8 [H, W]``, or None where there is none."""
        if self._begun:
            self.shares.append(self._step(labels))
        self._begun, self._last = True, labels

    def _step(self, labels: NDArray[np.uint8] | None) -> float | None:
        if labels is None or self._last is None or labels.shape != self._last.shape:
            return None
        changed = labels != self._last
        if self._changes is None or self._changes.shape != changed.shape:
            self._changes, self._steps = np.zeros(changed.shape, np.int32), 0
        self._changes += changed
        self._steps += 1
        return float(changed.mean())

    @property
    def mean(self) -> float | None:
        """The mean of the shares; None where no two frames could be compared."""
        known = [share for share in self.shares if share is not None]
        return sum(known) / len(known) if known else None

    @property
    def map(self) -> NDArray[np.float32] | None:
        """``float32 [H, W]``: the share of the steps in which each pixel changes; None where there was no step."""
        return None if self._changes is None else (self._changes / max(self._steps, 1)).astype(np.float32)
