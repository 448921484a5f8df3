"""A frame with its labels over it, and below it the names of the classes that are in it."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vsscli.data.classes import IGNORE, ClassTable

Array = NDArray[np.uint8]

#: A legend's lines are this share of a picture's height, within bounds, pixels.
_LINE, _SMALLEST, _LARGEST = 1 / 22, 13, 30
_PAPER, _INK = (20, 24, 29), (235, 238, 242)


def blend(image: Array, labels: Array, table: ClassTable, opacity: float) -> Array:
    """The frame, RGB ``uint8 [H, W, 3]``, with the colours of ``labels``, ``uint8 [H, W]``, over it.

    ``opacity``: 0 leaves the frame, 1 only colours. Pixels without a label stay as they are.
    """
    colors = np.zeros((256, 3), np.float32)
    colors[: len(table)] = table.colors
    share = np.full(256, opacity, np.float32)
    share[IGNORE] = 0
    mixed = image + (colors[labels] - image) * share[labels][..., None]
    return np.asarray(np.rint(mixed), np.uint8)


class Legend:
    """A strip of names below pictures of one width, for the classes of one video: it does not move from frame to frame.

    ``heads`` name what stands side by side, each above its own part of the width.
    """

    def __init__(
        self, width: int, height: int, table: ClassTable, classes: Sequence[int], heads: Sequence[str]
    ) -> None:
        self._width, self._table = width, table
        self._line = round(min(max(height * _LINE, _SMALLEST), _LARGEST))
        self._font = _font(self._line * 0.72)
        self._rows = self._arrange(classes)
        self._top = self._draw_heads(heads) if heads else None
        self._bottom = self._draw_rows()

    def add(self, picture: Array) -> Array:
        """``picture``, ``uint8 [H, W, 3]``, with what it is above it and the legend below."""
        parts = [part for part in (self._top, picture, self._bottom) if part is not None]
        return np.concatenate(parts) if len(parts) > 1 else picture

    def _arrange(self, classes: Sequence[int]) -> list[list[tuple[int, int]]]:
        """Rows of (class, its left edge)."""
        rows: list[list[tuple[int, int]]] = []
        left = self._width
        for label in classes:
            width = round(self._line * 1.5 + self._font.getlength(self._table.names[label]))
            if left + width > self._width and (not rows or rows[-1]):
                rows.append([])
                left = self._line // 2
            rows[-1].append((label, left))
            left += width + self._line // 2
        return rows

    def _draw_rows(self) -> Array | None:
        if not self._rows:
            return None
        strip, pen = self._strip(len(self._rows))
        side = round(self._line * 0.6)
        for number, row in enumerate(self._rows):
            middle = round((number + 0.75) * self._line)
            for label, left in row:
                box = (left, middle - side // 2, left + side, middle - side // 2 + side)
                pen.rectangle(box, fill=self._table.colors[label], outline=_INK)
                pen.text((left + round(side * 1.5), middle), self._table.names[label], _INK, self._font, "lm")
        return np.asarray(strip)

    def _draw_heads(self, heads: Sequence[str]) -> Array:
        strip, pen = self._strip(1)
        for i, head in enumerate(heads):
            pen.text(
                (self._width * i // len(heads) + self._line // 2, self._line * 3 // 4), head, _INK, self._font, "lm"
            )
        return np.asarray(strip)

    def _strip(self, rows: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        strip = Image.new("RGB", (self._width, round((rows + 0.5) * self._line)), _PAPER)
        return strip, ImageDraw.Draw(strip)


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    """Pillow's own font, which is the same everywhere."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
