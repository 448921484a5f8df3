"""What a score keeps of a video: integers from which every number of every protocol follows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import IGNORE, ClassTable
from vsscli.data.dataset import Numbering
from vsscli.errors import DataError, RunError
from vsscli.maps.confusion import PairCounter
from vsscli.maps.consistency import WindowCounter
from vsscli.score.protocols import Protocol


@dataclass(frozen=True)
class Rule:
    """How videos are counted: the protocol, the lengths of windows, the dataset's classes and numbering.

    ``allow_void``: a prediction of "no label" counts as wrong; otherwise it is an error.
    """

    protocol: Protocol
    lengths: tuple[int, ...]
    table: ClassTable
    numbering: Numbering
    allow_void: bool = False


@dataclass(frozen=True)
class VideoCounts:
    """One video, counted.

    ``frames`` of its frames were scored, the ``missed`` were not. ``pixels``, ``int64 [K, K + 1]``: pixels by true
    class and by predicted class, the last column for "no label". ``windows``: per length ``int64 [windows, 2]``, in
    order, pixels constant in both and in the truth; ``broken``: per length the windows left out because a frame of
    theirs is missing. ``odd``: pixels by stored value for values that a mask should not hold.
    """

    video: str
    frames: int
    missed: tuple[str, ...]
    pixels: NDArray[np.int64]
    windows: Mapping[int, NDArray[np.int64]]
    broken: Mapping[int, int]
    odd: Mapping[int, int]

    @property
    def length(self) -> int:
        """How many frames the video has."""
        return self.frames + len(self.missed)


class Tally:
    """Counts the frames of one video as they come, in order: `add` or `miss` each, then `counts`."""

    def __init__(self, video: str, length: int, rule: Rule) -> None:
        """``length``: how many frames the video has."""
        self._video, self._length, self._rule = video, length, rule
        allowed = np.arange(256) < len(rule.table)
        allowed[IGNORE] = rule.allow_void
        self._pairs = PairCounter(allowed)
        self._windows: dict[int, list[NDArray[np.int64]]] = {}
        if rule.protocol.vc_truth is not None:
            self._windows = {n: [] for n in rule.lengths}
            self._counter = WindowCounter(rule.lengths)
        self._merged = merged_values(rule.numbering) if rule.protocol.vc_truth == "merged" else None
        self._broken = dict.fromkeys(self._windows, 0)
        self._shape: tuple[int, ...] | None = None
        self._missed: list[str] = []
        self._seen = 0

    def add(self, frame: str, truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> None:
        """Counts a frame: the mask as the dataset stores it and the predicted labels, both ``uint8 [H, W]``.

        RunError where their sizes differ or the prediction holds a value that is no class; DataError where the mask's
        size is not that of the masks before.
        """
        self._check_sizes(frame, truth, prediction)
        value = self._pairs.add(truth, prediction)
        if value is not None:
            raise self._bad_value(frame, value)
        if self._windows:
            compared = truth if self._merged is None else self._merged[truth]
            self._note_windows(self._counter.add(compared, prediction))
        self._seen += 1

    def miss(self, frame: str) -> None:
        """Passes over a frame that cannot be scored: no window that holds it is counted."""
        if self._windows:
            self._counter.clear()
            self._note_windows(np.zeros((len(self._windows), 2), np.int64))
        self._missed.append(frame)
        self._seen += 1

    def counts(self) -> VideoCounts:
        """What was counted, once all frames have passed."""
        pairs, labels, classes = self._pairs.pairs, self._rule.numbering.labels, len(self._rule.table)
        predicted = np.concatenate([pairs[:, :classes], pairs[:, IGNORE:]], axis=1)
        pixels = np.zeros((classes, classes + 1), np.int64)
        true = labels != IGNORE
        np.add.at(pixels, labels[true], predicted[true])
        stored = pairs.sum(axis=1)
        return VideoCounts(
            self._video,
            self._seen - len(self._missed),
            tuple(self._missed),
            pixels,
            {n: np.array(rows, np.int64).reshape(-1, 2) for n, rows in self._windows.items()},
            self._broken,
            {value: int(stored[value]) for value in sorted(self._rule.numbering.odd) if stored[value]},
        )

    def _note_windows(self, counts: NDArray[np.int64]) -> None:
        """The windows that end with this frame; one that ends with the video's last frame is never looked at."""
        if self._seen == self._length - 1:
            return
        for row, (n, windows) in zip(counts, self._windows.items(), strict=True):
            if self._seen + 1 < n:
                continue
            if self._counter.frames >= n:
                windows.append(row)
            else:
                self._broken[n] += 1

    def _check_sizes(self, frame: str, truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> None:
        where = f"Video {self._video}, frame {frame}"
        if truth.shape != prediction.shape:
            raise RunError(
                f"{where}: the label map is {_size(prediction)}, the mask is {_size(truth)}.",
                "Nothing is resized here: make the label maps at the size of the frames.",
            )
        if self._shape is not None and truth.shape != self._shape:
            before = f"{self._shape[1]}x{self._shape[0]}"
            raise DataError(f"{where}: the mask is {_size(truth)}, the masks before it are {before}.")
        self._shape = truth.shape

    def _bad_value(self, frame: str, value: int) -> RunError:
        table = self._rule.table
        hint = f"Label maps hold the ids of the {len(table)} classes of {table.name}, from 0 on."
        if value == IGNORE:
            hint = f"{IGNORE} means no label: --allow-void counts it as wrong."
        elif value == len(table):
            hint += " Are they stored as id + 1?"
        return RunError(
            f"Video {self._video}, frame {frame}: the label map holds the value {value}, "
            f"which is outside 0..{len(table) - 1}.",
            hint,
        )


def merged_values(numbering: Numbering) -> NDArray[np.uint8]:
    """``uint8 [256]``: stored value -> value with all void merged. Odd values stay apart from void and one another."""
    values = numbering.labels.copy()
    free = sorted(set(range(IGNORE)) - set(values.tolist()))
    for value, code in zip(sorted(numbering.odd), free, strict=False):
        values[value] = code
    return values


def _size(values: NDArray[np.uint8]) -> str:
    return f"{values.shape[1]}x{values.shape[0]}"
