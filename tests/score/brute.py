"""The definitions of the measures, written out plainly: every frame in memory, every window scanned, pixel by pixel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Clip = tuple[NDArray[np.uint8], NDArray[np.uint8]]
CLASSES = 124


def remap(stored: NDArray[np.uint8]) -> NDArray[np.int64]:
    """0 and 255 -> 255, 1..124 -> 0..123; anything else to values above that are no class and stay apart."""
    values = stored.astype(np.int64) - 1
    values[(stored == 0) | (stored == 255)] = 255
    return values


def confusion(clips: Sequence[Clip]) -> NDArray[np.int64]:
    """``[124, 256]``: pixels by true class and predicted value."""
    table = np.zeros((CLASSES, 256), np.int64)
    for stored, predicted in clips:
        true = remap(stored)
        inside = true < CLASSES
        np.add.at(table, (true[inside], predicted[inside]), 1)
    return table


def accuracies(clips: Sequence[Clip], over: str = "truth") -> dict[str, float | None]:
    """mIoU, wIoU, pixel and class accuracy."""
    table = confusion(clips)
    ious, weighted, accs, present = [], 0.0, [], []
    for c in range(CLASSES):
        hit, true, predicted = int(table[c, c]), int(table[c].sum()), int(table[:, c].sum())
        if true or (predicted and over == "truth or prediction"):
            ious.append(hit / (true + predicted - hit))
        if true:
            present.append(c)
            weighted += true / table.sum() * hit / (true + predicted - hit)
            accs.append(hit / true)
    if not present:
        return dict.fromkeys(("miou", "wiou", "pixel_acc", "class_acc"))
    pixel = float(np.diag(table).sum() / table.sum())
    return {
        "miou": float(np.mean(ious)),
        "wiou": weighted,
        "pixel_acc": pixel,
        "class_acc": float(np.mean(accs)),
    }


def windows(clips: Sequence[Clip], n: int, merge: bool = False) -> list[float]:
    """The values of all windows of ``n`` frames; the last window of each video is left out; NaN for 0/0."""
    values = []
    for stored, predicted in clips:
        truth: NDArray[np.integer] = remap(stored) if merge else stored
        for i in range(len(truth) - n):
            held = np.ones(truth.shape[1:], bool)
            same = np.ones(truth.shape[1:], bool)
            for j in range(1, n):
                held &= truth[i] == truth[i + j]
                same &= predicted[i] == predicted[i + j]
            values.append(float((held & same).sum() / held.sum()) if held.any() else float("nan"))
    return values


def mean(values: Sequence[float]) -> float | None:
    kept = [value for value in values if value == value]
    return float(np.mean(kept)) if kept else None


def expected(clips: Sequence[Clip], protocol: str, lengths: Sequence[int]) -> dict[str, float | None]:
    """Every measure of ``clips`` by ``protocol``."""
    if protocol == "cffm":
        clips = [clip for clip in clips if len(clip[0]) > 16]
    result = accuracies(clips, "truth or prediction" if protocol == "mmseg" else "truth")
    for n in lengths:
        values = windows(clips, n, protocol == "cffm")
        if protocol == "dvis" and n == 16:
            values = windows(clips, 8) + values
        result[f"vc{n}"] = None if protocol == "mmseg" else mean(values)
    return result


@dataclass
class Scene:
    """A dataset in VSPW's layout and a run, on disk."""

    root: Path
    clips: Mapping[str, Clip]
    first: int = 7
    frames: dict[str, list[str]] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def run(self) -> Path:
        return self.root / "run"

    def write(self, run: str = "run") -> "Scene":
        """Writes truth and predictions; the list keeps the order of ``clips``."""
        for name, (stored, predicted) in self.clips.items():
            self.frames[name] = [f"{self.first + 3 * i:08d}" for i in range(len(stored))]
            for frame, mask, labels in zip(self.frames[name], stored, predicted, strict=True):
                picture = np.zeros((*mask.shape, 3), np.uint8)
                _save(self.data / "data" / name / "origin" / f"{frame}.jpg", picture)
                _save(self.data / "data" / name / "mask" / f"{frame}.png", mask)
                _save(self.root / run / name / f"{frame}.png", labels)
        (self.data / "val.txt").write_text("\n".join(self.clips))
        return self

    def label_map(self, video: str, frame: int, run: str = "run") -> Path:
        """The file of one label map."""
        return self.root / run / video / f"{self.frames[video][frame]}.png"

    def mask(self, video: str, frame: int) -> Path:
        """The file of one mask."""
        return self.data / "data" / video / "mask" / f"{self.frames[video][frame]}.png"


def _save(path: Path, values: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def make_clip(
    seed: int, frames: int, size: tuple[int, int] = (9, 14), classes: int = 5, flicker: float = 0.2, odd: bool = False
) -> Clip:
    """Regions of ``classes`` classes that change now and then, both kinds of void, predictions wrong at places."""
    random = np.random.default_rng(seed)
    ids = random.choice(CLASSES, classes, replace=False)
    stored = np.empty((frames, *size), np.uint8)
    predicted = np.empty((frames, *size), np.uint8)
    regions = ids[random.integers(0, classes, size)]
    guess = regions.copy()
    for k in range(frames):
        moved = random.random(size) < 0.5 * flicker
        regions = np.where(moved, ids[random.integers(0, classes, size)], regions)
        wrong = random.random(size) < flicker
        guess = np.where(wrong, ids[random.integers(0, classes, size)], np.where(moved, regions, guess))
        stored[k] = regions + 1
        stored[k, 0, :3], stored[k, -1, -2:] = 0, 255
        stored[k, 1, 1] = 0 if random.random() < 0.5 else 255
        if odd:
            stored[k, 2, :4] = random.choice([0, 130, 252, 255])
        predicted[k] = guess
    return stored, predicted
