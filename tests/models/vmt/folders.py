"""VidEoMT, PMT and LVMT model folders, made without a conversion: with the weights of the formula, or at random."""

from pathlib import Path

import torch

from tests.fixtures.recorded import class_order
from tests.models.folders import draw_weights, save
from tests.models.vmt.cases import config_of, small
from vsscli.data.classes import vspw_classes
from vsscli.models.vmt.config import EncoderConfig, VmtConfig, to_json
from vsscli.models.vmt.keys import permute_classes
from vsscli.models.vmt.model import Vmt


def write_recorded(folder: Path, arch: str, *, ordered: bool = True) -> Path:
    """The recorded small model ``arch``, its classes in VSPW's order unless ``ordered`` is False."""
    config, state = config_of(arch), dict(small(arch).state_dict())
    return save(folder, to_json(config), permute_classes(state, config, class_order()) if ordered else state)


def write_random(folder: Path, kind: str, *, encoder: str = "dinov2", dim: int = 32, queries: int = 10) -> Path:
    """As small as can be, its weights seeded."""
    levels = None if kind == "videomt" else 2
    vit = EncoderConfig(encoder, dim, 2, 2, 4, 4 if encoder == "dinov2" else None)
    config = VmtConfig(kind, vit, vspw_classes().names, queries, 1, levels)
    torch.manual_seed(0)
    model = Vmt(config)
    draw_weights(model)
    return save(folder, to_json(config), model.state_dict())
