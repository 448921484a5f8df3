"""Files that claim to be checkpoints."""

import gzip
import os
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1.5]), "c": torch.tensor(7)}


@dataclass
class Payload:
    """Pickled, it makes whoever unpickles it carelessly create the file ``proof``."""

    proof: Path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.proof}",)


@dataclass
class Words:
    """Pickled, it makes whoever unpickles it carelessly evaluate Python."""

    proof: Path

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return eval, (f"__import__('pathlib').Path({str(self.proof)!r}).touch()",)


def arrays(tensors: dict[str, Tensor] = WEIGHTS) -> dict[str, NDArray[Any]]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def write_torch(path: Path, content: Any, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def write_pickle(path: Path, content: Any, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


def write_good(path: Path, kind: str, content: Any = None) -> Path:
    """A sound checkpoint of ``kind``: zip, legacy, safetensors, pickle0 ... pickle5."""
    content = {"model": dict(WEIGHTS)} if content is None else content
    if kind in ("zip", "legacy"):
        return write_torch(path, content, kind == "legacy")
    weights = content.get("model", content)
    if kind == "safetensors":
        path.write_bytes(save(weights))
        return path
    return write_pickle(path, {"model": arrays(weights), "__author__": "a zoo"}, int(kind.removeprefix("pickle")))


GOOD = ("zip", "legacy", "safetensors", *(f"pickle{protocol}" for protocol in range(6)))


def _repacked(path: Path) -> None:
    whole = write_torch(path.with_name("whole"), WEIGHTS)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in source.namelist():
            packed.writestr(name, source.read(name))


def _packed(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("model.pth", b"weights")


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as packed:
        packed.addfile(tarfile.TarInfo("model.pth"))


def _sparse_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


#: Name -> (how it is made, what the error must say).
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "is not there"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "device": (lambda path: path.symlink_to("/dev/null"), "is no file"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "web page": (lambda path: path.write_text("\n<!DOCTYPE html><html>404</html>"), "is a web page"),
    "lfs": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\nsize 3\n"), "pointer of git-lfs"),
    "text": (lambda path: path.write_text("hello world"), 'no checkpoint: it looks like text: "hello world"'),
    "bytes": (lambda path: path.write_bytes(bytes(range(1, 200))), "begins with the bytes 01 02 03 04 05 06 07 08"),
    "json": (lambda path: path.write_text('{"a": 1}'), "it looks like text"),
    "photo": (
        lambda path: path.write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF"),
        "no checkpoint: it looks like a JPEG picture",
    ),
    "gzip": (lambda path: path.write_bytes(gzip.compress(b"x" * 99)), "a gzip archive; unpack it first"),
    "tar": (_tar, "a tar archive; unpack it first"),
    "picture": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "no checkpoint: it looks like a PNG"),
    "a terabyte of zeros": (_sparse_file, "no checkpoint: it begins with nothing but zeros"),
    "packed again": (_repacked, "packed again by another program"),
    "packed file": (_packed, "it holds model.pth"),
    "header of 2**60 bytes": (lambda path: path.write_bytes(struct.pack("<Q", 1 << 60) + b"{" * 90), "no checkpoint"),
    "script": (lambda path: torch.jit.script(torch.nn.Linear(1, 1)).save(path), "TorchScript"),  # type: ignore[no-untyped-call]
    "module": (lambda path: write_torch(path, torch.nn.Linear(1, 1)), "asks for torch.nn.modules.linear.Linear"),
    "list": (lambda path: write_torch(path, [torch.ones(1)]), "holds no weights, but of type list"),
    "one tensor": (lambda path: write_torch(path, torch.ones(1)), "holds no weights, but of type Tensor"),
    "no tensor": (lambda path: write_torch(path, {"model": {}}), "holds no weights, but an empty dict"),
    "mixed": (lambda path: write_torch(path, {"a": torch.ones(1), "b": "x"}), "b is of type str"),
    "number for a name": (lambda path: write_torch(path, {3: torch.ones(1)}), "3 is of type Tensor"),
    "claims": (lambda path: write_torch(path, {"a": torch.ones(1).expand(1 << 40)}), "cannot hold 4398046511104 bytes"),
    "sparse tensor": (lambda path: write_torch(path, {"a": torch.eye(3).to_sparse()}), "holds more than weights"),
    "objects": (lambda path: write_pickle(path, {"a": np.array([{}], object)}), "an array of 'O8'"),
    "texts": (lambda path: write_pickle(path, {"a": np.array(["x"])}), "an array of 'U1'"),
    "tensors in a plain pickle": (lambda path: write_pickle(path, dict(WEIGHTS)), "asks for torch._utils"),
    "matrix": (lambda path: write_pickle(path, {"a": np.ma.array([1.0])}), "asks for numpy.ma"),
    "mark": (lambda path: path.write_bytes(b"\x80\x04" + b"(" * 1000 + b"."), "damaged or cut off"),
    "protocol": (lambda path: path.write_bytes(b"\x80\xff."), "damaged or cut off"),
    "length": (lambda path: path.write_bytes(b"\x80\x04\x8e" + b"\xff" * 8), "damaged or cut off"),
    "outside": (lambda path: path.write_bytes(b"\x80\x02X\x01\x00\x00\x00aQ."), "outside of itself"),
}
