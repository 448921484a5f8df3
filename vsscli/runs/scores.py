"""The K best classes of a frame and their probabilities, as files: what `infer --keep-topk` keeps.

``RUN/.vsscli/topk/<video>/<frame>.npz``, read by ``numpy.load`` alone, holds four arrays:

    classes        uint8 [K, h, w]   ids of the run's class table, the most probable first
    probabilities  uint16 [K, h, w]  their probabilities in 65535ths: divide by 65535
    sizes          int32 [4, 2]      (rows, columns) of the decoder's grid, of the padded network input, of the network
                                     input without its padding (top left in it), and of the frame
    flip           bool              whether the network saw the frame mirrored

The cells are those of the decoder's grid, cut to what a bilinear resize of the network input without its padding reads:
h = min(grid rows, floor(grid rows * input rows / padded rows + 1/2) + 1), columns likewise. Cell (i, j) has its centre
at ((i + 1/2) * padded rows / grid rows, (j + 1/2) * padded columns / grid columns) of the network input, in pixels from
its upper left corner. Nothing is mirrored back: where ``flip`` is set, the left of the grid is the right of the frame.

A probability is the softmax of a network's logits; of a network that answers with masks, the score of the class (the
sum over the queries of class probability times sigmoid of the mask logit, at the cell) over the sum of the scores of
all classes. A class map has been applied before. Of equal probabilities (in 65535ths) the smaller id comes first.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsscli.data.dataset import files_digest
from vsscli.errors import DataError, RunError

#: A probability of one, as stored.
ONE = 65535
#: The most classes that are kept of a cell.
MOST = 8
_AGAIN = "Repeat the command that made the run, with its --keep-topk: it makes what is missing."
_LARGEST = 1 << 28  # bytes of one array: what is larger is broken, and would only fill the memory


@dataclass(frozen=True)
class TopK:
    """The K best classes of every cell of one frame; the fields are the arrays of the file (see above)."""

    classes: NDArray[np.uint8]
    probabilities: NDArray[np.uint16]
    sizes: NDArray[np.int32]
    flip: bool


def scores_folder(run: Path, video: str) -> Path:
    """Where the scores of ``video`` lie."""
    return run / ".vsscli" / "topk" / video


def write_scores(path: Path, topk: TopK) -> None:
    """Writes the file of one frame: equal scores give equal bytes. May raise OSError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, array in _arrays(topk).items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy")  # of 1980, as numpy's own
            member.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(member, content.getvalue(), compresslevel=1)


def read_scores(path: Path) -> TopK:
    """The scores of one frame; RunError naming the file where it is gone, broken or not of this format."""
    try:
        with zipfile.ZipFile(path) as file:
            sizes = {info.filename: info.file_size for info in file.infolist()}
            names = ("classes", "probabilities", "sizes", "flip")
            if max(sizes.get(f"{name}.npy", _LARGEST) for name in names) >= _LARGEST:
                raise ValueError("an array is missing or too large")
            arrays = [np.lib.format.read_array(io.BytesIO(file.read(f"{n}.npy")), allow_pickle=False) for n in names]
        topk = TopK(arrays[0], arrays[1], arrays[2], bool(arrays[3]))
        _check(topk)
    except FileNotFoundError:
        raise RunError(f"{path} is not there.", _AGAIN) from None
    except Exception as error:  # zipfile, zlib and numpy have a dozen ways to say that a file is broken
        raise RunError(f"{path}: these class scores cannot be read ({error}).", _AGAIN) from None
    return topk


class ScoresDigest:
    """SHA-256 over (frame name, arrays) of frames in order."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def add(self, frame: str, topk: TopK) -> None:
        self._state.update(f"{frame}\0{topk.classes.shape}\0".encode())
        for array in _arrays(topk).values():
            self._state.update(np.ascontiguousarray(array).data)

    def hex(self) -> str:
        return self._state.hexdigest()


def describe_scores(run: Path, video: str, frames: Iterable[str], k: int, digest: str) -> dict[str, Any]:
    """What a record tells of the scores of a video; DataError where a file is gone."""
    return {"k": k, "digest": digest, "files": _state(run, video, frames)}


def scores_stand(run: Path, video: str, frames: Iterable[str], told: Mapping[str, Any] | None) -> bool:
    """Whether the files that a record tells of (``told``) are there, of the sizes they were written with."""
    try:
        return told is not None and told.get("files") == _state(run, video, frames)
    except DataError:
        return False


def _state(run: Path, video: str, frames: Iterable[str]) -> str:
    folder = scores_folder(run, video)
    return files_digest(video, {frame: folder / f"{frame}.npz" for frame in frames})


def _arrays(topk: TopK) -> dict[str, NDArray[Any]]:
    return {
        "classes": topk.classes,
        "probabilities": topk.probabilities,
        "sizes": topk.sizes,
        "flip": np.array(topk.flip),
    }


def _check(topk: TopK) -> None:
    """ValueError unless the arrays are those of the format and fit each other."""
    classes, probabilities, sizes = topk.classes, topk.probabilities, topk.sizes
    types = [array.dtype.name for array in (classes, probabilities, sizes)]
    if types != ["uint8", "uint16", "int32"] or classes.shape != probabilities.shape or sizes.shape != (4, 2):
        raise ValueError("arrays of other types or shapes")
    grid, padded, network, frame = sizes.astype(np.int64)
    kept = [cells_read(*map(int, axis)) for axis in zip(grid, padded, network, strict=True)]
    if sizes.min() < 1 or (network > padded).any() or frame.max() > 1 << 16:
        raise ValueError("sizes that cannot be")
    if classes.ndim != 3 or not 1 <= len(classes) <= MOST or list(classes.shape[1:]) != kept:
        raise ValueError("a grid that does not fit the sizes")


def cells_read(grid: int, padded: int, network: int) -> int:
    """How many cells of a ``grid`` over ``padded`` pixels a bilinear resize of the first ``network`` pixels reads."""
    return min(grid, (2 * grid * network + padded) // (2 * padded) + 1)
