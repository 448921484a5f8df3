"""CamVid in the form published with SegNet.

    ROOT/{train,val,test}.txt        lines "/SegNet/CamVid/train/0001TP_006690.png /SegNet/CamVid/trainannot/..."
    ROOT/<split>/<frame>.png         the frames; of the lists' paths only the file names count
    ROOT/<split>annot/<frame>.png    0..10 = class, 11 = void; or the colours of the 32 original classes

A video is a sequence of the drive: the frame names before their first underscore (``0001TP``, ``Seq05VD``).
"""

from contextlib import suppress
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Self

import numpy as np

from vsscli.data.classes import IGNORE, ClassTable, Color
from vsscli.data.dataset import Dataset, FolderVideo, FrameFiles, Numbering, entries, natural_key, read_errors
from vsscli.data.images import IMAGE_SUFFIXES
from vsscli.data.lists import SPLITS, is_name, read_lines, repeated, splits_at
from vsscli.errors import DataError

VOID = 11

#: Name, thing, and the colours of the original classes it joins, its own first (the grouping of SegNet's authors).
CLASSES: tuple[tuple[str, bool, tuple[Color, ...]], ...] = (
    ("sky", False, ((128, 128, 128),)),
    ("building", False, ((128, 0, 0), (0, 128, 64), (64, 192, 0), (64, 0, 64), (192, 0, 128))),
    ("pole", False, ((192, 192, 128), (0, 0, 64))),
    ("road", False, ((128, 64, 128), (128, 0, 192), (192, 0, 64))),
    ("pavement", False, ((0, 0, 192), (64, 192, 128), (128, 128, 192))),
    ("tree", False, ((128, 128, 0), (192, 192, 0))),
    ("sign_symbol", False, ((192, 128, 128), (128, 128, 64), (0, 64, 64))),
    ("fence", False, ((64, 64, 128),)),
    ("car", True, ((64, 0, 128), (64, 128, 192), (192, 128, 192), (192, 64, 128), (128, 64, 64))),
    ("pedestrian", True, ((64, 64, 0), (192, 128, 64), (64, 0, 192), (64, 128, 64))),
    ("bicyclist", True, ((0, 128, 192), (192, 0, 192))),
)


@cache
def camvid_classes() -> ClassTable:
    """The 11 classes in the order of the gray masks."""
    names, things, colors = zip(*((name, thing, colors[0]) for name, thing, colors in CLASSES), strict=True)
    return ClassTable("camvid", names, colors, things)


@cache
def camvid_numbering() -> Numbering:
    """Stored 0..10 are the classes; 11, 255 and anything odd are void."""
    labels = np.full(256, IGNORE, np.uint8)
    labels[:VOID] = np.arange(VOID)
    colors = {color: i for i, (_, _, group) in enumerate(CLASSES) for color in group}
    return Numbering(labels, frozenset(range(VOID + 1, IGNORE)), {**colors, (0, 0, 0): VOID})


class CamvidDataset(Dataset):
    """One split of a folder in CamVid's layout."""

    kind = "camvid"

    def __init__(self, root: Path, split: str) -> None:
        self.root = root
        self.split = split
        self.classes = camvid_classes()
        self.numbering = camvid_numbering()
        pairs = _pairs(root, split)
        self.repeated = repeated(PurePosixPath(image).stem for image, _ in pairs)
        self._videos: dict[str, dict[str, tuple[str, str]]] = {}
        for image, mask in sorted(pairs, key=lambda pair: natural_key(pair[0])):
            frame = PurePosixPath(image).stem
            self._videos.setdefault(frame.split("_")[0], {})[frame] = image, mask

    @classmethod
    def detect(cls, root: Path, split: str) -> Self | None:
        """The dataset when ``root`` has the folders of frames and of masks of a split, else None."""
        here = any((root / name).is_dir() and (root / f"{name}annot").is_dir() for name in SPLITS)
        return cls(root, split) if here else None

    @classmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        return tuple(s for s in splits_at(root) if (root / s).is_dir() and (root / f"{s}annot").is_dir())

    @classmethod
    def unlisted(cls, root: Path) -> tuple[str, ...]:
        found = []
        for split in cls.splits(root):
            known = set()
            with suppress(DataError):  # a bad list has its own sentence
                known = {image for image, _ in _pairs(root, split)}
            images = [path for path in entries(root / split) if path.suffix.lower() in IMAGE_SUFFIXES]
            found += [f"{split}/{path.name}" for path in images if path.name not in known]
        return tuple(found)

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._videos))

    def video(self, name: str) -> FolderVideo:
        self.check_name(name)
        images, masks = self.root / str(self.split), self.root / f"{self.split}annot"
        pairs = self._videos[name]
        with read_errors():
            there = {path.name: path for path in entries(masks) if path.stem.split("_")[0] == name}
        files = {frame: FrameFiles(images / image, there.pop(mask, None)) for frame, (image, mask) in pairs.items()}
        loose = tuple(path for path in there.values() if path.suffix.lower() == ".png")
        return FolderVideo(name, files, self.numbering, loose)


def _pairs(root: Path, split: str) -> tuple[tuple[str, str], ...]:
    """The file names (frame, mask) in the list of ``split``, repeats included; by default both have one name."""
    pairs = []
    for line in read_lines(root, split):
        image, *rest = (PurePosixPath(part.replace("\\", "/")).name for part in line.split())
        if len(rest) > 1 or not all(is_name(n) and n.lower().endswith(IMAGE_SUFFIXES) for n in (image, *rest)):
            raise DataError(f"{root / f'{split}.txt'}: the line {line[:120]!r} is not 'FRAME.png MASK.png'.")
        pairs.append((image, rest[0] if rest else f"{PurePosixPath(image).stem}.png"))
    return tuple(pairs)
