"""The recorded unit cases: tracker and refiner alone, on queries that change places from frame to frame."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tests.fixtures.formula import draw, uniform
from tests.fixtures.recorded import Recording, recorded
from tests.models.dvis.cases import OFFLINE

FRAMES = 5
FAMILY = {"unit_tiny": "tiny", "unit_full": "r50"}


@dataclass(frozen=True)
class Frame:
    """What the tracker reads of a frame."""

    normed: Tensor
    raw: Tensor


@dataclass(frozen=True)
class Unit:
    """A unit case: ``frames``, ``mask_features`` [5, C, 12, 20], and what was recorded."""

    frames: list[Frame]
    mask_features: Tensor
    recording: Recording


def unit(name: str) -> Unit:
    """``unit_tiny`` or ``unit_full``; the inputs are checked against those recorded."""
    config, recording = OFFLINE[FAMILY[name]], recorded(name)
    queries, width = config.queries, config.width
    base = uniform("public", f"{name}/base", (2 * width, queries), -1.7, 1.7)
    frames, perms = [], []
    for t in range(FRAMES):
        perms.append(np.argsort(draw("public", f"{name}/perm{t}", queries), kind="stable"))
        noise = uniform("public", f"{name}/noise{t}", (2 * width, queries), -0.6, 0.6)
        embeds = torch.from_numpy((base + noise)[:, perms[-1]].T.copy())
        frames.append(Frame(embeds, 1.5 * embeds))
    np.testing.assert_array_equal(np.stack(perms), recording["perms"])
    assert recording.error("frame_embeds", torch.stack([frame.normed for frame in frames])) < 1e-6
    features = uniform("public", f"{name}/mask_features", (1, FRAMES, width, 12, 20), -0.8, 0.8)
    return Unit(frames, torch.from_numpy(features[0]), recording)
