"""The ViT-Adapter: its invariants, and what it refuses."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from vsscli.models.dvis.extractor import DeformableAttention, _sample_plainly, as_maps, sample_map
from vsscli.models.dvis.vit_adapter import ViTAdapter, centres

SIDES = st.integers(1, 4).map(lambda n: 32 * n)
SIZE: dict[str, Any] = {
    "dim": 16,
    "depth": 4,
    "heads": 2,
    "deform_heads": 4,
    "deform_points": 3,
    "prior_width": 4,
    "ffn_ratio": 0.5,
    "grid": 5,
}


def small(seed: int = 0, **changes: Any) -> ViTAdapter:
    """Random weights everywhere, offsets of a few cells."""
    random = torch.Generator().manual_seed(seed)
    adapter = ViTAdapter(**{**SIZE, **changes}).eval()
    for name, tensor in adapter.state_dict().items():
        if tensor.is_floating_point():
            spread = 4.0 if "sampling_offsets.bias" in name else 1.0
            drawn = spread * (torch.rand(tensor.shape, generator=random) - 0.5)
            tensor.copy_(drawn + 1.0 if name.endswith("running_var") else drawn)
    return adapter


def pixels(seed: int, batch: int, height: int, width: int) -> Tensor:
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), SIDES, SIDES)
def test_images_of_a_batch_do_not_see_each_other(seed: int, height: int, width: int) -> None:
    adapter, given_ = small(seed), pixels(seed, 2, height, width)
    with torch.no_grad():
        together = adapter(given_)
        alone = [adapter(given_[i : i + 1]) for i in range(2)]
    for stride, both, *each in zip((4, 8, 16, 32), together, *alone, strict=True):
        assert both.shape == (2, 16, height // stride, width // stride)
        torch.testing.assert_close(both, torch.cat(each), atol=1e-5, rtol=1e-5)
        assert both.std() > 1e-3


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000), SIDES, SIDES)
def test_with_gradients_the_numbers_are_the_same(seed: int, height: int, width: int) -> None:
    adapter, given_ = small(seed), pixels(seed, 1, height, width)
    with torch.no_grad():
        fast = adapter(given_)
    for quick, slow in zip(fast, adapter(given_), strict=True):
        torch.testing.assert_close(quick, slow.detach(), atol=1e-5, rtol=1e-5)


@settings(deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(1, 3),
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
    st.sampled_from([0.5, 1.5, 4.0]),
)
def test_both_ways_of_sampling_agree(seed: int, batch: int, size: tuple[int, int], spread: float) -> None:
    value, locations, weights = sampled(seed, batch, size, spread, torch.float32)
    with torch.no_grad():
        fast = sample_map(value, size, locations, weights)
        torch.testing.assert_close(fast, _sample_plainly(value, size, locations, weights), atol=1e-6, rtol=1e-6)


def test_gradients_of_sampling_are_right() -> None:
    drawn = [tensor.requires_grad_() for tensor in sampled(3, 2, (3, 4), 1.5, torch.float64)]
    torch.autograd.gradcheck(lambda v, p, w: sample_map(v, (3, 4), p, w), drawn)


def sampled(
    seed: int, batch: int, size: tuple[int, int], spread: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    value = torch.rand(batch, size[0] * size[1], 2, 3, generator=random, dtype=dtype)
    locations = 0.5 + spread * (torch.rand(batch, 5, 2, 2, 2, generator=random, dtype=dtype) - 0.5)
    return value, locations, torch.rand(batch, 5, 2, 2, generator=random, dtype=dtype).softmax(-1)


def test_gradients_of_the_whole_are_right() -> None:
    adapter, place = small().double(), pixels(4, 1, 32, 64).double().requires_grad_()
    way = pixels(5, 1, 32, 64).double()

    def height(step: float) -> Tensor:
        maps: list[Tensor] = adapter(place + step * way)
        return torch.stack([one.square().mean() for one in maps])

    slopes = [torch.autograd.grad(one, place, retain_graph=True)[0].mul(way).sum() for one in height(0.0)]
    with torch.no_grad():
        seen = (height(1e-6) - height(-1e-6)) / 2e-6
    assert (seen.abs() > 1e-3).all()
    torch.testing.assert_close(torch.stack(slopes), seen, atol=0, rtol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_reach_every_weight(training: bool) -> None:
    adapter = small().train(training)
    sum(one.square().mean() for one in adapter(pixels(1, 2, 64, 96))).backward()
    for name, weight in adapter.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        # What is added before a norm of the batch itself changes nothing.
        assert training or weight.grad.abs().max() > 1e-6, name


def test_half_precision_keeps_points_norms_and_sums_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, given_ = small(), pixels(2, 1, 96, 64)
    chosen: list[tuple[Tensor, ...]] = []
    choose = DeformableAttention._choose

    def watched(module: DeformableAttention, query: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
        found = choose(module, query, *rest)
        with torch.autocast("cpu", enabled=False):
            chosen.append((*found, *choose(module, query.float(), *rest)))
        return found

    monkeypatch.setattr(DeformableAttention, "_choose", watched)
    with torch.no_grad():
        exact = adapter(given_)
        chosen.clear()
        with torch.autocast("cpu", torch.bfloat16):
            rough = adapter(given_)
    assert len(chosen) == 6
    for locations, weights, *again in chosen:
        assert locations.dtype == torch.float32
        assert torch.equal(locations, again[0])
        assert torch.equal(weights, again[1])
    for one, other in zip(exact, rough, strict=True):
        assert other.dtype == torch.float32
        assert 0 < (one - other).abs().max() < 0.1 * one.abs().max()


class Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Remembers how many numbers the largest tensor held that any operation made."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, (tuple, list)) else (made,):
            if isinstance(one, Tensor):
                self.numbers = max(self.numbers, one.numel())
        return made


@pytest.mark.parametrize("gradients", [False, True])
def test_nothing_is_larger_than_the_finest_map(gradients: bool) -> None:
    adapter = small(dim=96, heads=4, deform_points=4, prior_width=16, ffn_ratio=0.25)
    with torch.set_grad_enabled(gradients), Largest() as largest:  # type: ignore[no-untyped-call]
        finest = adapter(pixels(0, 1, 160, 224))[0]
    assert largest.numbers == finest.numel()


@given(st.integers(1, 7), st.integers(1, 7))
def test_centres_lie_between_their_neighbours(height: int, width: int) -> None:
    places = centres((height, width), torch.device("cpu")).view(height, width, 2)
    for row in range(height):
        for column in range(width):
            x, y = places[row, column].tolist()
            assert (x * width - 0.5, y * height - 0.5) == pytest.approx((column, row), abs=1e-5)


def test_maps_are_cut_from_tokens_row_by_row() -> None:
    tokens = torch.arange(2 * 10 * 3).view(2, 10, 3)
    first, second = as_maps(tokens, [(2, 3), (1, 4)])
    assert first.shape == (2, 3, 2, 3)
    assert second.shape == (2, 3, 1, 4)
    assert torch.equal(first[1, :, 1, 2], tokens[1, 5])
    assert torch.equal(second[0, :, 0, 1], tokens[0, 7])


@pytest.mark.parametrize("change", [{"patch": 14}, {"depth": 6}, {"heads": 3}, {"deform_heads": 5}])
def test_sizes_that_do_not_fit_together_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(change))}={next(iter(change.values()))}"):
        ViTAdapter(**{**SIZE, **change})


@pytest.mark.parametrize("shape", [(48, 64), (64, 80), (33, 32)])
def test_sides_that_are_no_multiples_of_32_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"not {shape[0]}x{shape[1]}"):
        small()(torch.zeros(1, 3, *shape))
