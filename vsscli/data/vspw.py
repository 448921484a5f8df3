"""VSPW and VSPW_480p, as found in the wild.

    ROOT/{train,val,test}.txt                one video name a line; only the split asked for must be there
    ROOT/data/<video>/origin/<frame>.jpg     frame names: 8 digits, not starting at 1, with gaps
    ROOT/data/<video>/mask/<frame>.png       0 = others, 1..124 = class + 1, 255 = void; absent for the test split

Anything else stored in a mask (252, 253 and 254 have been seen) is void, and reported.
"""

import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from vsscli.data.classes import IGNORE, vspw_classes
from vsscli.data.dataset import Dataset, FolderVideo, FrameFiles, Numbering, entries, read_errors, visible_files
from vsscli.data.images import IMAGE_SUFFIXES, color_values
from vsscli.data.lists import is_name, read_lines, repeated, splits_at
from vsscli.errors import DataError

#: The dataset's own list of its classes, names and numbers.
CLASS_LIST = "label_num_dic_final.json"


@cache
def vspw_numbering() -> Numbering:
    """Stored 1..124 -> 0..123; 0, 255 and anything odd -> void."""
    table = vspw_classes()
    labels = np.full(256, IGNORE, np.uint8)
    labels[1 : len(table) + 1] = np.arange(len(table))
    odd = frozenset(range(len(table) + 1, 255))
    return Numbering(labels, odd, color_values(table.colors, 1, {(0, 0, 0): 0, (255, 255, 255): 255}))


class VspwDataset(Dataset):
    """One split of a folder in VSPW's layout."""

    kind = "vspw"

    def __init__(self, root: Path, split: str) -> None:
        self.root = root
        self.split = split
        self.classes = vspw_classes()
        self.numbering = vspw_numbering()
        lines = read_split_list(root, split)
        self.repeated = repeated(lines)
        self._listed = tuple(dict.fromkeys(lines))
        self._names = tuple(sorted(self._listed))

    @classmethod
    def detect(cls, root: Path, split: str) -> Self | None:
        """The dataset when ``root`` has a folder ``data`` and a split's list or videos of VSPW's form, else None."""
        if (root / "origin").is_dir() and (root / "mask").is_dir():  # its masks would pass for a video
            raise DataError(
                f"{root} is one video of a dataset, not the dataset.",
                "Give the folder that holds data/ and the lists; --videos chooses among its videos.",
            )
        if (root / "data").is_dir() and (splits_at(root) or any((root / "data").glob("*/origin"))):
            return cls(root, split)
        return None

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        return splits_at(root) if (root / "data").is_dir() else ()

    @classmethod
    def unlisted(cls, root: Path) -> tuple[str, ...]:
        known: set[str] = set()
        for split in cls.splits(root):
            with suppress(DataError):  # a bad list has its own sentence
                known.update(read_split_list(root, split))
        return tuple(path.name for path in entries(root / "data") if path.is_dir() and path.name not in known)

    @property
    def other_classes(self) -> str | None:
        return find_other_classes(self.root)

    def names(self) -> tuple[str, ...]:
        return self._names

    def listed(self) -> tuple[str, ...]:
        return self._listed

    def video(self, name: str) -> FolderVideo:
        self.check_name(name)
        folder = self.root / "data" / name
        with read_errors():
            if not (folder / "origin").is_dir():
                raise DataError(f"Video {name} is in {self.split}.txt but {folder / 'origin'} is not there.")
            images = visible_files(folder / "origin", IMAGE_SUFFIXES)
            if not images:
                raise DataError(f"Video {name} is empty: no image in {folder / 'origin'}.")
            masks = visible_files(folder / "mask", (".png",)) if (folder / "mask").is_dir() else {}
        files = {frame: FrameFiles(path, masks.pop(frame, None)) for frame, path in images.items()}
        return FolderVideo(name, files, self.numbering, tuple(masks.values()))


def find_other_classes(root: Path) -> str | None:
    """A sentence where the dataset's own list of classes gives a number of VSPW's to another class, else None."""
    try:
        found = json.loads((root / CLASS_LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # it is not needed
        return None
    if not isinstance(found, dict):
        return None
    table = vspw_classes()
    for name, number in found.items():
        theirs = str(number).strip()
        if theirs.isascii() and theirs.isdigit() and len(theirs) < 4 and 1 <= int(theirs) <= len(table):
            ours = table.names[int(theirs) - 1]
            if name.strip().lower() != ours.lower():
                return f"{root / CLASS_LIST} gives the number {theirs} to {name[:40]!r}, which is VSPW's {ours}"
    return None


def read_split_list(root: Path, split: str) -> tuple[str, ...]:
    """The videos of ``root/<split>.txt`` as listed, repeats included; DataError also for what cannot be a name."""
    names = read_lines(root, split)
    for name in names:
        if not is_name(name):
            place = root / f"{split}.txt"
            raise DataError(f"{place}: {name[:80]!r} is not the name of a video.", "One name a line, without folders.")
    return names
