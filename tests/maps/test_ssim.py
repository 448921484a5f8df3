"""SSIM of label maps against scikit-image, and what it may not depend on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from vsscli.maps.ssim import class_ssim, id_ssim, windows_inside

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

#: Largest difference from scikit-image, whose own sums slide and round.
CLOSE = 1e-12


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Labels, Labels, Mask]:
    """Two maps, regions in blocks or single pixels, alike in part; and which windows count."""
    height, width = draw(st.integers(7, 24)), draw(st.integers(7, 30))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    classes, side = draw(st.sampled_from([1, 2, 3, 9, 256])), draw(st.sampled_from([1, 3, 8]))
    values = random.choice(256, classes, replace=False).astype(np.uint8)

    def blocks() -> Labels:
        grid = random.integers(0, classes, (height // side + 1, width // side + 1))
        return np.asarray(values[np.kron(grid, np.ones((side, side), int))[:height, :width]], np.uint8)

    one = blocks()
    two = np.where(random.random(one.shape) < draw(st.sampled_from([0, 0.02, 0.5, 1])), blocks(), one)
    valid = random.random((height - 6, width - 6)) < draw(st.sampled_from([0.1, 0.8, 1]))
    valid.flat[random.integers(valid.size)] = True
    return one, two, valid


def official(one: Labels, two: Labels, valid: Mask) -> float:
    """scikit-image's, whose map of SSIM tells a window at its centre."""
    _, full = structural_similarity(one, two, win_size=7, data_range=255, full=True)
    return float(full[3:-3, 3:-3][valid].mean())


def mask(labels: Labels, value: int) -> Labels:
    return np.where(labels == value, np.uint8(255), np.uint8(0))


def touched(valid: Mask) -> Mask:
    """The pixels of ``valid`` windows."""
    inside = np.zeros((valid.shape[0] + 6, valid.shape[1] + 6), np.bool_)
    for y, x in zip(*np.nonzero(valid), strict=True):
        inside[y : y + 7, x : x + 7] = True
    return inside


@settings(max_examples=200, deadline=None)
@given(pairs())
def test_ids_equal_scikit_image(case: tuple[Labels, Labels, Mask]) -> None:
    found = id_ssim(*case)
    assert found is not None and abs(found - official(*case)) < CLOSE


@settings(max_examples=200, deadline=None)
@given(pairs())
def test_classes_equal_the_mean_over_masks_by_scikit_image(case: tuple[Labels, Labels, Mask]) -> None:
    one, two, valid = case
    inside = touched(valid)
    values = np.union1d(one[inside], two[inside])
    each = [official(mask(one, v), mask(two, v), valid) for v in values]
    found = class_ssim(one, two, valid)
    assert found is not None and abs(found - np.mean(each)) < CLOSE


@pytest.mark.parametrize("shape", [(480, 853), (7, 7), (9, 300)])
def test_sizes_as_they_come(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(3)
    blocks = np.kron(random.integers(0, 124, (shape[0] // 20 + 1, shape[1] // 20 + 1)), np.ones((20, 20)))
    one = blocks[: shape[0], : shape[1]].astype(np.uint8)
    two: Labels = np.roll(one, 3, 1)
    everywhere = windows_inside(np.zeros(shape, np.int32))
    assert everywhere.shape == (shape[0] - 6, shape[1] - 6) and everywhere.all()
    found = id_ssim(one, two, everywhere)
    assert found is not None and abs(found - structural_similarity(one, two)) < CLOSE


@settings(max_examples=200, deadline=None)
@given(pairs(), st.integers(0, 10**6))
def test_numbering_means_nothing_to_classes(case: tuple[Labels, Labels, Mask], seed: int) -> None:
    one, two, valid = case
    order = np.random.default_rng(seed).permutation(256).astype(np.uint8)
    assert class_ssim(order[one], order[two], valid) == class_ssim(one, two, valid)


def test_numbering_means_something_to_ids() -> None:
    one = np.zeros((20, 20), np.uint8)
    two = one.copy()
    two[:, 10:] = 1
    near = id_ssim(one, two, np.ones((14, 14), np.bool_))
    far = id_ssim(one, two * 123, np.ones((14, 14), np.bool_))
    assert near is not None and far is not None and near > 0.9 > 0.5 > far


@settings(max_examples=200, deadline=None)
@given(pairs())
def test_equal_maps_have_one_and_either_order_the_same(case: tuple[Labels, Labels, Mask]) -> None:
    one, two, valid = case
    for ssim in (id_ssim, class_ssim):
        assert ssim(one, one, valid) == pytest.approx(1, abs=1e-15)
        assert ssim(one, two, valid) == pytest.approx(ssim(two, one, valid), abs=1e-15)
        assert ssim(one[:, ::-1], two[:, ::-1], valid[:, ::-1]) == pytest.approx(ssim(one, two, valid), abs=1e-14)


@settings(max_examples=200, deadline=None)
@given(pairs())
def test_pixels_of_no_valid_window_mean_nothing(case: tuple[Labels, Labels, Mask]) -> None:
    one, two, valid = case
    other = np.where(touched(valid), one, one + np.uint8(77)).astype(np.uint8)
    assert id_ssim(other, two, valid) == pytest.approx(id_ssim(one, two, valid), abs=1e-12)
    assert class_ssim(other, two, valid) == class_ssim(one, two, valid)


@settings(max_examples=200, deadline=None)
@given(st.integers(7, 15), st.integers(7, 15), st.sets(st.integers(0, 224), max_size=5))
def test_windows_that_touch_the_outside_are_left_out(height: int, width: int, places: set[int]) -> None:
    sources = np.zeros((height, width), np.int32)
    for place in places:
        sources.flat[place % sources.size] = -1
    valid = windows_inside(sources)
    for y in range(height - 6):
        for x in range(width - 6):
            assert valid[y, x] == (sources[y : y + 7, x : x + 7] >= 0).all()


@pytest.mark.parametrize("shape", [(6, 40), (40, 3), (1, 1)])
def test_without_a_window_there_is_no_answer(shape: tuple[int, int]) -> None:
    labels, none = np.zeros(shape, np.uint8), windows_inside(np.zeros(shape, np.int32))
    assert none.size == 0
    assert id_ssim(labels, labels, none) is None and class_ssim(labels, labels, none) is None
    empty, large = np.zeros((4, 4), np.bool_), np.zeros((10, 10), np.uint8)
    assert id_ssim(large, large, empty) is None and class_ssim(large, large, empty) is None


def test_sizes_that_do_not_fit_are_an_error() -> None:
    labels, windows = np.zeros((10, 12), np.uint8), np.ones((4, 6), np.bool_)
    for one, two, valid in ((labels, labels.T, windows), (labels, labels, windows.T), (labels.T, labels.T, windows)):
        for ssim in (id_ssim, class_ssim):
            with pytest.raises(ValueError, match="windows are"):
                ssim(one, two, valid)
