"""The mean of class probabilities, against the same sums written down plainly in whole numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsscli.maps.mean import STEPS, Cells, mean_classes


def make(
    random: np.random.Generator, frame: tuple[int, int], classes: int = 6, coarse: int = 1, calm: bool = False
) -> Cells:
    """What a network of random size may say of a frame; ``coarse``: how many different probabilities there are."""
    padded = tuple(int(side) for side in random.integers(8, 60, 2))
    network = tuple(int(random.integers(1, side + 1)) for side in padded)
    grid = tuple(int(random.integers(1, 12)) for _ in range(2))
    h, w = (min(g, (2 * g * n + p) // (2 * p) + 1) for g, n, p in zip(grid, network, padded, strict=True))
    k = int(random.integers(1, min(classes, 4) + 1))
    scores = random.random((classes, h, w)) ** 4
    if calm:  # a class that leads nearly everywhere
        scores[1] += 2
    shares = (scores / scores.sum(0) * 65535 / coarse).astype(np.uint16) * np.uint16(coarse)
    order = np.argsort(-shares.astype(int), axis=0, kind="stable")[:k].astype(np.uint8)
    return Cells(
        order,
        np.take_along_axis(shares, order, 0),
        np.array([grid, padded, network, frame], np.int32),
        bool(random.integers(2)),
    )


def plain(cells: list[Cells], classes: int = 6) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(sums, the first one's) of every class, int64 [C, H, W], with shares in 2048ths."""
    height, width = cells[0].frame
    total, first = np.zeros((2, classes, height, width), np.int64)
    for number, one in enumerate(cells):
        k, h, w = one.classes.shape
        dense = np.zeros((classes, h, w), np.int64)
        for i in range(k):
            np.put_along_axis(dense, one.classes[i][None].astype(int), one.probabilities[i][None].astype(int), 0)
        for axis, kept in ((0, h), (1, w)):
            matrix = np.zeros((one.frame[axis], kept), np.int64)
            grid, padded, network, frame = (float(size) for size in one.sizes[:, axis])
            for at in range(one.frame[axis]):
                centre = min(max((at + 0.5) * (network / frame * grid / padded) - 0.5, 0.0), kept - 1)
                low = int(centre)
                share = round((centre - low) * STEPS)
                matrix[at, low] += STEPS - share
                matrix[at, min(low + 1, kept - 1)] += share
            dense = np.moveaxis(np.tensordot(matrix, dense, (1, axis + 1)), 0, axis + 1)
        dense = dense[:, :, ::-1] if one.flip else dense
        total += dense
        first += dense if number == 0 else 0
    return total, first


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 4),
    coarse=st.sampled_from([1, 16383]),
    calm=st.booleans(),
    frame=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_it_is_the_class_with_the_largest_sum(
    seed: int, count: int, coarse: int, calm: bool, frame: tuple[int, int]
) -> None:
    """Few probabilities make many ties: then the first one's favourite, then the smaller class."""
    random = np.random.default_rng(seed)
    cells = [make(random, frame, coarse=coarse, calm=calm) for _ in range(count)]
    total, first = plain(cells)
    best = total == total.max(0)
    favoured = best & (first == np.where(best, first, -1).max(0))
    np.testing.assert_array_equal(mean_classes(cells), favoured.argmax(0))


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), order=st.permutations(range(4)))
def test_the_order_counts_only_in_ties(seed: int, order: list[int]) -> None:
    random = np.random.default_rng(seed)
    cells = [make(random, (31, 23)) for _ in range(4)]
    top = np.sort(plain(cells)[0], axis=0)[-2:]
    sure = top[1] > top[0]
    one, other = mean_classes(cells), mean_classes([cells[i] for i in order])
    np.testing.assert_array_equal(one[sure], other[sure])
    assert sure.mean() > 0.5


def test_a_tie_goes_to_what_the_first_favours() -> None:
    sizes = np.array([[1, 1], [4, 4], [4, 4], [2, 2]], np.int32)

    def say(**shares: int) -> Cells:
        ranked = sorted(shares.items(), key=lambda item: -item[1])
        kept = np.array([share for _, share in ranked], np.uint16).reshape(-1, 1, 1)
        return Cells(np.array([int(name[1:]) for name, _ in ranked], np.uint8).reshape(-1, 1, 1), kept, sizes, False)

    three, seven = say(c3=600, c7=400), say(c7=600, c3=400)
    assert (mean_classes([three, seven]) == 3).all() and (mean_classes([seven, three]) == 7).all()
    neither = say(c9=600, c3=200, c7=200)
    assert (mean_classes([neither, seven, three]) == 3).all()
    assert (mean_classes([neither, neither, say(c3=65535)]) == 3).all(), "who is surer outweighs who are more"


def test_the_mirror_of_all_is_the_mirror() -> None:
    random = np.random.default_rng(1)
    cells = [make(random, (20, 33)) for _ in range(3)]
    turned = [Cells(one.classes, one.probabilities, one.sizes, not one.flip) for one in cells]
    np.testing.assert_array_equal(mean_classes(turned), mean_classes(cells)[:, ::-1])


def test_frames_of_different_sizes_and_no_frames_are_refused() -> None:
    random = np.random.default_rng(2)
    with pytest.raises(ValueError, match="different sizes"):
        mean_classes([make(random, (4, 5)), make(random, (5, 4))])
    with pytest.raises(ValueError):
        mean_classes([])
