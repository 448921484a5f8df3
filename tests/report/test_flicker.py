"""Flicker against its definition."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsscli.report.flicker import Flicker


@given(st.lists(st.one_of(st.none(), st.integers(0, 2**32 - 1)), min_size=1, max_size=8))
def test_shares_and_map_are_what_they_say(seeds: list[int | None]) -> None:
    """Any frames may be missing: no pair with one of them counts."""
    maps = [None if seed is None else np.random.default_rng(seed).integers(0, 3, (5, 4), np.uint8) for seed in seeds]
    flicker = Flicker()
    for labels in maps:
        flicker.add(labels)
    pairs = [None if a is None or b is None else a != b for a, b in pairwise(maps)]
    assert flicker.shares == [None if pair is None else pair.mean() for pair in pairs]
    known = [pair for pair in pairs if pair is not None]
    if not known:
        assert flicker.map is None and flicker.mean is None
        return
    assert flicker.map is not None
    np.testing.assert_allclose(flicker.map, np.mean(known, axis=0), atol=1e-6)
    assert flicker.mean == pytest.approx(np.mean(known))


def test_what_stands_still_does_not_flicker() -> None:
    flicker = Flicker()
    for _ in range(4):
        flicker.add(np.full((3, 3), 7, np.uint8))
    assert flicker.shares == [0, 0, 0] and flicker.map is not None and not flicker.map.any()


def test_a_change_of_size_is_a_gap() -> None:
    flicker = Flicker()
    for size in (3, 4, 4):
        flicker.add(np.zeros((size, size), np.uint8))
    assert flicker.shares == [None, 0.0]
