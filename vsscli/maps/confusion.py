"""Counting pairs of (true value, predicted value)."""

import numpy as np
from numpy.typing import NDArray

from vsscli.maps.compiled import compiled


class PairCounter:
    """Counts pixels by (true value, predicted value) over any number of frames.

    ``pairs`` is ``int64 [256, 256]``; its rows are the values of the truth as given, its columns the predicted ones.
    """

    def __init__(self, allowed: NDArray[np.bool_]) -> None:
        """``allowed``, ``bool [256]``: which predicted values there may be."""
        self.pairs = np.zeros((256, 256), np.int64)
        self._allowed = allowed

    def add(self, truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> int | None:
        """Counts one frame, two ``uint8 [H, W]``.

        Returns None, or a predicted value that is not allowed; the counts are of no use after that.
        Raises ValueError when the sizes differ.
        """
        if truth.shape != prediction.shape:
            raise ValueError(f"truth is {truth.shape}, prediction is {prediction.shape}")
        if truth.size == 0:
            return None
        found = _count(flat(truth), flat(prediction), self.pairs, self._allowed)
        return int(found) if found >= 0 else None


def flat(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The values in one contiguous row, read-only (so that kernels are compiled for one type); copied if need be."""
    row = np.ascontiguousarray(values).reshape(-1)
    if row.flags.writeable:
        row = row.view()
        row.flags.writeable = False
    return row


@compiled
def _count(
    truth: NDArray[np.uint8], prediction: NDArray[np.uint8], pairs: NDArray[np.int64], allowed: NDArray[np.bool_]
) -> np.int64:
    """Adds the run lengths of equal (truth, prediction); returns the last value that is not allowed, or -1.

    Label maps are flat: eight pixels are compared at once with the pair of the running run, and one by one only where
    a run ends.
    """
    words = truth.size // 8
    true_words = truth[: 8 * words].view(np.uint64)
    predicted_words = prediction[: 8 * words].view(np.uint64)
    ones = np.uint64(0x0101010101010101)
    t, p, start = truth[0], prediction[0], 0
    bad = np.int64(-1 if allowed[p] else p)
    true_word, predicted_word = np.uint64(t) * ones, np.uint64(p) * ones
    for word in range(words):
        if true_words[word] == true_word and predicted_words[word] == predicted_word:
            continue
        for i in range(8 * word, 8 * word + 8):
            if truth[i] != t or prediction[i] != p:
                pairs[t, p] += i - start
                t, p, start = truth[i], prediction[i], i
                if not allowed[p]:
                    bad = np.int64(p)
        true_word, predicted_word = np.uint64(t) * ones, np.uint64(p) * ones
    pairs[t, p] += 8 * words - start
    for i in range(8 * words, truth.size):
        pairs[truth[i], prediction[i]] += 1
        if not allowed[prediction[i]]:
            bad = np.int64(prediction[i])
    return bad
