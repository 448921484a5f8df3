"""From a model folder to an MPVSS network on its device."""

from pathlib import Path

import torch

from vsscli.models.dvis.load import read_weights
from vsscli.models.mpvss.config import from_json
from vsscli.models.mpvss.model import build
from vsscli.models.mpvss.network import MpvssNetwork
from vsscli.models.preprocess import Preprocess
from vsscli.models.source import read_config


def load_mpvss(
    folder: Path, source: str, preprocess: Preprocess, device: torch.device, dtype: torch.dtype
) -> MpvssNetwork:
    """The network in a model folder that a conversion wrote; ``source`` is what the user called it.

    Raises ModelError where its configuration makes no sense, or where a weight is missing, unused, misshapen or cannot
    be read.
    """
    model = build(from_json(read_config(folder), str(folder / "config.json")))
    read_weights(model, folder, source, "MPVSS model")
    model.requires_grad_(False)
    return MpvssNetwork(model.to(device), preprocess, device, dtype)
