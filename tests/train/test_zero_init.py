"""A new tracker or refiner with ``zero_init`` says what the part before it says, and all of it can learn."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from tests.train.small import PREPROCESS, config_of, random_model
from tests.train.test_stages import clip
from vsscli.data.classes import vspw_classes
from vsscli.errors import OptionError
from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.config import HeadConfig
from vsscli.models.dvis.model import Dvis
from vsscli.models.dvis.segmenter import Segmented
from vsscli.models.dvis.tracker import Tracked
from vsscli.train.stages import STAGES
from vsscli.train.start import make_model
from vsscli.train.zero_init import follow_segmenter, follow_tracker

TABLE = vspw_classes()


def layers_of(model: Dvis, count: int) -> Dvis:
    """``model`` with a tracker and a refiner of so many layers, their weights at random."""
    head = HeadConfig(count, 4, 32)
    found = Dvis(replace(model.config, kind="offline", tracker=head, refiner=head)).eval()
    found.segmenter.load_state_dict(model.segmenter.state_dict())
    return found


@torch.no_grad()
def video(model: Dvis, frames: int, seed: int) -> list[Segmented]:
    random = torch.Generator().manual_seed(seed)
    found: list[Segmented] = model.segmenter(torch.randn(frames, 3, 32, 64, generator=random))
    return found


def shake(part: nn.Module, seed: int) -> None:
    """Other weights at random everywhere, as after a training."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=random))


@torch.no_grad()
def follow(model: Dvis, seen: list[Segmented]) -> list[Tracked]:
    assert model.tracker is not None
    found, state = [], None
    for frame in seen:
        one, state = model.tracker.step(state, frame)
        found.append(one)
    return found


def close(found: Tensor, wanted: Tensor, share: float) -> None:
    assert float((found - wanted).norm() / wanted.norm()) < share


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 3), said=st.sampled_from([0.0, 0.3]))
def test_a_tracker_says_what_the_segmenter_says(seed: int, count: int, said: float) -> None:
    """To rounding where identities are zero; nearly where they are small."""
    model = layers_of(random_model("segmenter"), count)
    assert model.segmenter.identity is not None and model.tracker is not None
    shake(model.segmenter.mask2former.class_predictor, seed)
    shake(model.segmenter.mask2former.model.transformer_module.decoder.mask_predictor, seed)
    for parameter in model.segmenter.identity.layers[-1].parameters():
        parameter.data.mul_(said)
    follow_segmenter(model.tracker, model.segmenter)
    seen = video(model, 3, seed)
    for frame, tracked in zip(seen, follow(model, seen), strict=True):
        own = masks(frame.mask_embeds, frame.mask_features)[tracked.order]
        followed = masks(tracked.mask_embeds, model.tracker.project(frame.mask_features)).detach()
        share = 1e-4 if said == 0 else 0.15
        close(tracked.class_logits, frame.class_logits[tracked.order], share)
        close(followed, own, share)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 3))
def test_a_refiner_says_what_the_tracker_says(seed: int, count: int) -> None:
    """To rounding where the tracker's last norm is plain, its classes owe nothing to the frame before, and its features
    have no bias; all else of the tracker is anything.
    """
    model = layers_of(random_model("segmenter"), count)
    tracker, refiner = model.tracker, model.refiner
    assert tracker is not None and refiner is not None
    shake(tracker, seed)
    tracker.layers[-1].ffn.norm.reset_parameters()  # type: ignore[union-attr, operator]
    tracker.classes.weight.data[:, : model.config.head_width] = 0
    assert tracker.features.bias is not None
    tracker.features.bias.data.zero_()
    follow_tracker(refiner, tracker)
    seen = video(model, 4, seed)
    tracked = follow(model, seen)
    with torch.no_grad():
        refined = refiner(torch.stack([each.embeds for each in tracked]), torch.stack([each.raw for each in seen]))
        features = torch.stack([each.mask_features for each in seen])
        theirs = masks(torch.stack([each.mask_embeds for each in tracked]), tracker.project(features))
    close(refined.class_logits, torch.stack([each.class_logits for each in tracked]).mean(0), 1e-4)
    close(masks(refined.mask_embeds, features), theirs, 1e-4)


@pytest.mark.parametrize(("stage", "kind"), [("tracker", "segmenter"), ("refiner", "online")])
def test_nothing_of_it_is_dead(stage: str, kind: str, models: Path, tmp_path: Path) -> None:
    """After a few steps a good part of every tensor has moved, also of its zeros and of what lies behind zeros."""
    config = config_of(tmp_path, stage, init=str(models / kind), zero_init=True)
    made = STAGES[stage](make_model(config, TABLE).model, config, PREPROCESS).train()
    before = {name: value.clone() for name, value in made.trained().state_dict().items()}
    optimizer = torch.optim.Adam(made.trained().parameters(), 1e-3)
    pixels, targets = clip(config.clip.frames)
    for step in range(4):
        optimizer.zero_grad()
        torch.stack(list(made(pixels, targets, 0.0, step).values())).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    for name, value in made.trained().state_dict().items():
        moved, zero = value != before[name], before[name] == 0
        assert moved.float().mean() > 0.3, name
        assert not bool(zero.any()) or moved[zero].float().mean() > 0.3, name


def test_what_is_new_is_told_and_nothing_else_changes(models: Path, tmp_path: Path) -> None:
    for stage, kind, other in (("tracker", "segmenter", "segmenter"), ("refiner", "online", "tracker")):
        start = make_model(config_of(tmp_path, stage, init=str(models / kind), zero_init=True), TABLE)
        (told,) = start.told
        assert told.endswith(f"{stage} at random from seed 0, adding nothing at first: its heads are the {other}'s")
        state, before = start.model.state_dict(), random_model(kind).state_dict()
        assert all(torch.equal(state[key], value) for key, value in before.items())


@pytest.mark.parametrize(
    ("stage", "changes", "sentence"),
    [
        ("segmenter", {}, "zero_init is for a tracker or a refiner, and the stage is segmenter"),
        ("mpvss", {"init": "segmenter"}, "zero_init is for a tracker or a refiner, and the stage is mpvss"),
        ("tracker", {"init": "online"}, "zero_init is for a new tracker, and init .*online has a trained one"),
        ("refiner", {"init": "offline"}, "zero_init is for a new refiner, and init .*offline has a trained one"),
    ],
)
def test_where_nothing_is_new_it_is_refused(
    stage: str, changes: dict[str, Any], sentence: str, models: Path, tmp_path: Path
) -> None:
    init = {"init": str(models / changes["init"])} if changes else {}
    with pytest.raises(OptionError, match=sentence):
        make_model(config_of(tmp_path, stage, zero_init=True, **init, model={}), TABLE)
