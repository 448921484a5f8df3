"""DVIS++ model folders, made without a conversion: with the weights of the formula, or tiny and at random."""

from dataclasses import replace
from pathlib import Path

import torch

from tests.fixtures.formula import weights
from tests.fixtures.recorded import class_order, key_list
from tests.models.dvis.cases import config_of
from tests.models.folders import draw_weights, save
from vsscli.data.classes import vspw_classes
from vsscli.models.dvis.config import DvisConfig, HeadConfig, ResNetBackbone, to_json
from vsscli.models.dvis.keys import permute_classes, translate
from vsscli.models.dvis.model import Dvis


def write_recorded(folder: Path, arch: str, *, ordered: bool = True) -> Path:
    """The recorded model ``dvis_<family>_<kind>``, its classes in VSPW's order unless ``ordered`` is False."""
    config = config_of(arch)
    found = translate(weights(key_list(arch), "public"), config).state_dict
    return save(folder, to_json(config), permute_classes(found, config, class_order()) if ordered else found)


def write_random(folder: Path, kind: str, *, queries: int = 10, **more: object) -> Path:
    """As small as can be (about 0.2 s a frame of 720p on one core), its weights seeded."""
    head = HeadConfig(1, 4, 64)
    config = DvisConfig(
        kind,
        ResNetBackbone(8, (16, 16, 32, 32), (1, 1, 1, 1)),
        vspw_classes().names,
        queries=queries,
        width=32,
        heads=4,
        encoder_layers=1,
        encoder_ffn=32,
        decoder_layers=1,
        decoder_ffn=32,
        tracker=None if kind == "segmenter" else head,
        refiner=head if kind == "offline" else None,
    )
    config = replace(config, **more)  # type: ignore[arg-type]
    torch.manual_seed(0)
    model = Dvis(config)
    draw_weights(model)
    return save(folder, to_json(config), model.state_dict())
