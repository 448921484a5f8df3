"""Reading frames and masks. Pillow, strictly: a truncated file is an error, a palette stays a palette.

Pixels are taken as they are stored: an EXIF orientation is not applied, since masks and label maps have none.
"""

import errno
import io
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vsscli.data.classes import Color
from vsscli.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")

#: What Pillow may try, whatever a file's name says: it has readers that start other programs.
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")

DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")  # more than 8 bits a sample
_AGAIN = "Copy or extract it again."


def open_file(path: Path) -> BinaryIO:
    """A regular file for reading; OSError for anything else, at once: a pipe would wait for ever."""
    file = io.open(path, "rb", opener=_open_at_once)  # noqa: SIM115, UP020
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "Not a regular file")
    return file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def _opened(path: Path, what: str) -> Iterator[Image.Image]:
    """The image at ``path``, open; whatever goes wrong inside the block is a DataError naming the file."""
    try:
        with open_file(path) as file:  # our own handle: closed even where Pillow gives up half way
            if os.fstat(file.fileno()).st_size == 0:
                raise DataError(f"{path}: this {what} is empty (0 bytes).", _AGAIN)
            with Image.open(file, formats=FORMATS) as image:
                yield image
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: this {what} is not there.") from None
    except UnidentifiedImageError:
        raise DataError(f"{path}: this {what} is no image that can be decoded.", _AGAIN) from None
    except Exception as error:  # Pillow's decoders raise whatever a broken file leads them into
        if isinstance(error, OSError) and error.strerror:
            raise DataError(f"{path}: this {what} cannot be read ({error.strerror}).") from None
        raise DataError(
            f"{path}: this {what} does not decode ({str(error) or type(error).__name__}).", _AGAIN
        ) from None


def read_image(path: Path) -> NDArray[np.uint8]:
    """The frame as RGB ``uint8 [H, W, 3]`` (may be read-only).

    DataError naming the file when it does not decode to its end or has more than 8 bits a sample.
    """
    with _opened(path, "frame") as image:
        return np.asarray(_as_rgb(image, path))


def _as_rgb(image: Image.Image, path: Path) -> Image.Image:
    """What counts as a frame, for those who read it and for those who check it; decoded to its end."""
    if image.mode in DEEP_MODES:
        raise DataError(f"{path}: this frame has more than 8 bits (mode {image.mode}).", "Store it with 8 bits.")
    if image.mode != "RGB":
        return image.convert("RGB")
    image.load()
    return image


def image_size(path: Path) -> tuple[int, int]:
    """(H, W) from the file's header alone; DataError naming the file when it has none."""
    with _opened(path, "image") as image:
        return image.height, image.width


def image_mode(path: Path) -> str:
    """Pillow's name of the pixel format (``P``, ``L``, ``RGB`` ...), from the file's header; DataError as above."""
    with _opened(path, "image") as image:
        return image.mode


def read_indices(path: Path, colors: dict[Color, int] | None = None, what: str = "mask") -> NDArray[np.uint8]:
    """The stored values of a mask, ``uint8 [H, W]`` (may be read-only).

    Gray and palette images give their indices, with an alpha channel ignored; 1-bit images give 0 and 1. A colour
    image is resolved through ``colors`` (colour -> value); without them, or with a colour that is not among them, it
    is a DataError naming the file and the colour. So is a value beyond 8 bits.
    """
    with _opened(path, what) as image:
        if image.mode in ("L", "P"):
            return np.asarray(image)
        if image.mode in ("LA", "PA"):
            return np.asarray(image.getchannel(0))
        if image.mode == "1" or image.mode in DEEP_MODES:
            return _narrow(np.asarray(image), path, what)
        if colors is None:
            raise DataError(
                f"{path}: this {what} is a colour image (mode {image.mode}), not an 8-bit map of class ids."
            )
        return _resolve(np.asarray(image.convert("RGB")), colors, path, what)


def _narrow(values: NDArray[np.generic], path: Path, what: str) -> NDArray[np.uint8]:
    with np.errstate(invalid="ignore"):  # a float image may hold NaN
        narrow = values.astype(np.uint8)
    odd = values != narrow
    if odd.any():
        raise DataError(f"{path}: this {what} holds the value {values[odd][0]}, not one of 0..255.")
    return narrow


def _resolve(rgb: NDArray[np.uint8], colors: dict[Color, int], path: Path, what: str) -> NDArray[np.uint8]:
    packed = (rgb[..., 0].astype(np.uint32) << 16) | (rgb[..., 1].astype(np.uint32) << 8) | rgb[..., 2]
    seen, inverse = np.unique(packed, return_inverse=True)
    values = np.empty(len(seen), np.uint8)
    for i, code in enumerate(seen.tolist()):
        color = (code >> 16, code >> 8 & 255, code & 255)
        if color not in colors:
            raise DataError(
                f"{path}: this {what} is a colour image and its colour {color} stands for no class, or for several.",
                "Store it as an 8-bit map of class ids.",
            )
        values[i] = colors[color]
    return values[inverse].reshape(rgb.shape[:2])


def color_values(colors: Sequence[Color], first: int, extra: dict[Color, int]) -> dict[Color, int]:
    """Colour -> stored value for masks stored in colour; a colour shared by two classes is left out.

    ``first`` is the stored value of class 0; ``extra`` adds the colours of void.
    """
    count = Counter(colors)
    return {**{c: first + i for i, c in enumerate(colors) if count[c] == 1}, **extra}


def verify_image(path: Path) -> tuple[int, int]:
    """(H, W) of a frame that `read_image` reads and that passes `verify_end`."""
    with _opened(path, "frame") as image:
        _as_rgb(image, path)
        size = image.height, image.width
    verify_end(path, "frame")
    return size


def verify_end(path: Path, what: str = "mask") -> None:
    """DataError for the unfinished copies that decoders forgive: a PNG without its end, a JPEG that ends in zeros."""
    with _opened(path, what):
        content = path.read_bytes()
    if content.startswith(b"\x89PNG"):
        whole = b"IEND\xae\x42\x60\x82" in content
    else:
        used = content.rstrip(b"\0")
        zeros = len(content) - len(used)
        whole = zeros < 16 or not content.startswith(b"\xff\xd8") or used.endswith(b"\xff\xd9")
    if not whole:
        raise DataError(f"{path}: the end of this {what} is missing: its copy was not finished.", _AGAIN)
