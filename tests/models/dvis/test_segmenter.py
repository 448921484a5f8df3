"""The segmenter against the network of ``transformers`` that it is made of, and mistakes that would show."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.fixtures.recorded import recorded
from tests.models.dvis.cases import OFFLINE, load, model, pixels, segmenter_arrays, watch, watched
from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.config import DvisConfig, SwinBackbone
from vsscli.models.dvis.model import Dvis, build
from vsscli.models.dvis.segmenter import Segmenter

CLEARLY = 1e-3


@pytest.fixture(autouse=True)
def _no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


def swin(seed: int = 0) -> Dvis:
    """A small Swin segmenter with random weights."""
    backbone = SwinBackbone(16, (1, 2, 2, 1), (1, 2, 2, 4), 4)
    config = DvisConfig("segmenter", backbone, ("a", "b", "c"), 7, 64, 4, 2, 32, 4, 32)
    return _random(build(config), seed)


def _random(network: Dvis, seed: int) -> Dvis:
    random = torch.Generator().manual_seed(seed)
    state = {
        key: torch.randn(value.shape, generator=random) / max(1, value[0].numel() if value.ndim > 1 else 4) ** 0.5
        for key, value in network.state_dict().items()
    }
    network.load_state_dict(state, assign=True)
    return network


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 2), st.sampled_from(["tiny", "swin"]))
def test_it_is_transformers_network(rows: int, columns: int, batch: int, kind: str) -> None:
    """In float64 from the queries on: whether a mask is on at a place must not hang on the last digit."""
    network = model("tiny").segmenter if kind == "tiny" else swin().segmenter
    random = torch.Generator().manual_seed(rows + 10 * columns)
    given_ = torch.randn(batch, 3, 32 * rows, 32 * columns, generator=random)
    features, levels = network.pixel_decoder(network.backbone(given_))
    whole = network.mask2former.model(given_)
    torch.testing.assert_close(features, whole.pixel_decoder_last_hidden_state, atol=1e-4, rtol=1e-4)

    exact = deepcopy(network).double()
    features, levels = features.double(), [level.double() for level in levels]
    theirs = exact.mask2former.model.transformer_module(levels, features, output_hidden_states=True)
    states = exact.query_states(features, levels)
    assert len(states) == len(theirs.intermediate_hidden_states) == len(theirs.masks_queries_logits)
    torch.testing.assert_close(states[-1], theirs.last_hidden_state)
    for state, normed, logits in zip(
        states, theirs.intermediate_hidden_states, theirs.masks_queries_logits, strict=True
    ):
        found = exact.predict(state)
        torch.testing.assert_close(found[0], exact.mask2former.class_predictor(normed.transpose(0, 1)))
        torch.testing.assert_close(found[1], normed.transpose(0, 1))
        torch.testing.assert_close(masks(found[2], features), logits)


def test_frames_do_not_see_each_other() -> None:
    network, clip = model("tiny").segmenter, pixels("clipA")[:3]
    for i, frame in enumerate(network(clip)):
        alone = network(clip[i : i + 1])[0]
        torch.testing.assert_close(frame.class_logits, alone.class_logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(frame.mask_features, alone.mask_features, atol=1e-4, rtol=1e-4)


def test_without_identities_the_queries_stand_alone() -> None:
    config = replace(OFFLINE["tiny"], kind="segmenter", reid=False, tracker=None, refiner=None)
    network = build(config)
    weights = model("tiny").state_dict()
    network.load_state_dict({key: weights[key] for key in network.state_dict()}, assign=True)
    for bare, full in zip(network.segmenter(pixels("clipA")), watched("tiny", "clipA").frames, strict=True):
        assert bare.normed.shape == (20, 64)
        torch.testing.assert_close(bare.normed, full.normed[:, :64])
        torch.testing.assert_close(bare.raw, full.raw[:, :64])
        assert full.normed[:, 64:].equal(full.raw[:, 64:])


def test_half_precision_around_it_does_not_reach_the_pixel_decoder() -> None:
    network, clip = model("tiny").segmenter, pixels("clipA")[:1]
    with torch.autocast("cpu", torch.bfloat16):
        maps = network.backbone(clip)
        features, levels = network.pixel_decoder(maps)
        frame = network(clip)[0]
    exact = network.pixel_decoder([each.float() for each in maps])
    assert maps[0].dtype == torch.bfloat16
    assert features.equal(exact[0]) and all(a.equal(b) for a, b in zip(levels, exact[1], strict=True))
    assert frame.mask_features.dtype == torch.float32
    assert frame.normed.dtype == frame.raw.dtype == torch.float32


def test_gradients_reach_every_weight() -> None:
    network = load("tiny").segmenter.requires_grad_(True)
    with torch.enable_grad():
        frames = network(pixels("clipA")[:1])
        outputs = (frames[0].class_logits, frames[0].normed, masks(frames[0].mask_embeds, frames[0].mask_features))
        sum((each.square().mean() for each in outputs), torch.zeros(())).backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None]


def test_nothing_is_initialised_but_what_follows_from_sizes() -> None:
    network = build(swin().config)
    assert {each.device.type for each in network.parameters()} == {"meta"}
    index = [each for name, each in network.named_buffers() if name.endswith("relative_position_index")]
    assert len(index) == 6
    for each in index:  # of two places in a window of 4 x 4: 7 x 7 differences
        assert each.device.type == "cpu" and each.view(16, 16)[0, 15] == 0 and each.view(16, 16)[15, 0] == 48
        assert (each.view(16, 16).diagonal() == 24).all()


Mistake = Callable[[Dvis, pytest.MonkeyPatch], Tensor]


def _blue_and_red_exchanged(network: Dvis, patch: pytest.MonkeyPatch) -> Tensor:
    return pixels("clipA", bgr=True)


def _another_epsilon(network: Dvis, patch: pytest.MonkeyPatch) -> Tensor:
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.eps = 1e-3
    return pixels("clipA")


def _attention_everywhere(network: Dvis, patch: pytest.MonkeyPatch) -> Tensor:
    allowed = Segmenter._allowed
    patch.setattr(Segmenter, "_allowed", lambda *given_: torch.ones_like(allowed(*given_)))
    return pixels("clipA")


def _attention_outside(network: Dvis, patch: pytest.MonkeyPatch) -> Tensor:
    allowed = Segmenter._allowed
    patch.setattr(Segmenter, "_allowed", lambda *given_: ~allowed(*given_) | allowed(*given_).all(-1, keepdim=True))
    return pixels("clipA")


def _levels_the_other_way_round(network: Dvis, patch: pytest.MonkeyPatch) -> Tensor:
    states = Segmenter.query_states
    patch.setattr(Segmenter, "query_states", lambda self, features, levels: states(self, features, levels[::-1]))
    return pixels("clipA")


MISTAKES: dict[str, tuple[Mistake, str]] = {
    "blue and red exchanged": (_blue_and_red_exchanged, "res2"),
    "another epsilon": (_another_epsilon, "mask_features"),
    "attention everywhere": (_attention_everywhere, "pred_logits"),
    "attention outside the masks": (_attention_outside, "pred_logits"),
    "levels the other way round": (_levels_the_other_way_round, "pred_logits"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_would_show(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (make, name), network = MISTAKES[mistake], load("tiny")
    clip = make(network, monkeypatch)
    recording = recorded("tiny_segmenter_clipA")
    error = recording.error(name, segmenter_arrays(network, clip, watch(network, clip))[name])
    print(f"{mistake}: {name} {error:.2g}")
    assert error > CLEARLY
