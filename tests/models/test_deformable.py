"""Deformable sampling against its definition, and against what it replaces."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.models.mask2former import modeling_mask2former

from vsscli.models.deformable import sample_levels, use_fast_sampling

Shapes = list[tuple[int, int]]


def by_definition(value: Tensor, shapes: Shapes, locations: Tensor, weights: Tensor) -> np.ndarray:
    """One sample after the other, in float64."""
    v, x, w = (t.double().numpy() for t in (value, locations, weights))
    out = np.zeros((v.shape[0], x.shape[1], v.shape[2], v.shape[3]))
    starts = np.cumsum([0] + [h * w for h, w in shapes])
    for b, n, head, level, point in np.ndindex(*x.shape[:5]):
        height, width = shapes[level]
        column, row = x[b, n, head, level, point] * (width, height) - 0.5
        for r in (int(np.floor(row)), int(np.floor(row)) + 1):
            for c in (int(np.floor(column)), int(np.floor(column)) + 1):
                if 0 <= r < height and 0 <= c < width:
                    share = (1 - abs(row - r)) * (1 - abs(column - c)) * w[b, n, head, level, point]
                    out[b, n, head] += share * v[b, starts[level] + r * width + c, head]
    return out.reshape(*out.shape[:2], -1)


def case(seed: int, batch: int, shapes: Shapes, spread: float) -> tuple[Tensor, Shapes, Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    heads, dim, points = 2, 3, 2
    rows = sum(h * w for h, w in shapes)
    value = torch.randn(batch, rows, heads, dim, generator=random)
    locations = 0.5 + spread * (torch.rand(batch, 5, heads, len(shapes), points, 2, generator=random) - 0.5)
    weights = torch.rand(batch, 5, heads, len(shapes), points, generator=random)
    return value, shapes, locations, weights


@settings(deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=3),
    st.sampled_from([0.5, 1.5, 4.0]),
)
def test_it_is_the_definition(seed: int, batch: int, shapes: Shapes, spread: float) -> None:
    given_ = case(seed, batch, shapes, spread)
    with torch.no_grad():
        np.testing.assert_allclose(sample_levels(*given_).numpy(), by_definition(*given_), atol=1e-5)


def test_places_far_outside_give_zero() -> None:
    value, shapes, locations, weights = case(0, 1, [(3, 4)], 1.0)
    for far in (1e30, -1e30, float("inf"), float("-inf")):
        assert torch.equal(sample_levels(value, shapes, locations + far, weights), torch.zeros(1, 5, 6))


def test_what_is_broken_shows() -> None:
    value, shapes, locations, weights = case(0, 1, [(3, 4), (2, 2)], 1.0)
    locations[0, 2, 1, 0, 0, 0] = torch.nan
    found = sample_levels(value, shapes, locations, weights).view(5, 2, 3)
    assert found[2, 1].isnan().all() and int(found.isnan().sum()) == 3


def test_it_takes_the_place_of_the_library_s_own_only_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    stock = modeling_mask2former.multi_scale_deformable_attention
    calls: list[torch.dtype] = []

    def watched(value: Tensor, *args: Tensor) -> Tensor:
        calls.append(value.dtype)
        found: Tensor = stock(value, *args)
        return found

    monkeypatch.setattr(modeling_mask2former, "multi_scale_deformable_attention", watched)
    use_fast_sampling(modeling_mask2former)
    sample = modeling_mask2former.multi_scale_deformable_attention
    use_fast_sampling(modeling_mask2former)
    assert modeling_mask2former.multi_scale_deformable_attention is sample  # a second model changes nothing
    value, shapes, locations, weights = case(1, 2, [(4, 6), (2, 3)], 1.2)
    wanted = stock(value, shapes, locations, weights)
    with torch.no_grad():
        torch.testing.assert_close(sample(value, shapes, locations, weights), wanted, atol=1e-6, rtol=0)
        assert not calls
        sample(value.double(), shapes, locations.double(), weights.double())
    value.requires_grad_(True)
    sample(value, shapes, locations, weights).sum().backward()
    assert calls == [torch.float64, torch.float32]
    assert value.grad is not None
