"""Model folders: ``config.json``, ``preprocessor_config.json`` and ``model.safetensors``."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vsscli.models.source import WEIGHTS

_DTYPES = {torch.float32: "F32", torch.int64: "I64"}


@dataclass(frozen=True)
class ModelFolder:
    """What goes into a model folder; ``tensors`` are float32 or int64, contiguous or not."""

    config: Mapping[str, Any]
    preprocess: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    @property
    def size(self) -> int:
        """Bytes of the weights."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self.tensors.values())


def write_folder(folder: Path, model: ModelFolder) -> None:
    """Writes the three files into ``folder``, which exists. One tensor at a time is in memory twice. Raises OSError."""
    for name, parts in _files(model):
        with (folder / name).open("wb") as file:
            for part in parts:
                file.write(part)


def first_difference(folder: Path, model: ModelFolder) -> str | None:
    """What of ``folder`` differs from ``model``: an entry of the configuration, or a file; None when all is equal.

    Raises OSError.
    """
    difference = config_difference(folder, model.config)
    if difference:
        return difference
    for name, parts in _files(model):
        if not (folder / name).is_file():
            return f"{name} is missing"
        with (folder / name).open("rb") as file:
            if any(file.read(len(part)) != part for part in parts) or file.read(1):
                return f"{name} holds something else"
    extra = sorted({path.name for path in folder.iterdir()} - {name for name, _ in _files(model)})
    return f"it also holds {', '.join(extra)}" if extra else None


def config_difference(folder: Path, config: Mapping[str, Any]) -> str | None:
    """The first entry in which ``folder``'s configuration differs from ``config``; None: none. Raises OSError."""
    there = _read_config(folder / "config.json")
    for name in (*config, *there):
        mine, other = _plain(config.get(name)), there.get(name)
        if isinstance(mine, dict) and isinstance(other, dict) and name not in ("id2label",):
            for inner in (*mine, *other):
                if mine.get(inner) != other.get(inner):
                    return f"{name}.{inner} is {other.get(inner)!r}, not {mine.get(inner)!r}"
        elif mine != other:
            return f"{name} is {_short(other)}, not {_short(mine)}"
    return None


def _files(model: ModelFolder) -> Iterator[tuple[str, Iterator[bytes | memoryview]]]:
    for name, entries in (("config.json", model.config), ("preprocessor_config.json", model.preprocess)):
        yield name, iter([json.dumps(entries, indent=1, ensure_ascii=False).encode() + b"\n"])
    yield WEIGHTS, safetensors_parts(model.tensors)


def safetensors_parts(tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    """The bytes of a safetensors file of float32 and int64 tensors on the CPU, part by part.

    The length of its header, the header, the tensors, in the order of their names.
    The format: https://huggingface.co/docs/safetensors/index
    """
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        end = offset + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": _DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for name in sorted(tensors):
        yield tensors[name].detach().reshape(-1).numpy().view(np.uint8).data


def _read_config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(entry: Any) -> Any:
    """As JSON gives it back: lists instead of tuples."""
    return json.loads(json.dumps(entry))


def _short(entry: Any) -> str:
    text = json.dumps(entry, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
