"""From a model folder to a DVIS++ network on its device."""

from pathlib import Path

import torch

from vsscli.models.dvis.config import from_json
from vsscli.models.dvis.model import build
from vsscli.models.dvis.video import OfflineNetwork, OnlineNetwork, SegmenterNetwork
from vsscli.models.network import Network, VideoNetwork
from vsscli.models.own import fill
from vsscli.models.preprocess import Preprocess
from vsscli.models.source import read_config


def load_dvis(
    folder: Path, source: str, preprocess: Preprocess, device: torch.device, dtype: torch.dtype
) -> Network | VideoNetwork:
    """The network in a model folder that a conversion wrote; ``source`` is what the user called it.

    Raises ModelError where its configuration makes no sense, or where a weight is missing, unused, misshapen or cannot
    be read.
    """
    config = from_json(read_config(folder), str(folder / "config.json"))
    model = build(config)
    fill(model, folder, source, f"DVIS++ {config.kind}")
    parts = model.to(device), preprocess, device, dtype
    if config.kind == "segmenter":
        return SegmenterNetwork(*parts)
    return OnlineNetwork(*parts) if config.kind == "online" else OfflineNetwork(*parts)
