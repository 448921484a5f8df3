"""Weights from their official names to ours and back, and the order of the classes in them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vsscli.models.dvis.config import DvisConfig, ResNetBackbone
from vsscli.models.dvis.model import build
from vsscli.models.dvis.names import NOT_NEEDED, Names, names

_NOT_NEEDED = re.compile("|".join(NOT_NEEDED))
_COUNTER = "num_batches_tracked"

#: Beginnings of the tensors whose rows are classes, "no object" last.
CLASS_HEADS = ("segmenter.mask2former.class_predictor.", "tracker.classes.", "refiner.classes.")


class Translation(NamedTuple):
    """Weights in our names, and what was wrong with those given, each a sorted list in the official names.

    ``misshapen`` says the shape that was found and the one that was wanted. Only where the three lists are empty is
    ``state_dict`` all that the model needs.
    """

    state_dict: dict[str, Tensor]
    missing: list[str]
    unused: list[str]
    misshapen: list[str]


def official_to_ours(config: DvisConfig) -> dict[str, tuple[str, ...]]:
    """The official name of every tensor of a model -> ours (`invert`).

    The counters of a ResNet's batch norms have no official name: there these norms are frozen.
    """
    frozen = isinstance(config.backbone, ResNetBackbone)
    return invert(names(config), [key for key in build(config).state_dict() if not (frozen and key.endswith(_COUNTER))])


def invert(table: Names, keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The official name of each of our ``keys`` -> ours: one, or three that take its thirds along the first axis."""
    inverse = {
        start: (official, third)
        for official, ours in table.items()
        for third, start in enumerate((ours,) if isinstance(ours, str) else ours)
    }
    found: dict[str, dict[int, str]] = {}
    for key in keys:
        start = max((start for start in _starts(key) if start in inverse), key=len)
        official, third = inverse[start]
        found.setdefault(official + key.removeprefix(start), {})[third] = key
    return {official: tuple(ours[third] for third in sorted(ours)) for official, ours in found.items()}


def translate(official: Mapping[str, Tensor], config: DvisConfig) -> Translation:
    """Official weights as `build` (config) takes them: float32, and counters of batch norms as int64.

    Counters may be missing (they are zero then); tensors in `NOT_NEEDED` may be there. Nothing is raised: see
    `Translation`. No two tensors of the result share memory with each other.
    """
    wanted = {key: value.shape for key, value in build(config).state_dict().items()}
    return fit(official, official_to_ours(config), wanted)


def fit(
    official: Mapping[str, Tensor], table: Mapping[str, tuple[str, ...]], wanted: Mapping[str, torch.Size]
) -> Translation:
    """`translate` by a table (`official_to_ours`) and the shapes that are wanted, by our names."""
    state = {key: torch.zeros((), dtype=torch.int64) for key in wanted if key.endswith(_COUNTER)}
    missing, misshapen = [], []
    for name, ours in table.items():
        if name not in official:
            missing += [] if name.endswith(_COUNTER) else [name]
            continue
        shape = torch.Size(wanted[ours[0]])
        whole = torch.Size((len(ours) * shape[0], *shape[1:])) if len(ours) > 1 else shape
        tensor = official[name]
        if tensor.shape != whole:
            misshapen.append(f"{name} {list(tensor.shape)} instead of {list(whole)}")
            continue
        tensor = tensor.detach().to(torch.int64 if name.endswith(_COUNTER) else torch.float32)
        thirds = [part.clone() for part in tensor.chunk(3)] if len(ours) > 1 else [tensor.contiguous()]
        state |= dict(zip(ours, thirds, strict=True))
    unused = [name for name in official if name not in table and not _NOT_NEEDED.search(name)]
    return Translation(state, sorted(missing), sorted(unused), sorted(misshapen))


def not_needed(official: Iterable[str]) -> list[str]:
    """Those of official names that hold nothing a network uses, sorted; counters of batch norms are not told."""
    return sorted(name for name in official if _NOT_NEEDED.search(name) and not name.endswith(_COUNTER))


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
    count = len(config.labels)
    if sorted(channel_to_id) != list(range(count)):
        raise ValueError(f"channel_to_id is no permutation of {count} classes.")
    source = torch.empty(count + 1, dtype=torch.int64)
    source[torch.tensor([*channel_to_id, count])] = torch.arange(count + 1)
    return {key: value[source] if key.startswith(CLASS_HEADS) else value for key, value in state_dict.items()}


def _starts(key: str) -> list[str]:
    return [key[:end] for end in range(1, len(key) + 1)]
