"""A small split, runs of it, and archives written as people write them."""

import struct
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support import make_run, make_vspw
from vsscli.data.dataset import Dataset
from vsscli.data.open import open_dataset
from vsscli.submit.source import open_source
from vsscli.submit.verify import Report, verify

VIDEOS = {"1_a": (3, 9, 13), "22_-b_": (2, 8, 8), "3_c": (1, 12, 6)}
FIRST = "1_a/00000003.png"  # 9x13


def make_split(folder: Path) -> Path:
    """A dataset whose test split is `VIDEOS`, and whose val split is another video."""
    videos = {**VIDEOS, "9_val": (2, 8, 8)}
    return make_vspw(folder / "data", videos, {"test": list(VIDEOS), "val": ["9_val"]}, masks=False)


def dataset(data: Path) -> Dataset:
    return open_dataset(data, "test")


def good_run(folder: Path, name: str = "run", foreign: bool = False, classes: int = 124) -> Path:
    return make_run(folder / name, VIDEOS, classes=classes, foreign=foreign)


def good_files(folder: Path) -> dict[str, bytes]:
    """Name -> bytes of a submission with nothing wrong."""
    run = good_run(folder, "files", foreign=True)
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in sorted(run.rglob("*.png"))}


def write_zip(path: Path, files: Mapping[str, bytes], deflate: bool = False) -> Path:
    """An archive with these entries; a name that ends in a slash is a folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def png(labels: NDArray[np.uint8] | None = None, mode: str = "L", size: tuple[int, int] = (9, 13)) -> bytes:
    """A PNG in one of Pillow's modes; all zero by default."""
    room = BytesIO()
    image = Image.fromarray(np.zeros(size, np.uint8) if labels is None else labels)
    image.convert(mode).save(room, format="PNG")
    return room.getvalue()


def raw_png(size: tuple[int, int], bits: int, color: int, rows: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG put together by hand: header, chunks, image data (compressed here), end."""
    header = struct.pack(">IIBBBBB", size[1], size[0], bits, color, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    parts = [struct.pack(">I", len(c)) + kind + c + struct.pack(">I", zlib.crc32(kind + c)) for kind, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def check(path: Path, data: Path) -> Report:
    return verify(open_source(path), dataset(data), workers=1)


def found(report: Report) -> list[tuple[str, str]]:
    """(kind, where) of every problem."""
    return [(problem.kind, problem.where) for problem in report.problems]
