"""From a model folder to a VidEoMT, PMT or LVMT network on its device."""

from pathlib import Path

import torch

from vsscli.models.dvis.load import read_weights
from vsscli.models.preprocess import Preprocess
from vsscli.models.source import read_config
from vsscli.models.vmt.config import from_json
from vsscli.models.vmt.model import build
from vsscli.models.vmt.video import VmtNetwork


def load_vmt(folder: Path, source: str, preprocess: Preprocess, device: torch.device, dtype: torch.dtype) -> VmtNetwork:
    """The network in a model folder that a conversion wrote; ``source`` is what the user called it.

    Raises ModelError where its configuration makes no sense, or where a weight is missing, unused, misshapen or cannot
    be read.
    """
    config = from_json(read_config(folder), str(folder / "config.json"))
    model = build(config)
    read_weights(model, folder, source, config.title)
    model.requires_grad_(False)
    return VmtNetwork(model.to(device), preprocess, device, dtype)
