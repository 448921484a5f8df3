"""The full-size ViT-Adapter-L computes what the published one computes. Alone in its file: it takes 2 GB."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.fixtures.recorded import recorded
from tests.models.dvis.cases import Watched, load, offline_arrays, online_arrays, pixels, segmenter_arrays, watch
from vsscli.models.dvis.model import Dvis


@pytest.fixture(scope="module")
def large() -> Iterator[tuple[Dvis, Watched]]:
    model = load("vitl")
    with torch.no_grad():
        yield model, watch(model, pixels("clipA"))


def test_segmenter(large: tuple[Dvis, Watched]) -> None:
    recorded("vitl_segmenter_clipA").check(**segmenter_arrays(large[0], pixels("clipA"), large[1]))


def test_online(large: tuple[Dvis, Watched]) -> None:
    recording = recorded("vitl_online_clipA")
    recording.check(**online_arrays(*large))
    np.testing.assert_array_equal(large[1].followed("order"), recording["match_indices"])


def test_offline(large: tuple[Dvis, Watched]) -> None:
    recorded("vitl_offline_clipA").check(**offline_arrays(large[1]))
