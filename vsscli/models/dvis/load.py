"""From a model folder to a DVIS++ network on its device."""

from pathlib import Path

import torch
from torch import Tensor, nn

from vsscli.errors import ModelError
from vsscli.models.dvis.config import from_json
from vsscli.models.dvis.model import Dvis, build
from vsscli.models.dvis.video import OfflineNetwork, OnlineNetwork, SegmenterNetwork
from vsscli.models.network import Network, VideoNetwork
from vsscli.models.preprocess import Preprocess
from vsscli.models.source import read_config
from vsscli.models.strict import load_weights, require_same_weights

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_COUNTS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def load_dvis(
    folder: Path, source: str, preprocess: Preprocess, device: torch.device, dtype: torch.dtype
) -> Network | VideoNetwork:
    """The network in a model folder that a conversion wrote; ``source`` is what the user called it.

    Raises ModelError where its configuration makes no sense, or where a weight is missing, unused, misshapen or cannot
    be read.
    """
    config = from_json(read_config(folder), str(folder / "config.json"))
    model = build(config)
    read_weights(model, folder, source, f"DVIS++ {config.kind}")
    model.requires_grad_(False)
    return network_of(model.to(device), preprocess, device, dtype)


def network_of(
    model: Dvis, preprocess: Preprocess, device: torch.device, dtype: torch.dtype
) -> SegmenterNetwork | OnlineNetwork:
    """The network for inference around a model that is on its device already."""
    parts = model, preprocess, device, dtype
    if model.config.kind == "segmenter":
        return SegmenterNetwork(*parts)
    return OnlineNetwork(*parts) if model.config.kind == "online" else OfflineNetwork(*parts)


def read_weights(model: nn.Module, folder: Path, source: str, what: str) -> None:
    """Gives a module made on the meta device the weights in ``folder``; ``what`` it is and ``source`` are for errors.

    Raises ModelError where a weight is missing, unused, misshapen or cannot be read.
    """
    weights = load_weights(folder, source)
    wanted = model.state_dict()
    require_same_weights(
        source,
        what,
        missing=set(wanted) - set(weights),
        unused=set(weights) - set(wanted),
        misshapen=[
            (key, list(value.shape), list(wanted[key].shape))
            for key, value in weights.items()
            if key in wanted and value.shape != wanted[key].shape
        ],
    )
    model.load_state_dict(_as_wanted(weights, {key: value.dtype for key, value in wanted.items()}, source), assign=True)


def _as_wanted(weights: dict[str, Tensor], dtypes: dict[str, torch.dtype], source: str) -> dict[str, Tensor]:
    """Floating-point weights in float32, counters in int64; ModelError naming those of another kind."""
    wrong = [
        f"{key} is of type {str(value.dtype).removeprefix('torch.')}"
        for key, value in sorted(weights.items())
        if key in dtypes and value.dtype not in (_FLOATS if dtypes[key].is_floating_point else _COUNTS)
    ]
    if wrong:
        more = f" and {len(wrong) - 20} more" if len(wrong) > 20 else ""
        raise ModelError(
            f"{source}: {len(wrong)} of the weights are no numbers that the network takes: "
            f"{', '.join(wrong[:20])}{more}.",
            "Convert the checkpoint again: vsscli convert writes float32.",
        )
    return {key: value.to(dtypes[key]) for key, value in weights.items() if key in dtypes}
