"""Sliding windows."""

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vsscli.models.windows import slide, window_starts


@given(st.integers(1, 300), st.integers(1, 60), st.data())
def test_windows_cover_everything_evenly(length: int, side: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, side))
    starts = window_starts(length, side, stride)
    assert starts[0] == 0
    assert starts[-1] == max(length - side, 0)
    steps = [b - a for a, b in pairwise(starts)]
    assert all(0 < step <= stride for step in steps)
    assert not steps or max(steps) - min(steps) <= 1
    assert len(starts) == 1 or (len(starts) - 2) * stride < length - side  # one fewer would not do


def test_windows_of_the_reference() -> None:
    assert window_starts(910, 512, 512) == [0, 398]  # EoMT at 512 on 16:9
    assert window_starts(640, 640, 426) == [0]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.data())
def test_a_function_of_single_pixels_is_not_changed(height: int, width: int, side: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, side))
    pixels = torch.arange(2 * 3 * height * width, dtype=torch.float32).view(2, 3, height, width)
    found = slide(pixels, side, stride, lambda window: window[:, :2] * 2)
    assert torch.equal(found, pixels[:, :2] * 2)


def test_overlaps_are_averaged_and_small_frames_padded() -> None:
    seen: list[Tensor] = []

    def number(window: Tensor) -> Tensor:
        seen.append(window)
        return torch.full((1, 1, 4, 4), float(len(seen)))

    found = slide(torch.ones(1, 3, 3, 6), 4, 4, number)
    assert found[0, 0].tolist() == [[1, 1, 1.5, 1.5, 2, 2]] * 3
    assert [window[0, 0, 3].tolist() for window in seen] == [[0.0] * 4] * 2
