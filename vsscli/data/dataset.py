"""What every dataset gives: named videos of named frames, with masks where there are any."""

import difflib
import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import ClassTable, Color
from vsscli.data.images import image_size, read_image, read_indices
from vsscli.data.lists import is_name
from vsscli.errors import DataError, OptionError


@dataclass(frozen=True)
class Numbering:
    """How a dataset stores its masks.

    ``labels`` is ``uint8 [256]``: stored value -> label (class id, or 255 for void). ``odd`` are the stored values
    that should not occur; they count as void and are reported. ``colors`` resolves masks stored in colour.
    """

    labels: NDArray[np.uint8]
    odd: frozenset[int]
    colors: dict[Color, int]


#: Whether the frame of a name and a size (H, W) is wanted.
Choose = Callable[[str, tuple[int, int]], bool]


class Video(ABC):
    """One video: its name, its frames in order, and the way to their pixels."""

    name: str

    @property
    @abstractmethod
    def frames(self) -> tuple[str, ...]:
        """The names of the frames, in order, never empty."""

    @abstractmethod
    def images(self) -> Iterator[NDArray[np.uint8]]:
        """The frames in order as RGB ``uint8 [H, W, 3]``, one at a time; DataError where one does not decode."""

    def chosen(self, choose: Choose) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """The frames that ``choose``, asked of each in order, wants: names and pixels as `images` gives them."""
        for frame, image in zip(self.frames, self.images(), strict=True):
            if choose(frame, (image.shape[0], image.shape[1])):
                yield frame, image

    @abstractmethod
    def image_size(self, frame: str) -> tuple[int, int]:
        """(H, W) of a frame, read as cheaply as can be."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """SHA-256 over (video, frame name, file size): cheap, and changes when a file is exchanged for another size."""

    @property
    def fps(self) -> float | None:
        """Frames a second; None where nothing tells, as of folders of images."""
        return None

    def masked(self) -> tuple[str, ...]:
        """The frames that have a mask, in order."""
        return ()

    def has_masks(self) -> bool:
        """Whether at least one frame has a mask."""
        return bool(self.masked())

    def stored_mask(self, frame: str) -> NDArray[np.uint8]:
        """The mask of ``frame`` as the dataset stores it, ``uint8 [H, W]``; DataError where there is none."""
        raise DataError(f"Frame {frame} of video {self.name} has no mask.")

    def labels(self, frame: str) -> NDArray[np.uint8]:
        """The truth of ``frame`` as labels 0..K-1, 255 = void; DataError where there is no mask."""
        raise DataError(f"Frame {frame} of video {self.name} has no mask.")


@dataclass(frozen=True)
class FrameFiles:
    """The files of one frame."""

    image: Path
    mask: Path | None = None


class FolderVideo(Video):
    """A video whose frames (and masks) are image files. ``loose_masks`` are masks that belong to no frame."""

    def __init__(
        self,
        name: str,
        files: dict[str, FrameFiles],
        numbering: Numbering | None = None,
        loose_masks: tuple[Path, ...] = (),
    ) -> None:
        self.name = name
        self.files = files
        self.numbering = numbering
        self.loose_masks = loose_masks

    @property
    def frames(self) -> tuple[str, ...]:
        return tuple(self.files)

    def images(self) -> Iterator[NDArray[np.uint8]]:
        return (read_image(file.image) for file in self.files.values())

    def chosen(self, choose: Choose) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Others than the chosen are not decoded."""
        for frame, file in self.files.items():
            if choose(frame, image_size(file.image)):
                yield frame, read_image(file.image)

    def image_size(self, frame: str) -> tuple[int, int]:
        return image_size(self.files[frame].image)

    @property
    def digest(self) -> str:
        return files_digest(self.name, {frame: file.image for frame, file in self.files.items()})

    def masked(self) -> tuple[str, ...]:
        return tuple(frame for frame, file in self.files.items() if file.mask is not None)

    def stored_mask(self, frame: str) -> NDArray[np.uint8]:
        path = self.files[frame].mask
        if path is None or self.numbering is None:
            raise DataError(f"Frame {frame} of video {self.name} has no mask.")
        return read_indices(path, self.numbering.colors)

    def labels(self, frame: str) -> NDArray[np.uint8]:
        stored = self.stored_mask(frame)
        assert self.numbering is not None
        return self.numbering.labels[stored]


