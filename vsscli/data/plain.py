"""Inputs without a dataset's layout: folders of images, and video files. They have no splits and no masks."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vsscli.data.dataset import (
    Dataset,
    FolderVideo,
    FrameFiles,
    Video,
    entries,
    misnamed_error,
    read_errors,
    require_name,
    visible_files,
)
from vsscli.data.images import IMAGE_SUFFIXES
from vsscli.data.lists import is_name
from vsscli.data.video_backend import load_cv2
from vsscli.errors import DataError

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")


class VideoFile(Video):
    """A video file: name = stem, frames ``00000001 ...`` in decoding order, rotation honoured.

    What a damaged file still gives is given, as ffmpeg would write it; ``claimed`` tells what it should have been.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem

    @cached_property
    def _facts(self) -> tuple[tuple[str, ...], tuple[int, int]]:
        """Frames and (H, W): containers lie about the number, so the frames are decoded once and counted."""
        names: list[str] = []
        size = (0, 0)
        for image in self._decode():
            names.append(f"{len(names) + 1:08d}")
            if len(names) > 1 and image.shape[:2] != size:
                raise DataError(f"{self.path}: frame {names[-1]} is {image.shape[:2]}, the first frame is {size}.")
            size = (image.shape[0], image.shape[1])
        if not names:
            raise DataError(f"{self.path}: no frame of this video decodes.", "Try to play it, or extract its frames.")
        return tuple(names), size

    @property
    def frames(self) -> tuple[str, ...]:
        return self._facts[0]

    @property
    def claimed(self) -> int:
        """How many frames the container says it holds (an estimate in some formats), 0 where it says nothing."""
        return max(0, int(self._told("CAP_PROP_FRAME_COUNT")))

    @property
    def fps(self) -> float | None:
        """Frames a second, as the container says; None where it says nothing of use."""
        found = self._told("CAP_PROP_FPS")
        return found if 0.1 <= found <= 240 else None

    def _told(self, name: str) -> float:
        cv2 = load_cv2()
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        try:
            return float(capture.get(getattr(cv2, name)))
        finally:
            capture.release()

    def _decode(self) -> Iterator[NDArray[np.uint8]]:
        cv2 = load_cv2()
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        try:
            if not capture.isOpened():
                raise DataError(f"{self.path}: this video cannot be opened.", "Try to play it, or extract its frames.")
            capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
            while True:
                there, image = capture.read()
                if not there:
                    return
                yield image
        finally:
            capture.release()

    def images(self) -> Iterator[NDArray[np.uint8]]:
        return (np.ascontiguousarray(image[..., ::-1]) for image in self._decode())

    def image_size(self, frame: str) -> tuple[int, int]:
        return self._facts[1]

    @property
    def digest(self) -> str:
        with read_errors():
            size = self.path.stat().st_size
        return hashlib.sha256(os.fsencode(f"{self.name}\0{self.path.name}\0{size}")).hexdigest()


class PlainDataset(Dataset):
    """``ROOT/<video>/*.jpg``, a folder of images (one video), a folder of video files, or one video file."""

    kind = "plain"
    split = None
    classes = None
    numbering = None

    def __init__(self, root: Path, sources: dict[str, Path], misnamed: Sequence[str] = ()) -> None:
        self.root, self.misnamed = root, tuple(misnamed)
        self._sources = dict(sorted(sources.items()))
        self._films: dict[str, VideoFile] = {}

    @classmethod
    def detect(cls, root: Path, split: str = "") -> Self | None:
        """The videos under ``root``, or None when there are none.

        An empty folder among videos is a video, which fails when it is opened: it stands for one that was lost.
        """
        if root.is_file():
            if root.suffix.lower() not in VIDEO_SUFFIXES:
                return None
            require_name(root.stem, root.parent)
            return cls(root, {root.stem: root})
        sources, misnamed = _find_sources(root)
        videos = [name for name, path in sources.items() if path.is_file() or _has_images(path)]
        if not _has_images(root):
            if misnamed and not videos:
                raise misnamed_error(root, misnamed)
            return cls(root, sources, misnamed) if videos else None
        if videos:
            raise DataError(
                f"{root} holds images and also videos ({', '.join(videos[:3])}): which of them are meant is not clear.",
                "Give a folder of images, or a folder of videos.",
            )
        name = root.resolve().name
        require_name(name, root.resolve().parent)
        return cls(root, {name: root})

    def names(self) -> tuple[str, ...]:
        return tuple(self._sources)

    def video(self, name: str) -> Video:
        self.check_name(name)
        source = self._sources[name]
        if source.is_file():  # one object each: its frames are counted once, by decoding them all
            return self._films.setdefault(name, VideoFile(source))
        images = visible_files(source, IMAGE_SUFFIXES)
        if not images:
            raise DataError(f"Video {name} is empty: no image in {source}.")
        return FolderVideo(name, {frame: FrameFiles(path) for frame, path in images.items()})


def _find_sources(root: Path) -> tuple[dict[str, Path], list[str]]:
    """The videos below ``root`` by name, and a sentence for each name that none can have, or that several have."""
    found: dict[str, list[Path]] = {}
    for path in entries(root):
        if path.is_dir() and (_has_images(path) or not entries(path)):
            found.setdefault(path.name, []).append(path)
        elif path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES:
            found.setdefault(path.stem, []).append(path)
    bad = {name: "cannot be the name of a frame or video" for name in found if not is_name(name)}
    for name, paths in found.items():
        if len(paths) > 1 and name not in bad:
            bad[name] = f"is the name of {len(paths)} inputs ({' and '.join(path.name for path in paths)})"
    sources = {name: paths[0] for name, paths in found.items() if name not in bad}
    return sources, [f"{name!r} {what}" for name, what in bad.items()]


def _has_images(folder: Path) -> bool:
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in entries(folder))
