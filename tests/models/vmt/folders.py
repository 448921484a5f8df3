"""VidEoMT, PMT and LVMT model folders, made without a conversion: with the weights of the formula, or at random."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests.fixtures.recorded import class_order
from tests.models.vmt.cases import config_of, small
from vsscli.data.classes import vspw_classes
from vsscli.models.vmt.config import EncoderConfig, VmtConfig, to_json
from vsscli.models.vmt.keys import permute_classes
from vsscli.models.vmt.model import Vmt


def write_recorded(folder: Path, arch: str, *, ordered: bool = True) -> Path:
    """The recorded small model ``arch``, its classes in VSPW's order unless ``ordered`` is False."""
    config, state = config_of(arch), dict(small(arch).state_dict())
    return _save(folder, config, permute_classes(state, config, class_order()) if ordered else state)


def write_random(folder: Path, kind: str, *, encoder: str = "dinov2", dim: int = 32, queries: int = 10) -> Path:
    """As small as can be, its weights seeded."""
    levels = None if kind == "videomt" else 2
    vit = EncoderConfig(encoder, dim, 2, 2, 4, 4 if encoder == "dinov2" else None)
    config = VmtConfig(kind, vit, vspw_classes().names, queries, 1, levels)
    torch.manual_seed(0)
    model = Vmt(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:  # else the maps of a fresh network hold one class
            torch.nn.init.normal_(parameter, 0, 2 / parameter[0].numel() ** 0.5)
    return _save(folder, config, model.state_dict())


def _save(folder: Path, config: VmtConfig, state: dict[str, torch.Tensor]) -> Path:
    folder.mkdir(parents=True)
    save_file({key: value.contiguous() for key, value in state.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(to_json(config)))
    return folder
