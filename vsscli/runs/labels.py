"""Label maps as files: 8-bit PNG, palette or gray, ids 0..K-1, 255 = no label."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vsscli.data.images import read_indices
from vsscli.errors import DataError, RunError


def read_labels(path: Path) -> NDArray[np.uint8]:
    """The values of a label map, ``uint8 [H, W]``; RunError naming the file when it is none."""
    try:
        return read_indices(path, None, "label map")
    except DataError as error:
        raise RunError(error.message, error.hint) from None


def write_labels(path: Path, labels: NDArray[np.uint8], palette: bytes | None) -> None:
    """Writes ``uint8 [H, W]`` as a palette PNG (gray without a palette). May raise OSError.

    Level 1 is three times faster to write than the default and half again as large; unfiltered palette rows are
    the fastest to read.
    """
    image = Image.fromarray(labels)
    if palette is not None:
        image.putpalette(palette)
    image.save(path, format="PNG", compress_level=1)
