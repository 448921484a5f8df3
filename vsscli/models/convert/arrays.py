"""Pickles that hold arrays and nothing else, as detectron2's model zoo publishes them.

A pickle names the functions that rebuild its content, any function at all. Here each name it may say stands for a
function of our own that does one thing; every other name ends the reading before anything is called.
"""

import collections
import pickle
import re
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vsscli.errors import ModelError

_NUMBERS = re.compile(r"[<>=|]?(?:[iuf][1248]|b1|\?)")
_NDARRAY = object()  # stands for numpy.ndarray: it can be named, not called


class Stored:
    """An array of numbers in a pickle. Filled by our own hand: numpy's own way crashes on a damaged state."""

    array: NDArray[Any] = np.empty(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise pickle.UnpicklingError("an array without its shape")
        _, shape, dtype, fortran, data = state
        self.fill(data, dtype, shape, "F" if fortran else "C")

    def fill(self, data: Any, dtype: Any, shape: Any, order: Any) -> None:
        """Takes ``data``, bytes (or text of single-byte characters: from Python 2), as an array of ``shape``."""
        if not isinstance(dtype, _Type) or not isinstance(shape, tuple) or order not in ("C", "F"):
            raise pickle.UnpicklingError("an array without a type or a shape")
        data = data.encode("latin1") if isinstance(data, str) else data
        self.array = np.frombuffer(data, dtype.dtype).reshape(shape, order=order)


class _Type:
    """Stands for a numpy.dtype, whose byte order is told by its state."""

    def __init__(self, text: Any = None, *_: Any) -> None:
        if not isinstance(text, str) or not _NUMBERS.fullmatch(text):
            raise ModelError(f"the pickle holds an array of {str(text)[:40]!r}, which is no type of numbers.")
        self.dtype = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError("a type without its byte order")
        self.dtype = self.dtype.newbyteorder(state[1])


def read_arrays(file: BinaryIO) -> Any:
    """The content of a pickle made of numpy arrays of numbers (as `Stored`), texts, numbers, lists, tuples and dicts.

    Raises ModelError naming the first thing in it that is anything else (nothing of it is run), and the errors of
    `pickle` (EOFError, UnpicklingError, ...) where the file is broken.
    """
    return _ArraysOnly(file, encoding="latin1").load()


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in _ADMITTED:
            raise ModelError(
                f"the pickle asks for {full}, which is not a part of an array; it is not read any further.",
                "Only files with weights are read. If you trust this one, save its state dict with torch.save.",
            )
        return _ADMITTED[full]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside of itself")


def _reconstruct(kind: Any, shape: Any, code: Any) -> Stored:
    """An empty array, which its state fills (protocols up to 4)."""
    if kind is not _NDARRAY:
        raise ModelError("the pickle holds an array of a class of its own.")
    return Stored()


def _from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> Stored:
    """An array of contiguous bytes (protocol 5)."""
    stored = Stored()
    stored.fill(buffer, dtype, shape, order)
    return stored


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Bytes, as Python 3 puts them into old protocols."""
    if not isinstance(text, str) or encoding != "latin1":
        raise ModelError("the pickle holds text in a code that arrays do not use.")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """What Python 3 writes into old protocols for no bytes at all."""
    return b""


_ADMITTED: dict[str, Callable[..., Any] | object] = {
    "collections.OrderedDict": collections.OrderedDict,
    "_codecs.encode": _encode,
    "__builtin__.bytes": _no_bytes,
    "numpy.ndarray": _NDARRAY,
    "numpy.dtype": _Type,
}
for _core in ("numpy.core", "numpy._core"):  # before and since numpy 2
    _ADMITTED[f"{_core}.multiarray._reconstruct"] = _reconstruct
    _ADMITTED[f"{_core}.numeric._frombuffer"] = _from_buffer
