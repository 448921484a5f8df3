"""Class scores along a flow: a shift is a shift, whatever the stride, and nothing comes from outside of the frame."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsscli.infer.propagate import warp_scores
from vsscli.models.network import DenseScores, QueryScores
from vsscli.models.preprocess import Preprocess, prepare, restore


def values(channels: int, rows: int, columns: int, seed: int) -> torch.Tensor:
    return torch.randn(channels, rows, columns, generator=torch.Generator().manual_seed(seed))


@given(
    st.integers(1, 8), st.integers(1, 8), st.integers(-3, 3), st.integers(-3, 3), st.sampled_from([1, 4]), st.integers()
)
@settings(deadline=None, max_examples=40)
def test_a_shift_by_whole_cells(rows: int, columns: int, dx: int, dy: int, stride: int, seed: int) -> None:
    """Every cell takes the one that many cells away, or the nearest inside."""
    before = values(3, rows, columns, seed % 1000)
    size = (stride * rows, stride * columns)
    flow = torch.tensor([stride * dx, stride * dy]).float().expand(*size, 2)
    found = warp_scores(DenseScores(before, True), flow, size)
    assert isinstance(found, DenseScores) and found.logits
    ys = (torch.arange(rows) + dy).clamp(0, rows - 1)
    xs = (torch.arange(columns) + dx).clamp(0, columns - 1)
    torch.testing.assert_close(found.values, before[:, ys[:, None], xs], atol=1e-4, rtol=1e-4)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_no_flow_changes_nothing_inside(height: int, width: int, seed: int) -> None:
    padded = -(-height // 32) * 32, -(-width // 32) * 32
    masks = values(2, padded[0] // 4, padded[1] // 4, seed)
    prob = torch.rand(2, 5)
    found = warp_scores(QueryScores(prob, masks), torch.zeros(height, width, 2), padded)
    assert isinstance(found, QueryScores) and found.class_prob is prob
    rows, columns = height // 4, width // 4  # cells that are wholly inside
    torch.testing.assert_close(found.mask_logits[:, :rows, :columns], masks[:, :rows, :columns], atol=1e-4, rtol=1e-4)


def test_padding_of_the_key_frame_never_comes_in() -> None:
    """A flow that points beyond the frame takes its edge, not what the network said of the padding."""
    masks = torch.ones(1, 16, 16)
    masks[:, 10:], masks[:, :, 12:] = 1e6, 1e6  # the frame is 40 x 48 of 64 x 64
    flow = torch.full((40, 48, 2), 30.0)
    found = warp_scores(QueryScores(torch.ones(1, 1), masks), flow, (64, 64))
    assert isinstance(found, QueryScores) and found.mask_logits[:, :10, :12].max() < 1 + 1e-3


@pytest.mark.parametrize(
    "preprocess", [Preprocess(None, None, divisor=32), Preprocess(8, None, (127.5,) * 3, (1,) * 3)]
)
def test_what_was_prepared_can_be_restored_exactly(preprocess: Preprocess) -> None:
    frame = np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)
    pixels = prepare(frame, (16, 16), preprocess)
    assert np.array_equal(restore(pixels, preprocess)[:, :16, :16].permute(1, 2, 0).numpy(), frame.astype(np.float32))
