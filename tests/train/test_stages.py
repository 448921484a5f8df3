"""The stages: what they predict is what inference predicts, what learns is what should, and the loss falls."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.models.dvis.cases import OFFLINE
from tests.models.mpvss.cases import random_model as random_mpvss
from tests.models.mpvss.cases import small_config
from tests.train.small import PREPROCESS, config_of, random_model
from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.model import Dvis
from vsscli.train import noise
from vsscli.train.config import KIND, TrainConfig
from vsscli.train.criterion import Prediction
from vsscli.train.schedule import make_optimizer
from vsscli.train.stage import Stage
from vsscli.train.stages import STAGES, RefinerStage, SegmenterStage, TrackerStage
from vsscli.train.targets import Targets, Units, make_targets


def clip(frames: int, seed: int = 0) -> tuple[Tensor, list[Targets]]:
    """Two clips with squares that move, float32 [2, T, 3, 32, 64]."""
    chance = torch.Generator().manual_seed(seed)
    labels = torch.zeros(2, frames, 32, 64, dtype=torch.uint8)
    for t in range(frames):
        labels[0, t, 8:24, 4 + 4 * t : 28 + 4 * t], labels[1, t, 4:20, 40 - 4 * t :] = 7, 90
    labels[1, :, 28:] = 255
    pixels = torch.randn(2, frames, 3, 32, 64, generator=chance) * 0.1 + labels[:, :, None] / 60
    return pixels, [make_targets(each) for each in labels]


def stage_of(name: str, folder: Path, **changes: object) -> Stage:
    config = config_of(folder, name, init="models/x" if name != "segmenter" else "random", **changes)
    model = random_model(KIND[name]) if name in KIND else random_mpvss(small_config(12))
    return STAGES[name](model, config, PREPROCESS).train()


#: How the names of what learns begin.
LEARNS = {
    "segmenter": ("segmenter.",),
    "tracker": ("tracker.",),
    "refiner": ("refiner.",),
    "mpvss": (
        "motion.encoder.",
        "motion.",
        "segmenter.mask2former.class_predictor.",
        "segmenter.mask2former.model.transformer_module.decoder.mask_predictor.mask_embedder.",
    ),
}


@pytest.mark.parametrize("name", STAGES)
def test_the_loss_falls_and_only_the_stage_learns(name: str, tmp_path: Path) -> None:
    stage = stage_of(name, tmp_path, norms="frozen")
    pixels, targets = clip(3)
    before = {key: value.clone() for key, value in stage.model.state_dict().items()}
    optimizer = make_optimizer(stage, stage.config.optimizer)
    losses = []
    for step in range(25):
        optimizer.zero_grad()
        loss = torch.stack(list(stage(pixels, targets, step / 25, step).values())).sum()
        torch.autograd.backward(loss)
        missing = [key for key, each in stage.parameters_that_learn() if each.grad is None]
        assert not missing  # other processes would wait for them
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    changed = {key for key, value in stage.model.state_dict().items() if not torch.equal(value, before[key])}
    for part in LEARNS[name]:
        assert any(key.startswith(part) for key in changed)
    assert all(key.startswith(LEARNS[name]) for key in changed)
    norms = {name for name, module in stage.model.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    assert norms and not any(key.rpartition(".")[0] in norms for key in changed), "frozen: weights and statistics"


def test_batch_norms_learn_where_they_may(tmp_path: Path) -> None:
    stage = stage_of("segmenter", tmp_path, norms="batch")
    before = {key: value.clone() for key, value in stage.model.state_dict().items() if "running" in key}
    stage(*clip(1), 0.0, 0)
    after = stage.model.state_dict()
    assert all(not torch.equal(value, after[key]) for key, value in before.items())
    learning = {name for name, _ in stage.parameters_that_learn()}
    assert {key.replace("running_mean", "weight") for key in before if "running_mean" in key} <= learning
    tracker = stage_of("tracker", tmp_path, norms="batch")
    assert not any(module.training for module in tracker.model.modules())


def last_prediction(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, pixels: Tensor, targets: list[Targets]
) -> Prediction:
    """What the criterion is shown last."""
    shown: list[Prediction] = []
    inner = stage.criterion.losses

    def losses(found: Prediction, units: Units, answers: list[Tensor], chance: torch.Generator) -> dict[str, Tensor]:
        shown.append(found)
        return inner(found, units, answers, chance)

    monkeypatch.setattr(stage.criterion, "losses", losses)
    with torch.no_grad():
        stage.eval()(pixels, targets, 1.0, 0)
    return shown[-1]


def seen_and_tracked(model: Dvis, pixels: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
    """By the way of inference: raw, embeddings, class logits and mask logits of each frame of a clip."""
    assert model.tracker is not None
    seen, state = model.segmenter(pixels), None
    embeds, logits, maps = [], [], []
    for frame in seen:
        one, state = model.tracker.step(state, frame)
        embeds.append(one.embeds)
        logits.append(one.class_logits)
        maps.append(masks(one.mask_embeds, model.tracker.project(frame.mask_features)))
    return [frame.raw for frame in seen], embeds, logits, maps


def test_a_segmenter_predicts_in_training_what_it_predicts_in_inference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of("segmenter", tmp_path)
    assert isinstance(stage, SegmenterStage)
    pixels, targets = clip(2)
    found = last_prediction(stage, monkeypatch, pixels, targets)
    with torch.no_grad():
        seen = stage.model.segmenter(pixels.flatten(0, 1))
    torch.testing.assert_close(found.class_logits, torch.stack([frame.class_logits for frame in seen]))
    own = torch.stack([masks(frame.mask_embeds, frame.mask_features) for frame in seen])
    torch.testing.assert_close(found.mask_logits, own)


def test_a_tracker_predicts_in_training_what_it_predicts_in_inference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of("tracker", tmp_path)
    assert isinstance(stage, TrackerStage)
    pixels, targets = clip(3)
    noisy = last_prediction(stage, monkeypatch, pixels, targets)
    monkeypatch.setattr(noise, "SHARE", 0.0)
    found = last_prediction(stage, monkeypatch, pixels, targets)
    with torch.no_grad():
        _, _, logits, maps = seen_and_tracked(stage.model, pixels[1])
    torch.testing.assert_close(found.class_logits[3:], torch.stack(logits))
    torch.testing.assert_close(found.mask_logits[3:], torch.stack(maps))
    assert not torch.allclose(noisy.class_logits, found.class_logits)  # else the noise is not seen


def test_a_refiner_predicts_in_training_what_it_predicts_in_inference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stage_of("refiner", tmp_path)
    assert isinstance(stage, RefinerStage) and stage.model.refiner is not None
    pixels, targets = clip(3)
    found = last_prediction(stage, monkeypatch, pixels, targets)
    with torch.no_grad():
        raw, embeds, _, _ = seen_and_tracked(stage.model, pixels[0])
        refined = stage.model.refiner(torch.stack(embeds), torch.stack(raw))
        features = torch.stack([frame.mask_features for frame in stage.model.segmenter(pixels[0])])
    torch.testing.assert_close(found.class_logits[0], refined.class_logits)
    tall = masks(refined.mask_embeds, features).transpose(0, 1).flatten(1, 2)
    torch.testing.assert_close(found.mask_logits[0], tall)


@pytest.mark.parametrize("name", STAGES)
def test_nothing_but_void_is_no_loss_of_masks_and_no_error(name: str, tmp_path: Path) -> None:
    stage = stage_of(name, tmp_path)
    pixels, _ = clip(3)
    targets = [make_targets(torch.full((3, 32, 64), 255, dtype=torch.uint8))] * 2
    losses = stage(pixels, targets, 0.0, 0)
    assert all(float(loss.detach()) == 0 for term, loss in losses.items() if term != "label")
    assert {"mask", "dice", "label"} <= losses.keys() and ("identity" in losses) == (name != "mpvss")
    torch.autograd.backward(torch.stack(list(losses.values())).sum())
    assert all(each.grad is not None for _, each in stage.parameters_that_learn())


@pytest.mark.parametrize("name", STAGES)
def test_the_seed_decides(name: str, tmp_path: Path) -> None:
    stage = stage_of(name, tmp_path, norms="frozen")
    one, again, other = (stage(*clip(3), 0.6, seed) for seed in (1, 1, 2))
    assert all(torch.equal(one[term], again[term]) for term in one)
    assert not torch.equal(one["mask"], other["mask"])


def test_the_first_half_learns_from_what_is_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which query answers for a class is decided by the part before the stage, later by the stage itself."""
    for name in ("tracker", "refiner"):
        stage = stage_of(name, tmp_path)
        judged = watch_matching(stage, monkeypatch)
        pixels, targets = clip(3)
        stage(pixels, targets, 0.49, 0)
        stage(pixels, targets, 0.5, 0)
        assert [found.class_logits.requires_grad for found in judged] == [False, False, True, True]


def watch_matching(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[Prediction]:
    """The predictions by which queries are chosen, as they come."""
    judged: list[Prediction] = []
    inner = stage.criterion.match

    def match(found: Prediction, units: Units, chance: torch.Generator) -> list[Tensor]:
        judged.append(found)
        return inner(found, units, chance)

    monkeypatch.setattr(stage.criterion, "match", match)
    return judged


def test_a_frozen_vit_stays(tmp_path: Path) -> None:
    model = Dvis(replace(OFFLINE["tinyvit"], kind="segmenter", tracker=None, refiner=None))
    stage = SegmenterStage(model, TrainConfig("segmenter", 1, 1), PREPROCESS)
    names = {name for name, _ in stage.parameters_that_learn()}
    assert names and not any(".encoder.vit." in name for name in names)
    assert any(".encoder.extractors." in name for name in names) and any("level_embed" in name for name in names)
