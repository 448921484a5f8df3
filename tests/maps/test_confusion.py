"""Pairs of labels, against counting one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsscli.maps.confusion import PairCounter

ANY = np.ones(256, bool)
Maps = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@st.composite
def pair(draw: st.DrawFn) -> Maps:
    """Truth and prediction of one size: noise, runs of all lengths, or constants; few values or all."""
    shape = draw(st.tuples(st.integers(1, 13), st.integers(1, 70)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    highest = draw(st.sampled_from([0, 1, 3, 255]))
    maps = []
    for _ in range(2):
        values = random.integers(0, highest, shape[0] * shape[1], endpoint=True)
        keep = random.random(values.size) < draw(st.sampled_from([0.0, 0.5, 0.95, 1.0]))
        keep[0] = False
        start = np.maximum.accumulate(np.where(keep, 0, np.arange(values.size)))
        maps.append(values[start].astype(np.uint8).reshape(shape))
    return maps[0], maps[1]


def one_by_one(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.int64]:
    pairs = np.zeros((256, 256), np.int64)
    np.add.at(pairs, (truth.ravel(), prediction.ravel()), 1)
    return pairs


@settings(max_examples=400, deadline=None)
@given(st.lists(pair(), min_size=1, max_size=3))
def test_counts_every_pair_over_frames(frames: list[Maps]) -> None:
    counter = PairCounter(ANY)
    assert [counter.add(*frame) for frame in frames] == [None] * len(frames)
    assert np.array_equal(counter.pairs, sum(one_by_one(*frame) for frame in frames))


@settings(max_examples=300, deadline=None)
@given(pair(), st.sets(st.integers(0, 255), max_size=255))
def test_finds_a_value_that_is_not_allowed(frame: Maps, forbidden: set[int]) -> None:
    allowed = ANY.copy()
    allowed[list(forbidden)] = False
    bad = set(np.unique(frame[1]).tolist()) & forbidden
    found = PairCounter(allowed).add(*frame)
    assert found in bad if bad else found is None


@pytest.mark.parametrize("size", [1, 7, 8, 9, 15, 16, 17])
@pytest.mark.parametrize("where", [0, -1])
def test_one_wrong_pixel_at_either_end(size: int, where: int) -> None:
    truth, prediction = np.zeros((1, size), np.uint8), np.zeros((1, size), np.uint8)
    prediction[0, where] = 200
    allowed = np.arange(256) < 124
    assert PairCounter(allowed).add(truth, prediction) == 200
    assert PairCounter(allowed).add(prediction, truth) is None, "the truth may hold anything"


def test_any_memory_layout() -> None:
    truth = np.arange(60, dtype=np.uint8).reshape(6, 10)
    frame = truth.T[::-1], np.ascontiguousarray(truth.T[::-1])
    frozen = frame[1].copy()
    frozen.flags.writeable = False
    counter = PairCounter(ANY)
    counter.add(frame[0], frozen)
    assert np.array_equal(counter.pairs[:60, :60], np.eye(60))
    assert frame[1].flags.writeable, "the caller's arrays stay as they are"


def test_sizes_and_empty_frames() -> None:
    counter = PairCounter(ANY)
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\)"):
        counter.add(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))
    assert counter.add(np.zeros((0, 3), np.uint8), np.zeros((0, 3), np.uint8)) is None
    assert not counter.pairs.any()
