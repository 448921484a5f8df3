"""From a checkpoint that was read and identified to the files of a model folder, or to all that is wrong with it."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vsscli import __version__
from vsscli.errors import ModelError
from vsscli.models.convert.class_order import class_order
from vsscli.models.convert.identify import Found
from vsscli.models.convert.reading import Checkpoint
from vsscli.models.convert.write import ModelFolder
from vsscli.models.dvis import config as dvis
from vsscli.models.dvis import keys as dvis_keys
from vsscli.models.mpvss import config as mpvss
from vsscli.models.mpvss import keys as mpvss_keys
from vsscli.models.preprocess import IMAGENET_MEAN, IMAGENET_STD
from vsscli.models.vmt import config as vmt
from vsscli.models.vmt import keys as vmt_keys

Config = dvis.DvisConfig | vmt.VmtConfig

_SHOWN = 40  # names of a list
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_COUNTS = (*_FLOATS, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


@dataclass(frozen=True)
class Misfit:
    """Why a checkpoint is not the model it comes closest to: official names, each list in their order.

    ``misshapen`` and ``unsound`` (no finite numbers of float32) say what is the matter behind the name.
    """

    closest: str
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    misshapen: tuple[str, ...]
    unsound: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What is in the lists, a line each, of long lists the beginning."""
        for head, names in self._lists():
            yield f"{head} ({len(names)}):"
            yield from (f"  {name}" for name in names[:_SHOWN])
            if len(names) > _SHOWN:
                yield f"  and {len(names) - _SHOWN:,} more"

    def error(self, path: Path) -> ModelError:
        """The sentence that sums it up."""
        counts = ", ".join(f"{len(names)} {head}" for head, names in self._lists())
        return ModelError(
            f"{path} is not converted: its weights come closest to {self.closest}, but {counts}.",
            "Give a whole checkpoint of the official code; `vsscli models` lists the published ones.",
        )

    def _lists(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for head in ("missing", "unused", "misshapen", "unsound"):
            if getattr(self, head):
                yield head, getattr(self, head)


def convert(checkpoint: Checkpoint, found: Found) -> ModelFolder | Misfit:
    """The model folder of a checkpoint, with its classes in the order that ``found`` says; or what does not fit.

    Every weight must be there, used and of the right shape. Reads the whole file, to record its SHA-256.
    """
    flaws = {name: flaw for name, tensor in checkpoint.tensors.items() if (flaw := _flaw(name, tensor))}
    unsound = tuple(f"{name} {flaw}" for name, flaw in flaws.items())
    # Of what is unsound the shape is compared all the same.
    sound = {
        name: torch.empty(t.shape, device="meta") if name in flaws else t for name, t in checkpoint.tensors.items()
    }
    translation = _translate(sound, found)
    missing, unused, misshapen = map(tuple, translation[1:])
    if missing or unused or misshapen or unsound:
        return Misfit(_closest(found), missing, unused, misshapen, unsound)
    state = translation.state_dict
    if found.settings.class_order == "dvis":
        state = _in_vspw_order(state, found.config)
    return ModelFolder(configuration(checkpoint, found), _preprocess(found), state)


def configuration(checkpoint: Checkpoint, found: Found) -> dict[str, Any]:
    """``config.json`` of the model folder that `convert` makes. Reads the whole file, to record its SHA-256."""
    with checkpoint.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    converted = {
        "from": checkpoint.path.name,
        "sha256": digest,
        "class_order": str(found.settings.class_order),
        "by": f"vsscli {__version__}",
    }
    if isinstance(found.config, vmt.VmtConfig):
        return vmt.to_json(replace(found.config, converted=converted))
    config = replace(found.config, converted=converted)
    return dvis.to_json(config) if found.motion is None else mpvss.to_json(mpvss.MpvssConfig(config, found.motion))


def unneeded(names: Iterable[str], config: Config) -> list[str]:
    """Those of a checkpoint's names that hold nothing the network uses, sorted."""
    return vmt_keys.not_needed(names) if isinstance(config, vmt.VmtConfig) else dvis_keys.not_needed(names)


def _translate(official: Mapping[str, Tensor], found: Found) -> dvis_keys.Translation:
    if isinstance(found.config, vmt.VmtConfig):
        return vmt_keys.translate(official, found.config)
    if found.motion is not None:
        return mpvss_keys.translate(official, mpvss.MpvssConfig(found.config, found.motion))
    return dvis_keys.translate(official, found.config)


def _in_vspw_order(state: Mapping[str, Tensor], config: Config) -> dict[str, Tensor]:
    if isinstance(config, vmt.VmtConfig):
        return vmt_keys.permute_classes(state, config, class_order())
    return dvis_keys.permute_classes(state, config, class_order())


def _flaw(name: str, tensor: Tensor) -> str:
    """Why a tensor cannot be written as float32, or an int64 counter; empty when it can. Indices are not written."""
    if name.endswith("relative_position_index"):
        return ""
    if tensor.is_meta:
        return "has a shape only, and no numbers (it was saved from the meta device)"
    counter = name.endswith("num_batches_tracked")
    if tensor.dtype not in (_COUNTS if counter else _FLOATS):
        return f"is of type {str(tensor.dtype).removeprefix('torch.')}"
    if not bool(torch.isfinite(tensor).all()):
        return "holds numbers that are not finite"
    if not counter and not bool(torch.isfinite(tensor.to(torch.float32)).all()):
        return "holds numbers that are too large for float32"
    if name.endswith("running_var") and bool((tensor < 0).any()):
        return "holds negative variances"
    return ""


def _preprocess(found: Found) -> dict[str, Any]:
    return {
        "do_resize": True,
        "size": {"shortest_edge": found.settings.short, "longest_edge": found.settings.cap},
        "do_rescale": False,  # mean and deviation are on the scale 0..255: as the official code has them, to the bit
        "do_normalize": True,
        "image_mean": list(IMAGENET_MEAN),
        "image_std": list(IMAGENET_STD),
    }


def _closest(found: Found) -> str:
    config = found.config
    if isinstance(config, vmt.VmtConfig):
        article = "an" if config.kind == "lvmt" else "a"
        return f"{article} {config.title} with a {config.encoder.title} encoder"
    backbone = {"resnet": "a ResNet", "swin": "a Swin", "vit_adapter": "a ViT-Adapter"}[config.backbone.type]
    if found.motion is not None:
        return f"an MPVSS model with {backbone}"
    if config.kind == "segmenter":
        return f"a {'CTVIS' if config.reid else 'MinVIS'} segmenter with {backbone}"
    return f"an {config.kind} DVIS++ with {backbone}"
