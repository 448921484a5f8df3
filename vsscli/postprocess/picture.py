"""The image that goes with a question: a frame, the region outlined in it and the rest dimmed, or the frame alone."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

#: The longer side of an image at most, in pixels: what vision models see anyway.
LONGEST = 768
QUALITY = 85
RED = np.array([255, 0, 0], np.uint8)
#: What is left of the brightness outside of the region.
DIMMED = 0.6


def draw(image: NDArray[np.uint8], mask: NDArray[np.bool_], how: str) -> tuple[bytes, tuple[int, int]]:
    """(JPEG, its size (H, W)) of a frame, RGB ``uint8 [H, W, 3]``, with a region ``bool [H, W]``.

    ``how``: ``outlined``, or ``plain``, which leaves the region to be guessed. A larger frame is shrunk to `LONGEST`;
    none is enlarged. The JPEG tells nothing of the file it came from, and equal pixels give equal bytes.
    """
    height, width = image.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    picture = Image.fromarray(image)
    if scale < 1:
        picture = picture.resize(size[::-1], Image.Resampling.BILINEAR)
    pixels = np.asarray(picture)
    if how == "outlined":
        region = Image.fromarray(mask).resize(size[::-1], Image.Resampling.NEAREST)
        pixels = outline(pixels, np.asarray(region))
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=QUALITY)
    return content.getvalue(), size


def outline(pixels: NDArray[np.uint8], region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``pixels [H, W, 3]`` with a red line around the ``region``, outside of it, and the rest dimmed."""
    width = max(2, max(region.shape) // 256)
    line = ndimage.binary_dilation(region, np.ones((3, 3), np.bool_), width) & ~region
    shown = np.where(region[..., None], pixels, (pixels * np.float32(DIMMED)).astype(np.uint8))
    shown[line] = RED
    return shown
