"""Checkpoint files: which kind a file is, and the weights in it. No code that a file brings along is run."""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vsscli.errors import ModelError, VssError
from vsscli.models.convert.arrays import Stored, read_arrays

Kind = Literal["zip", "legacy", "pickle", "safetensors"]

#: How a file of torch's before 1.6 begins: a pickle of this number.
_LEGACY = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
#: What the pickle in a checkpoint of torch's asks for.
_USUAL = (
    "torch._utils._rebuild_tensor_v2",
    "collections.OrderedDict",
    *(f"torch.{kind}Storage" for kind in ("Float", "Half", "Double", "Long", "Int", "BFloat16", "Bool", "Byte")),
)
_STARTS = {
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "an xz archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"\x89HDF": "an HDF5 file, as Keras writes them",
    b"\x93NUMPY": "a single array of numpy",
    b"GGUF": "a GGUF file of language models",
    b"\x7fELF": "a program",
    b"RIFF": "a sound, a video or a WebP picture",
}
#: Where what is asked for holds the settings of a training, as a rule, and not a trap.
_SETTINGS = ("argparse.", "pathlib.", "yacs.", "omegaconf.", "easydict.")
_AGAIN = "Download or copy it again."
_EXPECTED = "A checkpoint is a .pth or .pt file of torch, a .pkl of detectron2's model zoo, or .safetensors."


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a file: ``tensors`` by their official names, on the CPU, perhaps still on the disk.

    ``notes`` say, in short sentences, what of the file was passed over or renamed.
    """

    path: Path
    tensors: dict[str, Tensor]
    notes: tuple[str, ...]


def read_checkpoint(path: Path) -> Checkpoint:
    """The weights of a checkpoint: bare, or under "model" or "state_dict", with or without "module." before the names.

    Reads what torch saves (zip and the older format), pickles of numpy arrays, and safetensors; the content decides,
    not the name. Raises ModelError naming the file where it is none of these, is cut off, or asks for code to be run.
    """
    kind = _kind(path)
    try:
        content = _load(path, kind)
    except VssError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from None
    except MemoryError:
        raise ModelError(f"{path} does not fit into memory.", "Convert it on a machine with more.") from None
    except (pickle.UnpicklingError, TypeError) as error:
        raise _refused(path, error) from None
    except Exception as error:  # a broken file can break its reader in any way
        raise ModelError(f"{path} is damaged or cut off ({_line(error)}).", _AGAIN) from None
    return _checkpoint(path, content)


def _kind(path: Path) -> Kind:
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no file" if path.exists() else "not there"
            raise ModelError(f"The checkpoint {path} is {what}.", _EXPECTED)
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise ModelError(f"The checkpoint {path} cannot be read ({error.strerror}).") from None
    if not head:
        raise ModelError(f"{path} is empty.", _AGAIN)
    if head.startswith(b"version https://git-lfs"):
        raise ModelError(
            f"{path} is a pointer of git-lfs ({size} bytes), not the weights.", "Fetch them: git lfs pull."
        )
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise ModelError(
            f"{path} is a web page, not a checkpoint: the download went wrong.",
            "Open the link in a browser; some hosts ask for a confirmation first.",
        )
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(_LEGACY):
        return "legacy"
    if len(head) > 8 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] <= size - 8:
        return "safetensors"
    if head[:1] in b"\x80(}" or head.startswith(b"c"):  # "c", "(": protocols 0 and 1
        return "pickle"
    raise ModelError(f"{path} is no checkpoint: {_looks(head)}.", _EXPECTED)


def _looks(head: bytes) -> str:
    """What a file that is none of ours seems to be, by its first 512 bytes."""
    for start, what in _STARTS.items():
        if head.startswith(start):
            return f"it looks like {what}"
    if head[257:262] == b"ustar":
        return "it looks like a tar archive; unpack it first"
    if not head.strip(b"\0"):
        return "it begins with nothing but zeros, as a download does that was broken off"
    text = head.decode("utf-8", "replace").rstrip("\ufffd")
    if all(c.isprintable() or c in "\r\n\t" for c in text):
        return f'it looks like text: "{" ".join(text.split())[:40]}"'
    return f"it begins with the bytes {head[:8].hex(' ')}, which none of these does"


def _load(path: Path, kind: Kind) -> Any:
    if kind == "safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    if kind == "pickle":
        with path.open("rb") as file:
            return read_arrays(file)
    if kind == "zip":
        _check_archive(path)
    # What a trainer saved beside the weights often holds a number of numpy's: it may stand there, as nothing.
    beside = [(_Nothing, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    with torch.serialization.safe_globals([_Nothing, (_Nothing, "numpy.dtype"), *beside]):
        return torch.load(path, map_location="cpu", weights_only=True, mmap=kind == "zip")


class _Nothing:
    """Stands for what is not needed."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def _check_archive(path: Path) -> None:
    """That a zip file is one of torch.save's, as it wrote it: what was packed again cannot be read in place."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            bad = [entry.filename for entry in entries if not _is_whole(archive, entry)]
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ModelError(f"the archive is damaged or cut off ({_line(error)}).", _AGAIN) from None
    names = [entry.filename for entry in entries]
    if any("/code/" in name for name in names):
        raise ModelError("this is a TorchScript program, not a checkpoint.", _EXPECTED)
    if not any(name.endswith("/data.pkl") for name in names):
        inside = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise ModelError(f"this zip archive is no checkpoint; it holds {inside or 'nothing'}.", "Unpack it first.")
    if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 for entry in entries):
        raise ModelError("this archive was packed again by another program than torch.", _AGAIN)
    if bad and len(bad) < len(entries):  # torch can be told to write no checksums: then all are wrong
        raise ModelError(f"the archive is damaged or cut off (checksum of {bad[0]}).", _AGAIN)


def _is_whole(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(entry) as part:
            while part.read(1 << 20):
                pass
    except (zipfile.BadZipFile, RuntimeError, EOFError):
        return False
    return True


def _refused(path: Path, error: Exception) -> ModelError:
    """Why torch, or pickle, would not go on: the name it was asked to call, or damage."""
    lines = [line.strip() for line in str(error).splitlines()]
    asked = next((line for line in lines if "GLOBAL" in line or "unrecognized function" in line), "")
    name = asked.partition("GLOBAL ")[2].split(" ")[0] if "GLOBAL " in asked else asked
    if name.endswith(".") or any(usual.startswith(name) for usual in _USUAL):  # no name, or the name is cut off itself
        return ModelError(f"{path} is damaged or cut off ({_line(error)}).", _AGAIN)
    message = f"{path}: the file asks for {name}, which is not a part of weights; it is not read any further."
    if name.startswith(_SETTINGS):
        return ModelError(
            message,
            "If you trust the file (this runs what it asks for), keep its weights alone, in Python: "
            f'torch.save({{"model": torch.load({str(path)!r}, weights_only=False)["model"]}}, "clean.pth")',
        )
    return ModelError(
        message, "Only files with weights are read. If you trust this one, save its state dict alone with torch.save."
    )


def _checkpoint(path: Path, content: Any) -> Checkpoint:
    notes: list[str] = []
    inner = next((key for key in ("model", "state_dict") if _has(content, key)), None)
    if inner is not None:
        others = [str(key) for key in content if key != inner]
        if others:
            notes.append(f'left out what stands beside "{inner}": {", ".join(sorted(others))}')
        content = content[inner]
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{path} holds no weights, but {_describe(content)}.", _EXPECTED)
    wrapped = all(str(key).startswith("module.") for key in content)
    if wrapped:
        notes.append('took "module." off the names (a model saved by several processes)')
    tensors = {str(key).removeprefix("module." if wrapped else ""): _tensor(path, key, content[key]) for key in content}
    bare = {name.replace("_orig_mod.", ""): tensor for name, tensor in tensors.items()}
    if len(bare) == len(tensors) and bare.keys() != tensors.keys():
        notes.append('took "_orig_mod." out of the names (a model that was compiled)')
        tensors = bare
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values() if not tensor.is_meta)
    if claimed > 4 * path.stat().st_size + 2**20:
        raise ModelError(f"{path} is damaged: {path.stat().st_size} bytes cannot hold {claimed} bytes of weights.")
    return Checkpoint(path, tensors, tuple(notes))


def _has(content: Any, key: str) -> bool:
    return isinstance(content, Mapping) and isinstance(content.get(key), Mapping)


def _tensor(path: Path, key: Any, value: Any) -> Tensor:
    if isinstance(value, Stored):
        array = value.array
        value = torch.from_numpy(
            np.array(array, array.dtype.newbyteorder("="), copy=None if array.flags.writeable else True)
        )
    if not isinstance(key, str) or not isinstance(value, Tensor) or value.layout != torch.strided:
        raise ModelError(f"{path} holds more than weights: {str(key)[:80]} is {_describe(value)}.", _EXPECTED)
    return value.detach()


def _describe(content: Any) -> str:
    if isinstance(content, Mapping):
        keys = [str(key)[:40] for key in list(content)[:3]]
        return f"a dict with {', '.join(keys)}, ..." if keys else "an empty dict"
    return f"of type {type(content).__name__}"


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200].rstrip(".") if lines else type(error).__name__
