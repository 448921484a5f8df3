"""Weights from their official names to ours and back, and the order of the classes in them."""

import re
from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

from vsscli.models.dvis.keys import Translation, fit, invert, move_rows
from vsscli.models.vmt.config import VmtConfig
from vsscli.models.vmt.model import build
from vsscli.models.vmt.names import NOT_NEEDED, names

_NOT_NEEDED = re.compile("|".join(NOT_NEEDED))
_COUNTER = "num_batches_tracked"

#: Beginnings of the tensors whose rows are classes, "no object" last.
CLASS_HEADS = ("classes.",)


def official_to_ours(config: VmtConfig) -> dict[str, tuple[str, ...]]:
    """The official name of every tensor of a model -> ours."""
    return invert({**names(config)}, build(config).state_dict())


def translate(official: Mapping[str, Tensor], config: VmtConfig) -> Translation:
    """Official weights as `build` (config) takes them, as `vsscli.models.dvis.keys.translate` says."""
    wanted = {key: value.shape for key, value in build(config).state_dict().items()}
    return fit(official, official_to_ours(config), wanted, _NOT_NEEDED)


def not_needed(official: Iterable[str]) -> list[str]:
    """Those of official names that hold nothing a network uses, sorted; counters of batch norms are not told."""
    return sorted(name for name in official if _NOT_NEEDED.search(name) and not name.endswith(_COUNTER))


def untranslate(state_dict: Mapping[str, Tensor], config: VmtConfig) -> dict[str, Tensor]:
    """Our weights in the official names, without the tensors in `NOT_NEEDED` that are no weights of the network."""
    return {name: state_dict[key] for name, (key,) in official_to_ours(config).items()}


def permute_classes(
    state_dict: Mapping[str, Tensor], config: VmtConfig, channel_to_id: Sequence[int]
) -> dict[str, Tensor]:
    """The weights with channel c moved to ``channel_to_id[c]`` in the class head; "no object" stays last.

    Raises ValueError where ``channel_to_id`` is no permutation of the model's classes.
    """
    return move_rows(state_dict, CLASS_HEADS, len(config.labels), channel_to_id)
