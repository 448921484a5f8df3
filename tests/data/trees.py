"""Small datasets on disk, made by the tests."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vsscli.data.video_backend import load_cv2

SIZE = (24, 32)  # (H, W)


def frame(number: int = 0, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """A picture that differs from number to number, RGB ``uint8 [H, W, 3]``."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.stack([rows * 5 % 256, columns * 3 % 256, np.full(size, number * 20 % 256)], -1).astype(np.uint8)


def stored(number: int = 0, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """A mask with VSPW's stored values 0, 1, 2, 124, 255, ``uint8 [H, W]``."""
    mask = np.ones(size, np.uint8)
    mask[:4] = 0
    mask[4:8, : 4 + number % 8] = 2
    mask[8:12] = 124
    mask[-2:] = 255
    return mask


def save(path: Path, array: NDArray[np.generic], **options: object) -> Path:
    """Writes an array as an image, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)  # type: ignore[arg-type]
    return path


def add_video(
    root: Path, name: str, numbers: Sequence[int] = (5, 6, 8), masks: bool = True, size: tuple[int, int] = SIZE
) -> Path:
    """One video in VSPW's layout; returns its folder."""
    folder = root / "data" / name
    for number in numbers:
        save(folder / "origin" / f"{number:08d}.jpg", frame(number, size))
        if masks:
            save(folder / "mask" / f"{number:08d}.png", stored(number, size))
    return folder


def vspw_tree(root: Path, val: Sequence[str] = ("1_a", "2_b"), test: Sequence[str] = ("3_c",)) -> Path:
    """A sound VSPW folder with a val split with masks and a test split without."""
    for name in val:
        add_video(root, name)
    for name in test:
        add_video(root, name, masks=False)
    (root / "val.txt").write_text("".join(f"{name}\n" for name in val))
    (root / "test.txt").write_text("".join(f"{name}\n" for name in test))
    return root


def camvid_tree(root: Path) -> Path:
    """A sound CamVid folder: two sequences in train, one of them continued in val."""
    for split, names in (("train", ("0001TP_000030", "0001TP_000060", "0016E5_00390")), ("val", ("0016E5_07959",))):
        lines = []
        for number, name in enumerate(names):
            mask = np.full(SIZE, number, np.uint8)
            mask[:3] = 11
            save(root / split / f"{name}.png", frame(number))
            save(root / f"{split}annot" / f"{name}.png", mask)
            lines.append(f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png\n")
        (root / f"{split}.txt").write_text("".join(lines))
    return root


def save_video(path: Path, frames: int = 6, size: tuple[int, int] = (48, 96), code: str = "mp4v") -> Path:
    """A real video file: the left half is red, and a bright bar moves down."""
    cv2 = load_cv2()
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 15, size[::-1])
    assert writer.isOpened()
    for number in range(frames):
        image = np.zeros((*size, 3), np.uint8)
        image[:, : size[1] // 2, 2] = 255
        image[4 * number : 4 * number + 4] = 255
        writer.write(image)
    writer.release()
    return path


def rotate_mp4(path: Path, height: int) -> None:
    """Marks an mp4 of this height as turned by 90 degrees clockwise: the display matrix in the track's header."""
    content = bytearray(path.read_bytes())
    matrix = content.find(b"tkhd") + 4 + 4 + 20 + 16  # version 0: flags, times and ids, layer and volume
    one = 1 << 16
    content[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, height * one, 0, 1 << 30)
    path.write_bytes(content)
