"""Flow and warp: the direction, proved by translations whose answer is known exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from vsscli.maps.flow import backward_flow, gray
from vsscli.maps.warp import flow_sources, warp

MARGIN = 20  # pixels at the border of which Farneback is not sure


def texture(height: int, width: int, seed: int) -> NDArray[np.float64]:
    """A smooth picture 0..255 without flat places."""
    smooth = gaussian_filter(np.random.default_rng(seed).normal(size=(height, width)), 3)
    return np.asarray(np.clip(127 + 45 * smooth / smooth.std(), 0, 255), np.float64)


def cut(image: NDArray[np.uint8], dy: int, dx: int, height: int = 96, width: int = 112) -> NDArray[np.uint8]:
    """What a window sees of ``image`` when it stands ``(dy, dx)`` off its place."""
    return image[8 + dy : 8 + dy + height, 8 + dx : 8 + dx + width]


@settings(max_examples=200, deadline=None)
@given(st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 5))
def test_a_translated_label_map_is_predicted_exactly(dy: int, dx: int, seed: int) -> None:
    """The content moves by (dy, dx): what came in from outside is known to be unknown, all else is right."""
    image = texture(112, 128, seed).astype(np.uint8)
    labels = np.random.default_rng(seed).integers(0, 124, image.shape, dtype=np.uint8)
    sources = flow_sources(backward_flow(cut(image, 0, 0), cut(image, -dy, -dx)))
    inner = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
    np.testing.assert_array_equal(warp(cut(labels, 0, 0), sources)[inner], cut(labels, -dy, -dx)[inner])
    y, x = np.mgrid[:96, :112]
    np.testing.assert_array_equal(sources[inner], ((y - dy) * 112 + x - dx)[inner])


@pytest.mark.parametrize(("dy", "dx"), [(0.5, 0), (0, -0.5), (0.25, 0.75), (-1.3, 2.6)])
def test_a_motion_by_parts_of_a_pixel_has_its_direction_and_length(dy: float, dx: float) -> None:
    y, x = np.mgrid[:96, :112].astype(np.float64)

    def wave(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.uint8]:
        value = np.sin(y / 3.1) * np.cos(x / 4.3) + np.sin((x + 2 * y) / 7.7)
        return (127 + 60 * value).round().astype(np.uint8)

    flow = backward_flow(wave(y, x), wave(y - dy, x - dx))[MARGIN:-MARGIN, MARGIN:-MARGIN]
    np.testing.assert_allclose(np.median(flow, (0, 1)), [-dx, -dy], atol=0.05)


def test_pixels_from_outside_have_no_source() -> None:
    flow = np.zeros((4, 5, 2), np.float32)
    flow[0, 0] = (-0.5, 0)  # half a pixel rounds up: still inside
    flow[0, 1] = (-1.51, 0)
    flow[1, 4] = (0.5, 0)
    flow[3, 0] = (0, 0.49)
    flow[3, 1] = (0, 0.5)
    flow[2, 2] = (np.nan, 0)
    flow[2, 3] = (1e30, -np.inf)
    flow[1, 0] = (2, -1)
    sources = flow_sources(flow)
    expected = np.arange(20).reshape(4, 5)
    for y, x in ((0, 1), (1, 4), (3, 1), (2, 2), (2, 3)):
        expected[y, x] = -1
    expected[1, 0] = 2
    np.testing.assert_array_equal(sources, expected)
    labels = np.arange(7, 27, dtype=np.uint8).reshape(4, 5)
    np.testing.assert_array_equal(warp(labels, sources), np.where(expected < 0, 0, labels.flat[expected]))


@settings(max_examples=200, deadline=None)
@given(arrays.arrays(np.float32, (6, 9, 2), elements=st.floats(-12, 12, width=32)), st.integers(0, 9))
def test_warp_equals_its_definition(flow: NDArray[np.float32], seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 256, (6, 9), dtype=np.uint8)
    sources = flow_sources(flow)
    warped = warp(labels, sources)
    for y in range(6):
        for x in range(9):
            column, row = (int(np.floor(float(flow[y, x, k]) + (x, y)[k] + 0.5)) for k in (0, 1))
            inside = 0 <= column < 9 and 0 <= row < 6
            assert sources[y, x] == (row * 9 + column if inside else -1)
            assert warped[y, x] == (labels[row, column] if inside else 0)


def test_no_motion_is_no_change() -> None:
    labels = np.random.default_rng(1).integers(0, 256, (9, 7), dtype=np.uint8)
    np.testing.assert_array_equal(warp(labels[:, ::-1], flow_sources(np.zeros((9, 7, 2), np.float32))), labels[:, ::-1])
    with pytest.raises(ValueError, match=r"labels are \(7, 9\), sources are \(9, 7\)"):
        warp(labels.T, flow_sources(np.zeros((9, 7, 2), np.float32)))


def test_gray_is_the_luma_of_red_green_blue_in_this_order() -> None:
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [10, 20, 30]]], np.uint8)
    np.testing.assert_array_equal(gray(image), [[76, 150, 29, 255, 18]])
