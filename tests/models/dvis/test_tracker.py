"""The tracker on queries that change places: as recorded, however the video is cut, and mistakes that would show."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.models.dvis.cases import follow, load, model
from tests.models.dvis.units import FAMILY, FRAMES, Frame, Unit, unit
from vsscli.models.dvis import tracker as module
from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.model import Dvis
from vsscli.models.dvis.tracker import Tracked, TrackerState, match

#: What no mistake stays under: a hundred times the tolerance.
CLEARLY = 1e-2


@pytest.fixture(autouse=True)
def _no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


def arrays(model: Dvis, case: Unit, tracked: list[Tracked]) -> dict[str, Tensor]:
    assert model.tracker is not None
    embeds = torch.stack([each.mask_embeds for each in tracked])
    return {
        "tracker_logits": torch.stack([each.class_logits for each in tracked]),
        "tracker_embds": torch.stack([each.embeds for each in tracked]),
        "tracker_masks": masks(embeds, model.tracker.project(case.mask_features)),
    }


@pytest.mark.parametrize("name", FAMILY)
def test_as_recorded(name: str) -> None:
    case, network = unit(name), model(FAMILY[name])
    tracked = follow(network, case.frames)
    case.recording.check(**arrays(network, case, tracked))
    order = torch.stack([each.order for each in tracked])
    np.testing.assert_array_equal(order, case.recording["match_indices"])
    assert (order[1:] != torch.arange(order.shape[1])).any(1).all()  # else the matching is not seen


def _no_matching(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    patch.setattr(module, "match", lambda before, now: torch.arange(len(now)))
    return follow(network, case.frames)


def _matching_backwards(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    patch.setattr(module, "match", lambda before, now: match(now, before))
    return follow(network, case.frames)


def _first_frame_as_the_others(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    return follow(network, case.frames, TrackerState(case.frames[0].raw, case.frames[0].normed))


def _later_frames_as_the_first(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    return [tracked for frame in case.frames for tracked in follow(network, [frame])]


def _forgetting_between_windows(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    return follow(network, case.frames[:3]) + follow(network, case.frames[3:])


def _content_from_the_matching_embeddings(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    return follow(network, [Frame(frame.normed, frame.normed) for frame in case.frames])


def _class_head_the_other_way_round(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    assert network.tracker is not None
    weight = network.tracker.classes.weight
    weight.copy_(weight.roll(weight.shape[1] // 2, 1))
    return follow(network, case.frames)


def _masks_on_features_not_projected(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    assert network.tracker is not None
    patch.setattr(network.tracker, "project", lambda features: features)
    return follow(network, case.frames)


def _mask_head_before_the_norm(case: Unit, network: Dvis, patch: pytest.MonkeyPatch) -> list[Tracked]:
    assert network.tracker is not None
    return [replace(each, mask_embeds=network.tracker.masks(each.embeds)) for each in follow(network, case.frames)]


MISTAKES: dict[str, tuple[Callable[[Unit, Dvis, pytest.MonkeyPatch], list[Tracked]], str]] = {
    "no matching": (_no_matching, "tracker_logits"),
    "matching backwards": (_matching_backwards, "tracker_logits"),
    "first frame as the others": (_first_frame_as_the_others, "tracker_logits"),
    "later frames as the first": (_later_frames_as_the_first, "tracker_logits"),
    "forgetting between windows": (_forgetting_between_windows, "tracker_logits"),
    "content from the matching embeddings": (_content_from_the_matching_embeddings, "tracker_embds"),
    "class head the other way round": (_class_head_the_other_way_round, "tracker_logits"),
    "masks on features not projected": (_masks_on_features_not_projected, "tracker_masks"),
    "mask head before the norm": (_mask_head_before_the_norm, "tracker_masks"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_would_show(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (make, name), case, network = MISTAKES[mistake], unit("unit_tiny"), load("tiny")
    error = case.recording.error(name, arrays(network, case, make(case, network, monkeypatch))[name])
    print(f"{mistake}: {name} {error:.2g}")
    assert error > CLEARLY


@settings(deadline=None, max_examples=16)
@given(st.sets(st.integers(1, FRAMES - 1)))
def test_windows_change_nothing(cuts: set[int]) -> None:
    case, network = unit("unit_tiny"), model("tiny")
    assert network.tracker is not None
    state: TrackerState | None = None
    found: list[Tracked] = []
    borders = [0, *sorted(cuts), FRAMES]
    for start, end in pairwise(borders):
        for frame in case.frames[start:end]:
            tracked, state = network.tracker.step(state, frame)
            found.append(tracked)
        assert state is not None
        state = TrackerState(state.out.clone(), state.emb.clone())
    for one, other in zip(found, follow(network, case.frames), strict=True):
        assert torch.equal(one.embeds, other.embeds) and torch.equal(one.class_logits, other.class_logits)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_matching_finds_a_shuffle(queries: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    before = torch.randn(queries, 64, generator=random)
    shuffle = torch.randperm(queries, generator=random)
    order = match(before, 3 * before[shuffle] + 0.01 * torch.randn(queries, 64, generator=random))
    assert order.dtype == torch.int64
    assert torch.equal(shuffle[order], torch.arange(queries))


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_the_first_frame_keeps_its_order(seed: int) -> None:
    """Whatever its content: only the matching embeddings are compared, and with themselves."""
    network = model("tiny").tracker
    assert network is not None
    normed, raw = torch.randn(2, 20, 128, generator=torch.Generator().manual_seed(seed))
    tracked, state = network.step(None, Frame(normed, raw))
    assert tracked.order.equal(torch.arange(20)) and state.emb.equal(normed)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(seed))
    tracked, state = network.step(state, Frame(normed[order], raw))
    assert order[tracked.order].equal(torch.arange(20)) and state.emb.equal(normed)


def test_matching_bears_what_has_no_direction() -> None:
    before = torch.zeros(3, 4)
    before[1, 2] = float("nan")
    assert sorted(match(before, torch.zeros(3, 4)).tolist()) == [0, 1, 2]


def test_half_precision_around_it_does_not_coarsen_the_matching() -> None:
    """Embeddings so close to one another that their cosines are equal in half precision."""
    random = torch.Generator().manual_seed(0)
    before = torch.randn(1, 64, generator=random) + 0.03 * torch.randn(20, 64, generator=random)
    order = torch.randperm(20, generator=random)
    with torch.autocast("cpu", torch.bfloat16):
        assert order[match(before, before[order])].equal(torch.arange(20))


def test_half_precision_around_it_does_not_reach_the_matching() -> None:
    case, network = unit("unit_tiny"), model("tiny")
    with torch.autocast("cpu", torch.bfloat16):
        tracked = follow(network, case.frames)
    np.testing.assert_array_equal(torch.stack([each.order for each in tracked]), case.recording["match_indices"])
    assert all(each.embeds.dtype == torch.float32 for each in tracked)


def test_gradients_reach_every_weight() -> None:
    case, network = unit("unit_tiny"), load("tiny").requires_grad_(True)
    assert network.tracker is not None
    with torch.enable_grad():
        tracked = follow(network, case.frames[:2])
        total = sum((each.class_logits.square().sum() for each in tracked), torch.zeros(()))
        masked = network.tracker.project(case.mask_features[0])
        (total + masks(tracked[-1].mask_embeds, masked).square().sum()).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.tracker.parameters())
