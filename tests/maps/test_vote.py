"""The vote against one written from its definition, pixel by pixel."""

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from vsscli.maps.vote import LARGEST, vote

Maps = NDArray[np.uint8]  # [K, H, W], K maps in the order of their rank


def brute_force(maps: Maps) -> NDArray[np.uint8]:
    """Most votes; among equals the label of the earliest map that holds one of them."""
    winner = np.empty(maps.shape[1:], np.uint8)
    for place in np.ndindex(winner.shape):
        votes = [int(labels[place]) for labels in maps]
        count = Counter(votes)
        winner[place] = next(label for label in votes if count[label] == max(count.values()))
    return winner


@st.composite
def stacks(draw: st.DrawFn, voters: st.SearchStrategy[int], largest: int = 11) -> Maps:
    """Maps of few labels (many ties) out of all 256, of sizes that are and are not multiples of eight pixels."""
    shape = draw(voters), draw(st.integers(1, largest)), draw(st.integers(1, largest))
    labels = draw(st.lists(st.integers(0, 255), min_size=1, max_size=5, unique=True))
    return draw(arrays(np.uint8, shape, elements=st.sampled_from(labels)))


@settings(max_examples=400, deadline=None)
@given(stacks(st.integers(1, 9)))
def test_the_vote_is_the_definition(maps: Maps) -> None:
    np.testing.assert_array_equal(vote(list(maps)), brute_force(maps))


@settings(max_examples=200, deadline=None)
@given(stacks(st.integers(10, LARGEST), largest=4))
def test_any_number_of_voters(maps: Maps) -> None:
    np.testing.assert_array_equal(vote(list(maps)), brute_force(maps))


@settings(max_examples=200, deadline=None)
@given(stacks(st.integers(2, 8)), st.randoms(use_true_random=False))
def test_order_counts_only_where_labels_are_tied(maps: Maps, random: Random) -> None:
    order = list(range(len(maps)))
    random.shuffle(order)
    counts = np.stack([(maps == label).sum(0) for label in range(256)])
    untied = (counts == counts.max(0)).sum(0) == 1
    np.testing.assert_array_equal(vote(list(maps))[untied], vote(list(maps[order]))[untied])


@settings(max_examples=200, deadline=None)
@given(stacks(st.integers(2, 8)))
def test_two_maps_give_the_first(maps: Maps) -> None:
    np.testing.assert_array_equal(vote([maps[0], maps[1]]), maps[0])


@settings(max_examples=200, deadline=None)
@given(stacks(st.just(1)), st.integers(1, LARGEST))
def test_equal_maps_give_themselves(maps: Maps, voters: int) -> None:
    np.testing.assert_array_equal(vote([maps[0]] * voters), maps[0])


@pytest.mark.parametrize("voters", [2, 127, 128, 129, 254, 255])
def test_counts_up_to_the_last_one_of_a_byte(voters: int) -> None:
    """All different but the last three, a near tie of halves, all but one, three quarters; labels from 128 on too."""
    distinct = np.arange(voters, dtype=np.uint8)
    distinct[-3:] = distinct[-1]
    near = np.where(np.arange(voters) < voters // 2, 200, 100).astype(np.uint8)
    alone = np.full(voters, 255, np.uint8)
    alone[0] = 0
    most = np.where(np.arange(voters) < 3 * voters // 4, 3, 130).astype(np.uint8)
    maps = np.stack([distinct, near, near[::-1], alone, most, most[::-1]], axis=1)[:, None, :]
    np.testing.assert_array_equal(vote(list(maps)), brute_force(maps))


@pytest.mark.parametrize("width", [*range(1, 18), 4095, 4096, 4097, 8200, 65535, 65536, 65537])
def test_ends_of_words_and_blocks(width: int) -> None:
    maps = np.random.default_rng(width).integers(126, 131, (6, 1, width), dtype=np.uint8)
    np.testing.assert_array_equal(vote(list(maps)), brute_force(maps))


@settings(max_examples=50, deadline=None)
@given(stacks(st.integers(1, 5)))
@example(np.full((2, 3, 3), 7, np.uint8))
def test_inputs_stay_and_need_not_be_contiguous(maps: Maps) -> None:
    before = maps.copy()
    mirrored = vote([labels[:, ::-1] for labels in maps])
    np.testing.assert_array_equal(maps, before)
    np.testing.assert_array_equal(mirrored, brute_force(maps)[:, ::-1])
    read_only = maps.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(vote(list(read_only)), brute_force(maps))


def test_the_result_is_its_own() -> None:
    only = np.zeros((3, 5), np.uint8)
    vote([only])[...] = 9
    assert not only.any()


def test_refuses_what_is_no_vote() -> None:
    labels = np.zeros((2, 3), np.uint8)
    with pytest.raises(ValueError, match="1 to 255 maps, not 0"):
        vote([])
    with pytest.raises(ValueError, match="1 to 255 maps, not 256"):
        vote([labels] * 256)
    with pytest.raises(ValueError, match=r"\(2, 3\), \(3, 2\)"):
        vote([labels, labels.T])
