"""Model folders of our own families, made without a conversion."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file


def save(folder: Path, entries: Mapping[str, Any], state: Mapping[str, torch.Tensor]) -> Path:
    """``entries`` as ``config.json`` and ``state`` as weights; no ``preprocessor_config.json``."""
    folder.mkdir(parents=True)
    save_file({key: value.contiguous() for key, value in state.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(entries))
    return folder


def draw_weights(model: torch.nn.Module) -> None:
    """Weights from the seed that is set, larger than a fresh network's: its maps hold one class."""
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, 0, 2 / parameter[0].numel() ** 0.5)
