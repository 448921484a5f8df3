"""The test double: the truth with seeded, controlled errors. It needs masks and no weights, and says what it is."""

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import IGNORE, ClassTable
from vsscli.data.dataset import Dataset
from vsscli.engine import Frame, Stage
from vsscli.engine.inputs import DatasetInput
from vsscli.errors import DataError, OptionError
from vsscli.runs.manifest import Manifest, describe_classes

PREFIX = "oracle"
MOST_LAG = 1000  # frames: that many maps are held
BLOB = 8  # pixels: errors come in squares of this side, as a network's do


@dataclass(frozen=True)
class Errors:
    """What the oracle gets wrong.

    noise    share of 8x8 blocks that take another class of the frame, drawn anew in every frame
    flicker  probability, per class and frame, that its whole region takes another class of the frame
    drop     share of a video's things that are missing throughout: they take the class to their left
    lag      frames by which the answer comes late
    confuse  class > class, throughout; several joined by +
    """

    noise: float = 0.0
    flicker: float = 0.0
    drop: float = 0.0
    lag: int = 0
    confuse: tuple[tuple[int, int], ...] = ()


def parse_oracle(model: str, table: ClassTable) -> Errors:
    """The errors in ``oracle:noise=0.1,flicker=0.05,drop=0.2,lag=1,confuse=sea>lake+road>path``; OptionError."""
    known = {field.name for field in fields(Errors)}
    values: dict[str, Any] = {}
    for item in filter(None, model.removeprefix(PREFIX).removeprefix(":").split(",")):
        key, equals, value = item.partition("=")
        if key not in known or not equals:
            raise OptionError(
                f"--model {model}: {item!r} is none of its errors.",
                "For example 'oracle:noise=0.05,flicker=0.1,drop=0.2,lag=1,confuse=sea>lake', in quotes.",
            )
        try:
            values[key] = (
                _confusions(value, table) if key == "confuse" else int(value) if key == "lag" else float(value)
            )
        except ValueError:
            raise OptionError(f"--model {model}: {key} needs a number, not {value!r}.") from None
    errors = Errors(**values)
    if (
        not all(0 <= share <= 1 for share in (errors.noise, errors.flicker, errors.drop))
        or not 0 <= errors.lag <= MOST_LAG
    ):
        raise OptionError(
            f"--model {model}: an error is out of its range.",
            f"noise, flicker and drop are shares from 0 to 1, lag is a number of frames from 0 to {MOST_LAG}.",
        )
    return errors


def _confusions(value: str, table: ClassTable) -> tuple[tuple[int, int], ...]:
    pairs = [pair.partition(">") for pair in value.split("+")]
    if not all(arrow for _, arrow, _ in pairs):
        raise OptionError(
            f"--model oracle: confuse={value} is not CLASS>CLASS.",
            "For example 'oracle:confuse=sea>lake': in quotes, for > is the shell's.",
        )
    return tuple((table.index(old.strip()), table.index(new.strip())) for old, _, new in pairs)


class OracleStage(Stage):
    """Label maps from masks, for tests, demonstrations and dry runs of a whole chain."""

    def __init__(self, dataset: Dataset, model: str, seed: int) -> None:
        if dataset.classes is None:
            raise DataError(f"{dataset.root} has no masks: the oracle answers from the truth.", "Give another --model.")
        self.dataset, self.seed = dataset, seed
        self.table = dataset.classes
        self.errors = parse_oracle(model, self.table)
        self.inputs = [DatasetInput(dataset)]
        identity = {"model": model, "seed": seed, "data": dataset.kind, "split": dataset.split}
        self.manifest = Manifest("infer", identity, describe_classes(self.table))

    def count(self, video: str) -> int:
        return len(self.dataset.video(video).frames)

    def process(self, video: str) -> Iterator[Frame]:
        source = self.dataset.video(video)
        late: deque[NDArray[np.uint8]] = deque(maxlen=self.errors.lag + 1)
        for number, name in enumerate(source.frames):
            late.append(fill_void(source.labels(name)))
            yield Frame(name, self._spoil(late[0], video, number))

    def _spoil(self, truth: NDArray[np.uint8], video: str, number: int) -> NDArray[np.uint8]:
        """The truth with this video's and this frame's errors; each kind has its own stream of random numbers."""
        errors = self.errors
        swap = np.arange(256, dtype=np.uint8)
        for old, new in errors.confuse:
            swap[old] = new
        labels = swap[truth]
        present = np.unique(labels)
        if errors.drop:
            assert self.table is not None
            keep = self._random(video, "drop").random(256) >= errors.drop
            gone = [c for c in present.tolist() if self.table.things[c] and not keep[c]]
            labels = fill_void(np.where(np.isin(labels, gone), np.uint8(IGNORE), labels))
        if errors.flicker:
            random = self._random(video, "flicker", number)
            swap = np.arange(256, dtype=np.uint8)
            hit = random.random(256) < errors.flicker
            others = random.choice(present, 256)
            swap[hit] = others[hit]
            labels = swap[labels]
        if errors.noise:
            random = self._random(video, "noise", number)
            h, w = labels.shape
            grid = (-(-h // BLOB), -(-w // BLOB))
            hit = random.random(grid) < errors.noise
            other = random.choice(present, grid)
            labels = np.where(_enlarge(hit, h, w), _enlarge(other, h, w), labels)
        return labels

    def _random(self, *of: object) -> np.random.Generator:
        text = "\0".join(str(part) for part in (self.seed, *of))
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little"))


def fill_void(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Void pixels of ``uint8 [H, W]`` take the nearest label to their left, else to their right, else class 0."""
    void = labels == IGNORE
    if not void.any():
        return labels
    columns = np.arange(labels.shape[1])
    left = np.maximum.accumulate(np.where(void, -1, columns), axis=1)
    right = np.minimum.accumulate(np.where(void, labels.shape[1], columns)[:, ::-1], axis=1)[:, ::-1]
    source = np.where(left >= 0, left, np.minimum(right, labels.shape[1] - 1))
    filled = np.take_along_axis(labels, source, axis=1)
    return np.where(filled == IGNORE, np.uint8(0), filled)


def _enlarge(grid: NDArray[Any], h: int, w: int) -> NDArray[Any]:
    return np.kron(grid, np.ones((BLOB, BLOB), grid.dtype))[:h, :w]
