"""Weights from their official names to ours, strictly, and the order of the classes in them."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

COUNTER = "num_batches_tracked"


class Translation(NamedTuple):
    """Weights in our names, and what was wrong with those given, each a sorted list in the official names.

    ``misshapen`` says the shape that was found and the one that was wanted. Only where the three lists are empty is
    ``state_dict`` all that the model needs.
    """

    state_dict: dict[str, Tensor]
    missing: list[str]
    unused: list[str]
    misshapen: list[str]


def translate_by(
    official: Mapping[str, Tensor],
    table: Mapping[str, tuple[str, ...]],
    wanted: Mapping[str, Sequence[int]],
    not_needed: Collection[str],
) -> Translation:
    """Official weights in our names: float32, and counters of batch norms as int64.

    ``table`` gives for every official name ours: one, or three that take its thirds along the first axis; ``wanted``
    the shape of each of ours. Counters may be missing (they are zero then); names that one of the patterns
    ``not_needed`` is found in may be there. Nothing is raised: see `Translation`. No two tensors of the result share
    memory with each other.
    """
    state = {key: torch.zeros((), dtype=torch.int64) for key in wanted if key.endswith(COUNTER)}
    missing, misshapen = [], []
    for name, ours in table.items():
        if name not in official:
            missing += [] if name.endswith(COUNTER) else [name]
            continue
        shape = torch.Size(wanted[ours[0]])
        whole = torch.Size((len(ours) * shape[0], *shape[1:])) if len(ours) > 1 else shape
        tensor = official[name]
        if tensor.shape != whole:
            misshapen.append(f"{name} {list(tensor.shape)} instead of {list(whole)}")
            continue
        tensor = tensor.detach().to(torch.int64 if name.endswith(COUNTER) else torch.float32)
        thirds = [part.clone() for part in tensor.chunk(3)] if len(ours) > 1 else [tensor.contiguous()]
        state |= dict(zip(ours, thirds, strict=True))
    passed = re.compile("|".join(not_needed))
    unused = [name for name in official if name not in table and not passed.search(name)]
    return Translation(state, sorted(missing), sorted(unused), sorted(misshapen))


def move_classes(
    state_dict: Mapping[str, Tensor], heads: tuple[str, ...], count: int, channel_to_id: Sequence[int]
) -> dict[str, Tensor]:
    """The weights with channel c moved to ``channel_to_id[c]`` in every tensor whose name begins as one of ``heads``.

    "No object", behind the ``count`` classes, stays last. Raises ValueError where ``channel_to_id`` is no permutation
    of them.
    """
    if sorted(channel_to_id) != list(range(count)):
        raise ValueError(f"channel_to_id is no permutation of {count} classes.")
    source = torch.empty(count + 1, dtype=torch.int64)
    source[torch.tensor([*channel_to_id, count])] = torch.arange(count + 1)
    return {key: value[source] if key.startswith(heads) else value for key, value in state_dict.items()}


def starts(key: str) -> list[str]:
    """Every beginning of ``key``, the shortest first."""
    return [key[:end] for end in range(1, len(key) + 1)]
