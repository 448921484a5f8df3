"""Overlays of a run: as a film of one video, or as a folder of frames per video."""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vsscli.data.classes import ClassTable
from vsscli.data.dataset import Dataset
from vsscli.errors import DataError, RunError
from vsscli.report.colors import shown_table
from vsscli.report.film import Film
from vsscli.report.overlay import Legend, blend
from vsscli.runs.disk import atomic_path, disk_errors, real_path, write_atomic
from vsscli.runs.run import Run
from vsscli.runs.source import check_source, frames_and_maps

Array = NDArray[np.uint8]
#: Lies in a folder of overlays: an earlier call made it, and its pictures may be replaced.
MARKER = ".vsscli-show.json"


@dataclass(frozen=True)
class Look:
    """How a run is shown: ``opacity`` of the labels, 0 to 1; ``truth``: beside the masks."""

    opacity: float
    truth: bool


@dataclass(frozen=True)
class Overlays:
    """The overlays of ``run`` over the frames of ``dataset``."""

    run: Run
    dataset: Dataset
    look: Look

    @property
    def table(self) -> ClassTable:
        """The classes of the label maps, in colours that can be told apart."""
        return shown_table([self.run], self.dataset)

    def check(self, videos: Sequence[str]) -> None:
        """RunError or DataError naming the first of ``videos`` whose frames, or masks where they are asked for, are not
        those of the run."""
        check_source(self.dataset, [self.run], videos, videos)
        if not self.look.truth:
            return
        classes = self.dataset.classes
        if classes is not None and classes.digest != self.table.digest:
            raise RunError(
                f"{self.run.path} holds the classes of {self.table.name}, {self.dataset.root} those of {classes.name}.",
                "Leave --truth out.",
            )
        for video in videos:
            source = self.dataset.video(video)
            masked = frozenset(source.masked())
            bare = [frame for frame in source.frames if frame not in masked]
            if bare:
                raise DataError(f"Frame {bare[0]} of video {video} has no mask.", "Leave --truth out.")

    def pictures(self, video: str) -> Iterator[tuple[str, Array]]:
        """(frame, picture RGB ``uint8 [H, W, 3]``) in order, all of one size; the classes of the video below.

        The label maps are read twice: the legend is that of the whole video. Raises as `frames_and_maps`.
        """
        heads = (self.run.path.resolve().name, *(["truth"] if self.look.truth else []))
        classes = self._classes(video)
        source, legend = self.dataset.video(video), None
        for frame, (image, (labels,)) in zip(
            source.frames, frames_and_maps(self.dataset, [self.run], video), strict=True
        ):
            parts = [blend(image, labels, self.table, self.look.opacity)]
            if self.look.truth:
                parts.append(blend(image, self._truth(video, frame, labels), self.table, self.look.opacity))
            picture = np.concatenate(parts, axis=1)
            if legend is None:
                legend = Legend(picture.shape[1], picture.shape[0], self.table, classes, heads)
            yield frame, legend.add(picture)

    def _truth(self, video: str, frame: str, labels: Array) -> Array:
        truth = self.dataset.video(video).labels(frame)
        if truth.shape != labels.shape:
            raise DataError(
                f"Frame {frame} of video {video}: its mask is {truth.shape[1]}x{truth.shape[0]}, its map "
                f"{labels.shape[1]}x{labels.shape[0]}."
            )
        return truth

    def _classes(self, video: str) -> list[int]:
        """The classes of the video, most pixels first."""
        pixels: Counter[int] = Counter()
        for frame in self.run.frames(video):
            maps = [self.run.labels(video, frame)]
            if self.look.truth:
                maps.append(self.dataset.video(video).labels(frame))
            for labels in maps:
                found = np.bincount(labels.ravel(), minlength=256)
                pixels.update({int(label): int(found[label]) for label in found.nonzero()[0]})
        return [label for label, _ in pixels.most_common() if label < len(self.table)]


def write_film(overlays: Overlays, video: str, out: Path, fps: float, step: Callable[[], None]) -> None:
    """Writes a film of ``video`` whole or not at all; ``step`` is called after each frame. DiskError, DeviceError."""
    place = real_path(out)
    with disk_errors(out):
        place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(place) as temporary, Film(temporary, fps) as film:
        for _, picture in overlays.pictures(video):
            film.add(picture)
            step()


def mark_folder(out: Path) -> None:
    """Makes the folder ``out`` for `write_frames` and puts the `MARKER` into it. DiskError."""
    place = real_path(out)
    with disk_errors(out):
        place.mkdir(parents=True, exist_ok=True)
    if not (place / MARKER).is_file():
        write_atomic(place / MARKER, b'{"made_by": "vsscli show"}\n')


def write_frames(overlays: Overlays, out: Path, video: str) -> int:
    """Writes ``out/<video>/<frame>.jpg``, each file whole or not at all; gives their number. DiskError."""
    folder = real_path(out) / video
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for frame, picture in overlays.pictures(video):
        content = io.BytesIO()  # to a disk that is full Pillow may write a part of a JPEG and tell nothing
        Image.fromarray(picture).save(content, "JPEG", quality=92, subsampling=0)
        write_atomic(folder / f"{frame}.jpg", content.getvalue())
        count += 1
    return count
