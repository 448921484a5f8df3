"""One label map as the bytes of a PNG: what is in it, and what is wrong with it."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vsscli.data.classes import IGNORE
from vsscli.submit.listing import Problem

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"IEND\xae\x42\x60\x82"
_COLORS = {0: "gray", 2: "RGB", 3: "palette", 4: "gray with alpha", 6: "RGB with alpha"}

#: (bits, colour type) of the header -> Pillow's mode.
MODES = {(8, 0): "L", (8, 3): "P"}


@dataclass(frozen=True)
class Png:
    """A label map that decodes: ``mode`` L or P, ``labels uint8 [H, W]``, ``histogram`` of its 256 values.

    ``more``: how many bytes stand after its end, which decoders pass over.
    """

    mode: str
    labels: NDArray[np.uint8]
    histogram: Sequence[int]
    more: int = 0


def size_limit(size: tuple[int, int]) -> int:
    """More bytes than any sane PNG of (H, W) with 8 bits a pixel has."""
    return 2 * size[0] * size[1] + (1 << 20)


def read_png(content: bytes, size: tuple[int, int], where: str) -> Png | Problem:
    """The label map in ``content``, or the reason why it is none of ``size`` (H, W): mode L or P with 8 bits.

    The header is judged before any pixel is decoded, so a file cannot claim more memory than ``size`` allows.
    """
    if len(content) < 33 or not content.startswith(_SIGNATURE) or content[12:16] != b"IHDR":
        return Problem("no PNG", where, "empty" if not content else "these are not the bytes of a PNG")
    width, height, bits, color = struct.unpack(">IIBB", content[16:26])
    if (height, width) != size:
        return Problem("wrong size", where, f"{width}x{height}, its frame is {size[1]}x{size[0]}")
    mode = MODES.get((bits, color))
    if mode is None:
        return Problem("wrong mode", where, f"{bits}-bit {_COLORS.get(color, 'unknown')}, not 8-bit gray or palette")
    try:
        with Image.open(BytesIO(content), formats=("PNG",)) as image:
            image.load()
            if _END not in content:
                raise ValueError("its end is missing")
            return Png(mode, np.asarray(image), image.histogram(), _after_end(content))
    except Exception as error:  # Pillow's decoders raise whatever a broken file leads them into
        return Problem("no PNG", where, f"does not decode ({str(error) or type(error).__name__})")


def _after_end(content: bytes) -> int:
    """How many bytes follow the chunk that ends a PNG."""
    at = len(_SIGNATURE)
    while at + 12 <= len(content):
        kind = content[at + 4 : at + 8]
        at += 12 + int.from_bytes(content[at : at + 4], "big")
        if kind == b"IEND":
            return len(content) - at
    return 0


def check_values(histogram: Sequence[int], classes: int | None, where: str) -> list[Problem]:
    """Values that are no class 0..K-1; 255 (no label) apart. Without ``classes`` all below 255 are good."""
    problems = []
    largest = IGNORE if classes is None else classes
    odd = {value: count for value, count in enumerate(histogram[:IGNORE]) if count and value >= largest}
    if odd:
        some = ", ".join(f"{value} ({count:,} pixels)" for value, count in list(odd.items())[:3])
        more = f" and {len(odd) - 3} more values" if len(odd) > 3 else ""
        problems.append(Problem("bad value", where, f"{some}{more}; classes are 0..{largest - 1}"))
    if histogram[IGNORE]:
        problems.append(Problem("no label", where, f"{histogram[IGNORE]:,} pixels of 255"))
    return problems


def convert(content: bytes, mode: str, palette: bytes | None) -> bytes:
    """The same label map in ``mode`` L or P; ``content`` itself when it is in that mode already."""
    bits, color = content[24:26]
    if MODES[bits, color] == mode:
        return content
    with Image.open(BytesIO(content), formats=("PNG",)) as image:
        target = Image.fromarray(np.asarray(image))
    if mode == "P" and palette is not None:
        target.putpalette(palette)
    room = BytesIO()
    target.save(room, format="PNG")
    return room.getvalue()