class Dataset(ABC):
    """Named videos of one split.

    ``classes`` and ``numbering`` are None where the input has no truth (plain folders, video files). ``repeated``
    are the entries that the split's list holds more than once, ``misnamed`` a sentence for each thing below ``root``
    that would be a video under another name; ``other_classes`` a sentence where it says itself that its classes are
    others than ``classes``.
    """

    kind: str
    root: Path
    split: str | None
    classes: ClassTable | None
    numbering: Numbering | None
    repeated: tuple[str, ...] = ()
    misnamed: tuple[str, ...] = ()

    @property
    def other_classes(self) -> str | None:
        return None

    @classmethod
    @abstractmethod
    def detect(cls, root: Path, split: str) -> "Dataset | None":
        """The dataset when ``root`` has this layout, else None; DataError when ``split`` has no list, or a bad one."""

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """The splits whose lists are at ``root``; none where it has another layout, or the layout has no splits."""
        return ()

    @classmethod
    def unlisted(cls, root: Path) -> tuple[str, ...]:
        """What lies in ``root`` among the videos although no list names it, sorted."""
        return ()

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the videos, sorted, never empty."""

    def listed(self) -> tuple[str, ...]:
        """The names in the order of the split's list, in which official scripts add up; sorted where there is none."""
        return self.names()

    @abstractmethod
    def video(self, name: str) -> Video:
        """The video ``name``; DataError where its frames are missing, OptionError where it is not in the split."""

    def masked(self, names: Iterable[str]) -> Iterator[str]:
        """Those of ``names`` that have masks. What is wrong with a video is told when its turn comes, not here."""
        for name in names:
            with suppress(DataError):
                if self.video(name).has_masks():
                    yield name

    def check_name(self, name: str) -> None:
        """OptionError with the nearest names unless ``name`` is one of the videos."""
        if name not in self.names():
            near = difflib.get_close_matches(name, self.names(), 3, 0.5)
            where = f"the split {self.split} of {self.root}" if self.split else str(self.root)
            hint = f"Did you mean {', '.join(near)}?" if near else "Names come from the folder or the split's list."
            raise OptionError(f"There is no video {name!r} in {where}.", hint)


def natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts ``frame2`` before ``frame10``, and 8-digit names as their official scripts do."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)], name


def visible_files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Stem -> file for the files of ``folder`` with one of ``suffixes``, in frame order.

    Names that begin with a dot are left out (AppleDouble leftovers). A folder that cannot be read, two files of one
    stem, and a name that no list or archive can hold are a DataError.
    """
    found: dict[str, Path] = {}
    for path in entries(folder):
        if path.suffix.lower() not in suffixes:
            continue
        require_name(path.stem, folder)
        if path.stem in found:
            both = " and ".join(sorted((path.name, found[path.stem].name)))
            raise DataError(f"{folder}: two files have the name {path.stem!r} ({both}).", "Keep one of them.")
        found[path.stem] = path
    return dict(sorted(found.items(), key=lambda item: natural_key(item[0])))


def entries(folder: Path) -> list[Path]:
    """What lies in ``folder``, sorted, without dot files; DataError when it is no folder or cannot be read."""
    with read_errors():
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def require_name(name: str, folder: Path) -> None:
    """DataError when ``name``, found in ``folder``, is no UTF-8 or has control characters or backslashes in it."""
    if not is_name(name):
        raise DataError(f"{folder} holds {name!r}, which cannot be the name of a frame or video.", "Rename it.")


def misnamed_error(root: Path, misnamed: Sequence[str]) -> DataError:
    """All of `Dataset.misnamed` as one error; the first five are shown."""
    more = f"; and {len(misnamed) - 5:,} more" if len(misnamed) > 5 else ""
    return DataError(f"{root}: {'; '.join(misnamed[:5])}{more}.", "Rename what is named so.")


@contextmanager
def read_errors() -> Iterator[None]:
    """What the disk refuses to tell inside the block is a DataError naming the place."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}).") from None


def files_digest(video: str, files: dict[str, Path]) -> str:
    """SHA-256 over (video, frame name, file size) of ``files``; DataError where one of them is gone."""
    state = hashlib.sha256(os.fsencode(video))
    with read_errors():
        for name, path in files.items():
            state.update(os.fsencode(f"\0{name}\0{path.stat().st_size}"))
    return state.hexdigest()
