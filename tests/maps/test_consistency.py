"""Windows counted in one pass, against a full scan of each window."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsscli.maps.consistency import LONGEST, WindowCounter

Clip = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@st.composite
def clip(draw: st.DrawFn, longest: int = 24) -> Clip:
    """Truth and prediction of a few frames: pixels that change seldom, often, or never."""
    shape = draw(st.tuples(st.integers(1, longest), st.integers(1, 5), st.integers(1, 23)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    clips = []
    for _ in range(2):
        values = random.integers(0, draw(st.sampled_from([1, 2, 256])), shape)
        stay = random.random(shape) < draw(st.sampled_from([0.0, 0.6, 0.95, 1.0]))
        stay[0] = False
        index = np.arange(shape[0])[:, None, None]
        start = np.maximum.accumulate(np.where(stay, 0, index), axis=0)
        clips.append(np.take_along_axis(values, start, axis=0).astype(np.uint8))
    return clips[0], clips[1]


def scan(truth: NDArray[np.uint8], prediction: NDArray[np.uint8], end: int, n: int) -> tuple[int, int]:
    """(constant in both, constant in the truth) over the ``n`` frames that end with frame ``end``."""
    window = slice(end - n + 1, end + 1)
    held = (truth[window] == truth[end]).all(axis=0)
    both = held & (prediction[window] == prediction[end]).all(axis=0)
    return int(both.sum()), int(held.sum())


def check(truth: NDArray[np.uint8], prediction: NDArray[np.uint8], lengths: Sequence[int]) -> None:
    counter = WindowCounter(lengths)
    for end in range(len(truth)):
        counts = counter.add(truth[end], prediction[end])
        assert counter.frames == end + 1
        for n, row in zip(lengths, counts.tolist(), strict=True):
            assert tuple(row) == (scan(truth, prediction, end, n) if end + 1 >= n else (0, 0))


@settings(max_examples=300, deadline=None)
@given(clip(), st.lists(st.integers(1, 26), min_size=1, max_size=4))
def test_every_window_of_every_length(frames: Clip, lengths: list[int]) -> None:
    check(*frames, lengths)


@settings(max_examples=200, deadline=None)
@given(clip(), st.integers(0, 23), st.integers(1, 9))
def test_no_window_reaches_over_a_gap(frames: Clip, gap: int, n: int) -> None:
    truth, prediction = frames
    gap = min(gap, len(truth))
    counter = WindowCounter([n])
    for i in range(gap):
        counter.add(truth[i], prediction[i])
    counter.clear()
    assert counter.frames == 0
    for i in range(gap, len(truth)):
        row = tuple(counter.add(truth[i], prediction[i])[0].tolist())
        assert row == (scan(truth[gap:], prediction[gap:], i - gap, n) if i - gap + 1 >= n else (0, 0))


@pytest.mark.parametrize("size", [1023, 1024, 1025, 65535, 65536, 65537, 67585, 270001])
@pytest.mark.parametrize("lengths", [(1, 2, 4), (3, 300)])
def test_frames_around_the_blocks_that_are_counted_at_once(size: int, lengths: tuple[int, ...]) -> None:
    random = np.random.default_rng(size)
    truth, prediction = random.integers(0, 2, (2, 5, 1, size), dtype=np.uint8)
    check(truth, prediction, lengths)
    still = np.zeros((5, 1, size), np.uint8)
    check(still, still, lengths)


def test_windows_longer_than_a_byte_counts() -> None:
    truth = np.zeros((600, 1, 3), np.uint8)
    prediction = truth.copy()
    prediction[100:, 0, 1] = 1
    truth[300:, 0, 2] = 7
    check(truth, prediction, (255, 256, 257, 500, 600))


def test_size_may_change_after_a_gap_only() -> None:
    counter = WindowCounter([2])
    small, large = np.zeros((2, 3), np.uint8), np.zeros((4, 5), np.uint8)
    counter.add(small, small)
    with pytest.raises(ValueError, match="pixels"):
        counter.add(large, large)
    with pytest.raises(ValueError, match="prediction"):
        counter.add(small, large)
    counter.clear()
    counter.add(large, large)
    assert counter.add(large, large).tolist() == [[20, 20]]


@pytest.mark.parametrize("lengths", [(), (0,), (8, -1), (LONGEST + 1,)])
def test_impossible_lengths(lengths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="window lengths"):
        WindowCounter(lengths)
