"""How long pixels stay what they are: the counts behind video consistency (VC)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsscli.maps.compiled import compiled
from vsscli.maps.confusion import flat

#: The longest window the counters can tell.
LONGEST = np.iinfo(np.uint16).max

Runs = NDArray[np.uint8] | NDArray[np.uint16]

_LANES = 1024  # pixels counted side by side, in as many bits as their run lengths have
_ROUNDS = 64  # as far as a lane counts


class WindowCounter:
    """Counts, for windows of several lengths at once, the pixels that do not change within them.

    Two counters per pixel hold for how many frames the truth, and truth and prediction both, have been constant:
    memory does not depend on the length of the video or of the windows.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        """``lengths``: the window lengths, 1 to `LONGEST`."""
        if not lengths or min(lengths) < 1 or max(lengths) > LONGEST:
            raise ValueError(f"window lengths must lie in 1..{LONGEST}: {lengths}")
        fits = max(lengths) <= np.iinfo(np.uint8).max
        self._lengths: Runs = np.array(lengths, np.uint8) if fits else np.array(lengths, np.uint16)
        self.clear()

    def clear(self) -> None:
        """Begins anew: no window reaches over this point."""
        #: Frames since the beginning or the last `clear`.
        self.frames = 0
        self._last: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    def add(self, truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Takes the next frame, two ``uint8 [H, W]``; gives ``int64 [lengths, 2]`` for the windows that end with it.

        Column 0 counts the pixels where both are constant over the window, column 1 those where the truth is. A row
        means something once ``frames`` has reached its length; it is 0 before. Raises ValueError when the sizes differ
        from each other, or from the last frame's.
        """
        t, p = flat(truth), flat(prediction)
        last_t, last_p = self._last or (t, p)
        if not t.shape == p.shape == last_t.shape:
            raise ValueError(f"truth is {truth.shape}, prediction is {prediction.shape}, before: {last_t.size} pixels")
        if self._last is None:
            self._runs: Runs = np.zeros((2, t.size), self._lengths.dtype)
        counts = np.zeros((len(self._lengths), 2), np.int64)
        _extend(t, p, last_t, last_p, self._runs[0], self._runs[1], self._lengths.max())
        _count(self._runs, self._lengths, counts)
        self._last = t, p
        self.frames += 1
        return counts


# Both kernels are loops without branches, in few bits, which become vector instructions.


@compiled
def _extend(
    truth: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    last_truth: NDArray[np.uint8],
    last_prediction: NDArray[np.uint8],
    both_run: Runs,
    true_run: Runs,
    top: np.integer,
) -> None:
    """Carries the run lengths on by a frame; they stop at ``top``."""
    kind = true_run.dtype.type
    one = kind(1)
    for i in range(truth.size):
        stays = truth[i] == last_truth[i]
        true = kind(true_run[i] + one) if true_run[i] < top else top
        both = kind(both_run[i] + one) if both_run[i] < top else top
        true_run[i] = true if stays else one
        both_run[i] = both if stays & (prediction[i] == last_prediction[i]) else one


@compiled
def _count(runs: Runs, lengths: Runs, counts: NDArray[np.int64]) -> None:
    """``counts[k, j]``: how many of ``runs[j]`` reach ``lengths[k]``."""
    lanes = np.zeros(_LANES, lengths.dtype)
    for j in range(runs.shape[0]):
        for begin in range(0, runs.shape[1], _LANES * _ROUNDS):
            block = runs[j, begin : begin + _LANES * _ROUNDS]
            rest = block.size // _LANES * _LANES
            for k in range(lengths.size):
                lanes[:] = 0
                for row in range(0, rest, _LANES):
                    part = block[row : row + _LANES]
                    for i in range(_LANES):
                        lanes[i] += part[i] >= lengths[k]
                counts[k, j] += lanes.sum()
                for i in range(rest, block.size):
                    counts[k, j] += block[i] >= lengths[k]
