"""The refiner on a recorded video: in parts of any size, and mistakes that would show."""

from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.models.dvis.cases import follow, load, model
from tests.models.dvis.units import FAMILY, Unit, unit
from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.model import Dvis
from vsscli.models.dvis.refiner import PART, Refined, Refiner, RefinerLayer

CLEARLY = 1e-2


@pytest.fixture(autouse=True)
def _no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


def inputs(case: Unit, network: Dvis) -> tuple[Tensor, Tensor]:
    """What the refiner reads: the tracker's embeddings and the frames' own."""
    tracked = follow(network, case.frames)
    return torch.stack([each.embeds for each in tracked]), torch.stack([frame.raw for frame in case.frames])


def refiner(network: Dvis) -> Refiner:
    assert network.refiner is not None
    return network.refiner


def arrays(case: Unit, refined: Refined) -> dict[str, Tensor]:
    return {
        "refiner_logits": refined.class_logits,
        "refiner_embds": refined.embeds,
        "refiner_masks": masks(refined.mask_embeds, case.mask_features),
    }


@pytest.mark.parametrize("name", FAMILY)
def test_as_recorded(name: str) -> None:
    case, network = unit(name), model(FAMILY[name])
    case.recording.check(**arrays(case, refiner(network)(*inputs(case, network))))


Mistake = Callable[[Unit, Dvis, pytest.MonkeyPatch], dict[str, Tensor]]


def _zeros_at_the_ends(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    for part in network.modules():
        if isinstance(part, torch.nn.Conv1d):
            part.padding_mode = "zeros"
    return arrays(case, refiner(network)(*inputs(case, network)))


def _convolution_before_attention(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    def over_time(layer: RefinerLayer, x: Tensor) -> Tensor:
        found: Tensor = layer.time(*[layer.short(x)] * 3)
        return found

    patch.setattr(RefinerLayer, "over_time", over_time)
    return arrays(case, refiner(network)(*inputs(case, network)))


def _queries_before_time(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    over_time = RefinerLayer.over_time

    def nothing(layer: RefinerLayer, x: Tensor) -> Tensor:
        return x

    def all_of_it(layer: RefinerLayer, x: Tensor, raw: Tensor) -> Tensor:
        x = layer.itself(x, x, x)
        x = over_time(layer, x.transpose(0, 1)).transpose(0, 1)
        found: Tensor = layer.ffn(layer.cross(x, x, raw))
        return found

    patch.setattr(RefinerLayer, "over_time", nothing)
    patch.setattr(RefinerLayer, "over_queries", all_of_it)
    return arrays(case, refiner(network)(*inputs(case, network)))


def _plain_mean_over_time(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    refiner(network).time_weight.weight.zero_()
    return arrays(case, refiner(network)(*inputs(case, network)))


def _content_of_another_frame(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    embeds, raw = inputs(case, network)
    return arrays(case, refiner(network)(embeds, raw.roll(1, 0)))


def _tracker_after_its_norm(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    embeds, raw = inputs(case, network)
    assert network.tracker is not None
    return arrays(case, refiner(network)(network.tracker.norm(embeds), raw))


def _masks_on_projected_features(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    assert network.tracker is not None
    found = refiner(network)(*inputs(case, network))
    return {"refiner_masks": masks(found.mask_embeds, network.tracker.project(case.mask_features))}


def _in_windows(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    embeds, raw = inputs(case, network)
    found = [refiner(network)(embeds[part], raw[part]) for part in (slice(0, 3), slice(3, 5))]
    return {"refiner_embds": torch.cat([each.embeds for each in found])}


MISTAKES: dict[str, tuple[Mistake, str]] = {
    "zeros at the ends": (_zeros_at_the_ends, "refiner_embds"),
    "convolution before attention": (_convolution_before_attention, "refiner_embds"),
    "queries before time": (_queries_before_time, "refiner_embds"),
    "plain mean over time": (_plain_mean_over_time, "refiner_logits"),
    "content of another frame": (_content_of_another_frame, "refiner_embds"),
    "tracker after its norm": (_tracker_after_its_norm, "refiner_embds"),
    "masks on projected features": (_masks_on_projected_features, "refiner_masks"),
    "in windows": (_in_windows, "refiner_embds"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_would_show(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (make, name), case, network = MISTAKES[mistake], unit("unit_tiny"), load("tiny")
    error = case.recording.error(name, make(case, network, monkeypatch)[name])
    print(f"{mistake}: {name} {error:.2g}")
    assert error > CLEARLY


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 6000), st.integers(1, 7), st.booleans())
def test_parts_change_nothing(part: int, frames: int, gradients: bool) -> None:
    network = refiner(model("tiny"))
    random = torch.Generator().manual_seed(frames)
    embeds, raw = torch.randn(2, frames, 20, 128, generator=random)
    before = embeds.clone(), raw.clone()
    whole = network(embeds, raw)
    try:
        network.part = part
        with torch.set_grad_enabled(gradients):
            found = network(embeds, raw)
    finally:
        network.part = PART
    for name in ("class_logits", "mask_embeds", "embeds"):
        torch.testing.assert_close(getattr(found, name), getattr(whole, name), atol=1e-5, rtol=1e-5)
    assert embeds.equal(before[0]) and raw.equal(before[1])


@pytest.mark.parametrize(("frames", "queries"), [(100, 20), (20, 100)])
def test_parts_bound_what_is_worked_on_at_a_time(frames: int, queries: int) -> None:
    network, part = refiner(load("tiny")), 30_000
    seen: list[int] = []
    for layer in network.layers:
        for module in layer.modules():
            module.register_forward_hook(lambda _, __, result: seen.append(result.numel()))
    embeds, raw = torch.randn(2, frames, queries, 128)
    network(embeds, raw)
    assert max(seen) >= embeds.numel()
    seen.clear()
    network.part = part
    network(embeds, raw)
    assert max(seen) <= 3 * part  # three: queries, keys and values together


def test_half_precision_around_it() -> None:
    case, network = unit("unit_tiny"), model("tiny")
    given_ = inputs(case, network)
    with torch.autocast("cpu", torch.bfloat16):
        found = refiner(network)(*given_)
    assert found.embeds.dtype == torch.float32
    assert 1e-6 < case.recording.error("refiner_embds", found.embeds) < 0.1


def test_gradients_reach_every_weight() -> None:
    case, network = unit("unit_tiny"), load("tiny").requires_grad_(True)
    embeds, raw = inputs(case, network)
    with torch.enable_grad():
        found = refiner(network)(embeds, raw)
        total = found.class_logits.square().sum() + masks(found.mask_embeds, case.mask_features).square().sum()
        total.backward()
    wrong = [n for n, p in refiner(network).named_parameters() if p.grad is None or p.grad.abs().sum() == 0]
    assert wrong in ([], ["time_weight.bias"])  # a softmax does not see what all its inputs share
