"""Small pictures for a page: frames as JPEG, label maps, errors and flicker as palette PNG, all as base64 text."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vsscli.data.classes import IGNORE, ClassTable

#: The longer side of a picture at most, in pixels: what a page can carry by the thousand.
LONGEST = 400
QUALITY = 78
#: The same for a map of flicker, which is fine-grained, and how many shades it has.
HEAT_LONGEST, _SHADES = 260, 32

RIGHT, WRONG, VOID = range(3)
#: Where a map is right its error is see-through; red and gray are told apart without colour too.
_ERROR_COLORS = ((0, 0, 0), (196, 24, 48), (140, 148, 158))
#: From nothing (see-through) to all the time: dark violet, red, orange, pale yellow. Brightness rises all the way.
_HEAT = np.array([(24, 12, 60), (110, 24, 110), (200, 56, 70), (247, 140, 40), (252, 252, 190)], np.float64)

Labels = NDArray[np.uint8]


def small_size(height: int, width: int, longest: int = LONGEST) -> tuple[int, int]:
    """(H, W) of the picture of a frame: the longer side is ``longest`` at most; none is enlarged."""
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def small_frame(image: NDArray[np.uint8]) -> str:
    """A frame, RGB ``uint8 [H, W, 3]``, as a small JPEG."""
    picture = Image.fromarray(image)
    size = small_size(picture.height, picture.width)
    content = io.BytesIO()
    picture.resize(size[::-1], Image.Resampling.BOX).save(content, "JPEG", quality=QUALITY, optimize=True)
    return _text(content)


def small_labels(labels: Labels) -> Labels:
    """A label map ``uint8 [H, W]``, smaller: every pixel keeps the label of one pixel."""
    size = small_size(*labels.shape)
    return np.asarray(Image.fromarray(labels).resize(size[::-1], Image.Resampling.NEAREST))


def draw_labels(labels: Labels, table: ClassTable) -> str:
    """A small label map in the colours of its classes; what is no label is see-through."""
    return _palette_png(labels, table.palette, IGNORE)


def draw_errors(labels: Labels, truth: Labels) -> str:
    """Where a small map differs from the small truth: red; gray where the truth is void, see-through where right."""
    errors = np.where(labels == truth, RIGHT, WRONG).astype(np.uint8)
    errors[truth == IGNORE] = VOID
    return _palette_png(errors, bytes(value for color in _ERROR_COLORS for value in color), RIGHT)


def draw_heat(shares: NDArray[np.float32]) -> str:
    """Shares ``float32 [H, W]``, 0 to 1, as colours, small. By their square root: rare changes are to be seen too."""
    height, width = shares.shape
    size = small_size(height, width, HEAT_LONGEST)
    means = np.asarray(Image.fromarray(shares).resize(size[::-1], Image.Resampling.BOX))
    shades = np.round((_SHADES - 1) * np.sqrt(np.clip(means, 0, 1)))
    shades[(means > 0) & (shades == 0)] = 1
    levels = (shades * (255 / (_SHADES - 1))).astype(np.uint8)
    return _palette_png(levels, heat_palette(), 0)


def heat_palette() -> bytes:
    """768 bytes: the colours of 0 to 255."""
    places = np.linspace(0, 255, len(_HEAT))
    colors = [np.interp(np.arange(256), places, _HEAT[:, i]) for i in range(3)]
    return np.stack(colors, 1).round().astype(np.uint8).tobytes()


def _palette_png(values: Labels, palette: bytes, clear: int) -> str:
    picture = Image.fromarray(values)
    picture.putpalette(palette)
    content = io.BytesIO()
    picture.save(content, "PNG", transparency=clear, compress_level=9)
    return _text(content)


def _text(content: io.BytesIO) -> str:
    return base64.b64encode(content.getvalue()).decode("ascii")
