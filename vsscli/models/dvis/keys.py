"""Weights from their official names to ours and back, and the order of the classes in them."""

import re
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from vsscli.models.dvis.config import DvisConfig, ResNetBackbone
from vsscli.models.dvis.model import build
from vsscli.models.dvis.names import NOT_NEEDED, names
from vsscli.models.translation import COUNTER, Translation, move_classes, starts, translate_by

_NOT_NEEDED = re.compile("|".join(NOT_NEEDED))

#: Beginnings of the tensors whose rows are classes, "no object" last.
CLASS_HEADS = ("segmenter.mask2former.class_predictor.", "tracker.classes.", "refiner.classes.")


def official_to_ours(config: DvisConfig) -> dict[str, tuple[str, ...]]:
    """The official name of every tensor of a model -> ours: one, or three that take its thirds along the first axis.

    The counters of a ResNet's batch norms have no official name: there these norms are frozen.
    """
    inverse = {
        start: (official, third)
        for official, ours in names(config).items()
        for third, start in enumerate((ours,) if isinstance(ours, str) else ours)
    }
    found: dict[str, dict[int, str]] = {}
    for key in build(config).state_dict():
        if key.endswith(COUNTER) and isinstance(config.backbone, ResNetBackbone):
            continue
        start = max((start for start in starts(key) if start in inverse), key=len)
        official, third = inverse[start]
        found.setdefault(official + key.removeprefix(start), {})[third] = key
    return {official: tuple(ours[third] for third in sorted(ours)) for official, ours in found.items()}


def translate(official: Mapping[str, Tensor], config: DvisConfig) -> Translation:
    """Official weights as `build` (config) takes them: float32, and counters of batch norms as int64.

    Counters may be missing (they are zero then); tensors in `NOT_NEEDED` may be there. Nothing is raised: see
    `Translation`. No two tensors of the result share memory with each other.
    """
    wanted = {key: value.shape for key, value in build(config).state_dict().items()}
    return translate_by(official, official_to_ours(config), wanted, NOT_NEEDED)


def not_needed(official: Iterable[str]) -> list[str]:
    """Those of official names that hold nothing a network uses, sorted; counters of batch norms are not told."""
    return sorted(name for name in official if _NOT_NEEDED.search(name) and not name.endswith(COUNTER))


def untranslate(state_dict: Mapping[str, Tensor], config: DvisConfig) -> dict[str, Tensor]:
    """Our weights in the official names, without the tensors in `NOT_NEEDED` that are no weights of the network."""
    return {
        name: state_dict[ours[0]] if len(ours) == 1 else torch.cat([state_dict[key] for key in ours])
        for name, ours in official_to_ours(config).items()
    }


def permute_classes(
    state_dict: Mapping[str, Tensor], config: DvisConfig, channel_to_id: Sequence[int]
) -> dict[str, Tensor]:
    """The weights with channel c moved to ``channel_to_id[c]`` in every class head; "no object" stays last.

    Raises ValueError where ``channel_to_id`` is no permutation of the model's classes.
    """
    return move_classes(state_dict, CLASS_HEADS, len(config.labels), channel_to_id)
