"""Weights fit their network, or the command ends."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsscli.errors import ModelError
from vsscli.models.source import weight_files

if TYPE_CHECKING:
    from torch import Tensor

#: Entries that hold nothing learned: counters, indices that the model computes, and the weights of a loss.
_NOTHING_LEARNED = re.compile(
    r"(^|\.)(num_batches_tracked|relative_position_index|relative_coords_table|position_ids|attn_mask"
    r"|criterion\.empty_weight|criterion\.logit_scale)$"
)


def load_weights(folder: Path, source: str) -> "dict[str, Tensor]":
    """All weights in ``folder``, which the user called ``source``; ModelError where a file cannot be read."""
    import torch
    from safetensors.torch import load_file

    weights: dict[str, Tensor] = {}
    try:
        for file in weight_files(folder):
            weights |= load_file(file)
    except (torch.OutOfMemoryError, MemoryError, ModelError):
        raise
    except Exception as error:  # a damaged file can break the reader in any way
        raise ModelError(
            f"{source} cannot be loaded: {(str(error).strip() or type(error).__name__).rstrip('.')}.",
            "Its weights may have been cut on the way here: copy the folder again.",
        ) from None
    return weights


def require_same_weights(
    source: str,
    what: str,
    *,
    missing: Collection[str],
    unused: Collection[str],
    misshapen: Collection[tuple[str, Sequence[int], Sequence[int]]],
) -> None:
    """Raises ModelError with the keys, unless nothing learned is missing or unused and all has its shape.

    ``what`` is the model that the configuration describes; ``misshapen`` holds (key, found shape, wanted shape).
    """
    wrong = {
        "missing": _learned(missing),
        "unused": _learned(unused),
        "of another shape": [
            f"{key} {list(found)} instead of {list(wanted)}" for key, found, wanted in sorted(misshapen)
        ],
    }
    said = [f"{len(keys)} {how} ({_some(keys)})" for how, keys in wrong.items() if keys]
    if said:
        raise ModelError(
            f"{source}: the weights are not those of the {what} its config.json describes: {'; '.join(said)}.",
            "Weights and config.json must be of one and the same model with its segmentation head.",
        )


def _learned(keys: Collection[str]) -> list[str]:
    return sorted(key for key in keys if not _NOTHING_LEARNED.search(key))


def _some(keys: list[str], count: int = 20) -> str:
    return ", ".join(keys[:count]) + (f" and {len(keys) - count} more" if len(keys) > count else "")
