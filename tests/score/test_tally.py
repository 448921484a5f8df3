"""Counting one video: sizes, values, void, odd values, missing frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.score.brute import CLASSES, make_clip
from tests.score.test_measures import rule_of
from vsscli.data.dataset import Numbering
from vsscli.data.vspw import vspw_numbering
from vsscli.errors import DataError, RunError
from vsscli.score.tally import Tally, VideoCounts, merged_values


def frame(value: int, size: tuple[int, int] = (2, 3)) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.full(size, value, np.uint8)


@pytest.mark.parametrize("value", [124, 125, 254, 255])
def test_a_value_that_is_no_class(value: int) -> None:
    tally = Tally("7_x", 1, rule_of("vspw"))
    prediction = frame(3)
    prediction[1, 1] = value
    with pytest.raises(RunError, match=rf"Video 7_x, frame 0009: .* value {value}, .* 0\.\.123") as caught:
        tally.add("0009", frame(1), prediction)
    assert ("--allow-void" in caught.value.hint) == (value == 255)
    assert ("id + 1" in caught.value.hint) == (value == 124)


def test_a_value_that_is_no_class_counts_where_the_truth_is_void_too() -> None:
    with pytest.raises(RunError, match="value 200"):
        Tally("7_x", 1, rule_of("vspw")).add("0009", frame(0), frame(200))


def test_allowed_void_is_wrong_but_no_column() -> None:
    tally = Tally("7_x", 1, rule_of("vspw", allow_void=True))
    prediction = np.array([[4, 4, 255]], np.uint8)
    tally.add("1", np.array([[5, 7, 5]], np.uint8), prediction)
    counts = tally.counts()
    assert counts.pixels[4, 4] == 1 and counts.pixels[4, CLASSES] == 1 and counts.pixels[6, 4] == 1
    assert counts.pixels.sum() == 3
    with pytest.raises(RunError, match="value 254"):
        Tally("7_x", 1, rule_of("vspw", allow_void=True)).add("1", frame(5), frame(254))


def test_sizes() -> None:
    with pytest.raises(RunError, match="Video 7_x, frame 2: the label map is 3x2, the mask is 5x4"):
        Tally("7_x", 2, rule_of("vspw")).add("2", frame(1, (4, 5)), frame(1))
    tally = Tally("7_x", 2, rule_of("mmseg"))
    tally.add("1", frame(1), frame(1))
    with pytest.raises(DataError, match="frame 2: the mask is 5x4, the masks before it are 3x2"):
        tally.add("2", frame(1, (4, 5)), frame(1, (4, 5)))


def test_odd_values_are_void_and_counted() -> None:
    tally = Tally("7_x", 2, rule_of("vspw"))
    truth = np.array([[1, 252, 252, 0, 255, 125]], np.uint8)
    tally.add("1", truth, frame(0, (1, 6)))
    tally.add("2", np.array([[1, 2, 252, 0, 255, 1]], np.uint8), frame(0, (1, 6)))
    counts = tally.counts()
    assert counts.odd == {125: 1, 252: 3}
    assert counts.pixels.sum() == 4 and counts.pixels[0, 0] == 3 and counts.pixels[1, 0] == 1


def test_merged_values_keep_odd_ones_apart() -> None:
    merged = merged_values(vspw_numbering())
    assert merged[0] == merged[255] == 255
    assert merged[1:125].tolist() == list(range(124))
    assert len(set(merged.tolist())) == 255
    full = Numbering(np.arange(256, dtype=np.uint8), frozenset(), {})
    assert merged_values(full).tolist() == list(range(256))


def tally_with_gaps(length: int, gaps: set[int], lengths: tuple[int, ...]) -> VideoCounts:
    stored, predicted = make_clip(5, length)
    tally = Tally("7_x", length, rule_of("vspw", lengths))
    for i in range(length):
        if i in gaps:
            tally.miss(str(i))
        else:
            tally.add(str(i), stored[i], predicted[i])
    return tally.counts()


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 22), st.sets(st.integers(0, 21), max_size=4), st.integers(1, 9))
def test_windows_that_hold_a_missing_frame_are_left_out(length: int, gaps: set[int], n: int) -> None:
    gaps = {gap for gap in gaps if gap < length}
    whole, cut = tally_with_gaps(length, set(), (n,)), tally_with_gaps(length, gaps, (n,))
    kept = [i for i in range(max(length - n, 0)) if not gaps & set(range(i, i + n))]
    assert np.array_equal(cut.windows[n], whole.windows[n][kept])
    assert cut.broken[n] == len(whole.windows[n]) - len(kept) and whole.broken[n] == 0
    assert cut.missed == tuple(str(gap) for gap in sorted(gaps))
    assert (cut.frames, cut.length, whole.missed) == (length - len(gaps), length, ())
