"""From a frame to what a network takes."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vsscli.errors import ModelError
from vsscli.maps.geometry import padded_size
from vsscli.models.source import PREPROCESSORS, read_json

Triple = tuple[float, float, float]

IMAGENET_MEAN: Triple = (123.675, 116.28, 103.53)
IMAGENET_STD: Triple = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Preprocess:
    """How frames become input.

    ``short`` is the short side in pixels (None: the frame's own size), ``cap`` the largest long side (None: no cap).
    ``mean`` and ``std`` are RGB on the scale 0..255. Normalised frames are padded with zeros on the right and at the
    bottom to multiples of ``divisor``. ``resample`` is Pillow's number of the filter.
    """

    short: int | None
    cap: int | None
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD
    divisor: int = 1
    resample: int = Image.Resampling.BILINEAR.value


def preprocess_fault(preprocess: Preprocess) -> str | None:
    """What makes no sense in it; None where all does."""
    short, cap, divisor = preprocess.short, preprocess.cap, preprocess.divisor
    for name, value in (("short", short), ("cap", cap), ("divisor", divisor)):
        if (value is not None or name == "divisor") and (type(value) is not int or value < 1):
            return f"{name} {value!r} is no number of pixels"
    if short is not None and cap is not None and cap < short:
        return f"the long side, at most {cap}, is below the short side, {short}"
    for name, triple in (("mean", preprocess.mean), ("std", preprocess.std)):
        if not isinstance(triple, tuple | list) or len(triple) != 3 or not all(map(_is_finite, triple)):
            return f"{name} {triple!r} is not one number per colour"
    if min(preprocess.std) <= 0:
        return f"std {preprocess.std!r} is not positive"
    if preprocess.resample not in list(Image.Resampling):
        return f"resample {preprocess.resample!r} is none of Pillow's filters"
    return None


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def prepare(image: NDArray[np.uint8], size: tuple[int, int], preprocess: Preprocess) -> Tensor:
    """A frame, RGB ``uint8 [H, W, 3]``, as float32 [3, H', W']: resized to ``size``, normalised, padded.

    The resizing is Pillow's, on 8-bit values, as detectron2 does it.
    """
    height, width = size
    if image.shape[:2] != size:
        image = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling(preprocess.resample)))
    padded = torch.zeros(3, *padded_size(height, width, preprocess.divisor))
    mean, std = (torch.tensor(triple)[:, None, None] for triple in (preprocess.mean, preprocess.std))
    padded[:, :height, :width] = (torch.from_numpy(np.array(image)).permute(2, 0, 1) - mean) / std
    return padded


def restore(pixels: Tensor, preprocess: Preprocess) -> Tensor:
    """The values 0..255 that `prepare` made ``pixels`` [..., 3, H, W] of: whole numbers, exactly, in float32.

    Where it padded, numbers that mean nothing.
    """
    mean, std = (pixels.new_tensor(triple)[:, None, None] for triple in (preprocess.mean, preprocess.std))
    return (pixels * std + mean).round()


def read_preprocess(folder: Path, default: Preprocess) -> Preprocess:
    """What a model folder's ``preprocessor_config.json`` says, over what its family does by ``default``.

    ``shortest_edge`` and ``longest_edge`` are the short side and the cap. A fixed ``height`` and ``width``, to which
    ``transformers`` would stretch the frame, is read as its authors evaluate such models: the shorter of the two is the
    short side, the aspect ratio stays, and the cap is four times that. Padding is the family's. Raises ModelError
    naming the file and the entry that makes no sense.
    """
    for name in PREPROCESSORS:
        path = folder / name
        if path.exists():
            entries = read_json(path)
            entries = entries.get("image_processor", entries)
            if not isinstance(entries, dict):
                raise ModelError(f"{path}: image_processor is no JSON object.", "Correct the file.")
            try:
                return _read(entries, default)
            except (TypeError, ValueError, AttributeError) as error:
                raise ModelError(f"{path}: {error}.", "Correct the file.") from None
    return default


def _read(entries: dict[str, Any], default: Preprocess) -> Preprocess:
    short, cap = _sides(entries, default)
    if short is not None and cap is not None and cap < short:
        raise ValueError(f"the long side, at most {cap}, is below the short side, {short}")
    factor = float(entries.get("rescale_factor") or 1 / 255) if entries.get("do_rescale", True) else 1.0
    found = replace(default, short=short, cap=cap)
    if not entries.get("do_normalize", True):
        found = replace(found, mean=(0.0, 0.0, 0.0), std=(1 / factor,) * 3)
    else:
        if entries.get("image_mean") is not None:
            found = replace(found, mean=_triple(entries["image_mean"], factor, "image_mean"))
        if entries.get("image_std") is not None:
            found = replace(found, std=_triple(entries["image_std"], factor, "image_std"))
    if not all(0 <= value <= 255 for value in found.mean):
        scale = "0..1" if entries.get("do_rescale", True) else "0..255"
        raise ValueError(
            f"image_mean {entries.get('image_mean')} is no colour on the scale {scale} that do_rescale sets"
        )
    if min(found.std) <= 0:
        raise ValueError(f"image_std {entries.get('image_std')} is not positive")
    if entries.get("resample") is not None:
        found = replace(found, resample=Image.Resampling(entries["resample"]).value)
    return found


def _sides(entries: dict[str, Any], default: Preprocess) -> tuple[int | None, int | None]:
    size = entries.get("size")
    if not entries.get("do_resize", True):
        return None, None
    if size is None:
        return default.short, default.cap
    if isinstance(size, int):
        size = {"shortest_edge": size, "longest_edge": entries.get("max_size") or 4 * size}
    if not isinstance(size, dict):
        raise ValueError(f"size {size!r} is neither a number nor an object")
    size = {key: int(value) for key, value in size.items() if value is not None}
    if any(value < 1 for value in size.values()):
        raise ValueError(f"size {size} is not positive")
    if "shortest_edge" in size:
        return size["shortest_edge"], size.get("longest_edge")
    if {"height", "width"} <= set(size):
        return min(size["height"], size["width"]), 4 * min(size["height"], size["width"])
    raise ValueError(f"size {size} names neither shortest_edge nor height and width")


def _triple(value: Any, factor: float, name: str) -> Triple:
    numbers = [float(v) / factor for v in (value if isinstance(value, list) else [value] * 3)]
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} {value} is not one number per colour")
    return numbers[0], numbers[1], numbers[2]
