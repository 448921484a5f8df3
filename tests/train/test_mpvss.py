"""The stage of MPVSS: what is carried is what inference carries, what is told is told of the later frame alone."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.models.mpvss.cases import random_model as random_mpvss
from tests.models.mpvss.cases import small_config, write_random
from tests.train.small import MOTION, PREPROCESS, config_of, flownet_weights, random_model, write_model
from tests.train.test_stages import LEARNS, clip, last_prediction, stage_of
from tests.train.test_start import write_mask2former
from vsscli.data.classes import ClassTable, vspw_classes
from vsscli.errors import ModelError, OptionError, VssError
from vsscli.models.dvis.blocks import masks
from vsscli.models.mpvss.model import KeyFrame, Mpvss
from vsscli.models.mpvss.network import MpvssNetwork
from vsscli.models.preprocess import restore
from vsscli.train.criterion import Prediction
from vsscli.train.mpvss import MpvssStage
from vsscli.train.schedule import make_optimizer
from vsscli.train.stage import Stage
from vsscli.train.start import Start
from vsscli.train.start_mpvss import make_mpvss
from vsscli.train.targets import Targets, Units, make_targets

TABLE = vspw_classes()


def mpvss_stage(folder: Path) -> MpvssStage:
    stage = stage_of("mpvss", folder)
    assert isinstance(stage, MpvssStage)
    return stage


def pair(seed: int = 0) -> tuple[Tensor, list[Targets]]:
    """`clip` of two frames, as frames of whole numbers from 0 to 255 would be."""
    pixels, targets = clip(2, seed)
    values = restore(pixels, PREPROCESS).clamp(0, 255)
    mean, std = (torch.tensor(triple)[:, None, None] for triple in (PREPROCESS.mean, PREPROCESS.std))
    return (values - mean) / std, targets


def identity(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the motion network answer with the flow that moves nothing."""

    def still(frames: Tensor, keys: Tensor, queries: Tensor) -> Tensor:
        height, width = frames.shape[2] // 2, frames.shape[3] // 2  # the size of the masks
        x = torch.arange(width) / (width - 1)
        y = torch.arange(height)[:, None] / (height - 1)
        flow = torch.stack([x.expand(height, width), y.expand(height, width)])
        return flow.expand(*queries.shape[:2], -1, -1, -1)

    monkeypatch.setattr(stage.model.motion, "forward", still)


def test_it_carries_in_training_what_it_carries_in_inference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = mpvss_stage(tmp_path)
    pixels, targets = pair()
    found = last_prediction(stage, monkeypatch, pixels, targets)
    network = MpvssNetwork(stage.model, PREPROCESS, torch.device("cpu"), torch.float32)
    keys = network.segment(pixels[:, 0], (32, 64))
    carried = network.carry(pixels[:, 1], (32, 64), keys)
    for i, (key, scores) in enumerate(zip(keys, carried, strict=True)):
        torch.testing.assert_close(found.class_logits[i], key.frame.class_logits)
        torch.testing.assert_close(found.mask_logits[i], scores.mask_logits)  # type: ignore[union-attr]
    assert not torch.allclose(found.mask_logits[0], keys[0].frame.mask_logits, atol=0.1)  # it does move


def test_where_nothing_moves_the_loss_is_the_segmenters_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layer by layer, of the key frame's masks at the later frame's targets."""
    stage = mpvss_stage(tmp_path)
    identity(stage, monkeypatch)
    pixels, targets = pair()
    found = stage(pixels, targets, 0.0, 5)
    chance = torch.Generator().manual_seed(5)
    segmenter, units = stage.model.segmenter, Units([target.seen(1) for target in targets])
    features, levels = segmenter.pixel_decoder(segmenter.backbone(pixels[:, 0]))
    states = segmenter.query_states(features, levels)
    assert len(states) == 2
    own: dict[str, float] = {}
    for state in states:
        class_logits, _, embeds = segmenter.predict(state)
        prediction = Prediction(class_logits, masks(embeds, features))
        answers = stage.criterion.match(prediction, units, chance)
        for term, loss in stage.criterion.losses(prediction, units, answers, chance).items():
            own[term] = own.get(term, 0.0) + float(loss.detach())
    assert {term: float(loss.detach()) for term, loss in found.items()} == pytest.approx(own, rel=1e-4)
    monkeypatch.undo()
    moved = stage(pixels, targets, 0.0, 5)
    assert abs(float(moved["mask"].detach()) - own["mask"]) > 1e-3 * own["mask"]


def test_only_the_later_frame_is_told_and_only_classes_seen_in_it(tmp_path: Path) -> None:
    stage = mpvss_stage(tmp_path)
    pixels, _ = pair()
    labels = torch.zeros(2, 2, 32, 64, dtype=torch.uint8)
    labels[:, 1, 8:20, 8:40] = 7
    other = labels.clone()
    other[:, 0, :, 30:] = 55  # a class of the key frame alone
    one, same = (stage(pixels, [make_targets(each) for each in both], 0.0, 1) for both in (labels, other))
    assert all(torch.equal(one[term], same[term]) for term in one)
    other[:, 1, 0] = 55
    assert not torch.equal(one["label"], stage(pixels, [make_targets(each) for each in other], 0.0, 1)["label"])
    assert make_targets(other[0]).seen(0).labels.tolist() == [0, 55]


def test_padding_is_blank_for_the_flow(tmp_path: Path) -> None:
    """As in inference: what the padding holds after the colours are restored is no picture."""
    stage = mpvss_stage(tmp_path)
    pixels, _ = pair()
    targets = [make_targets(torch.zeros(2, 32, 64, dtype=torch.uint8), size) for size in ((32, 64), (20, 40))]
    images = stage._images(pixels, targets)
    assert images.shape == (2, 2, 3, 16, 32)
    assert images[0, :, :, 10:].all(0).any() and not images[1, :, :, 10:].any() and not images[1, ..., 20:].any()
    assert images[1, :, :, :10, :20].any()


def test_gradients_reach_all_that_learns_and_nothing_else(tmp_path: Path) -> None:
    stage = mpvss_stage(tmp_path)
    pixels, targets = pair()
    torch.autograd.backward(torch.stack(list(stage(pixels, targets, 0.0, 0).values())).sum())
    reached = {name for name, each in stage.model.named_parameters() if each.grad is not None and each.grad.any()}
    assert reached == {name for name, _ in stage.parameters_that_learn()}
    assert reached == {name for name, _ in stage.model.named_parameters() if name.startswith(LEARNS["mpvss"])}


def test_a_flow_is_learned_that_beats_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pair, whose key frame is segmented without a fault, and only the motion network learns."""
    start = make_mpvss(
        config_of(tmp_path, "mpvss", init=str(write_model(tmp_path / "x", "segmenter")), clip=PAIR), TABLE
    )
    stage = MpvssStage(start.model, config_of(tmp_path, "mpvss", init="x", optimizer=FAST), PREPROCESS).train()
    labels = torch.zeros(1, 2, 64, 96, dtype=torch.uint8)
    labels[0, 0, 16:48, 16:48], labels[0, 1, 16:48, 32:64] = 7, 7
    colours = torch.randn(2, 3, 1, 1, generator=torch.Generator().manual_seed(0))
    pixels = torch.where(labels[:, :, None] == 7, colours[0], colours[1])
    truth = (labels[0, 0, 2::4, 2::4] == torch.tensor([0, 7])[:, None, None]).float() * 16 - 8
    logits = torch.full((12, 125), -8.0)
    logits[0, 0] = logits[1, 7] = logits[2:, 124] = 8
    maps = torch.cat([truth, torch.full((10, 16, 24), -8.0)])[:, None]

    def perfect(pixels: Tensor, images: Tensor) -> tuple[list[Tensor], list[KeyFrame]]:
        return [logits[None]], [KeyFrame(logits, maps, torch.zeros(12, 32), images[0])]

    monkeypatch.setattr(stage, "_segment", perfect)
    targets = [make_targets(labels[0])]
    with monkeypatch.context() as patch:
        identity(stage, patch)
        copied = sum(float(loss) for loss in stage(pixels, targets, 0.0, 0).values())
    optimizer, losses = make_optimizer(stage, stage.config.optimizer), []
    for step in range(60):
        optimizer.zero_grad()
        loss = torch.stack(list(stage(pixels, targets, 0.0, step).values())).sum()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(float(loss.detach()))
    print(f"copied {copied:.2f}, first {losses[0]:.2f}, last {losses[-1]:.2f}")
    assert max(losses[-5:]) < 0.3 * copied


PAIR = {"frames": 2, "reach": 10}
FAST = {"lr": 0.003, "warmup": 0}


def start_of(folder: Path, init: Path | str, **changes: object) -> Start:
    return make_mpvss(config_of(folder, "mpvss", **{"init": str(init), "clip": PAIR, **changes}), TABLE)


@pytest.mark.parametrize("kind", ["segmenter", "online", "offline"])
def test_it_starts_with_any_segmenter_of_ours(kind: str, models: Path, tmp_path: Path) -> None:
    start = start_of(tmp_path, models / kind)
    assert isinstance(start.model, Mpvss)
    state, before = start.model.state_dict(), random_model(kind).state_dict()
    kept = {key for key in state if key.startswith("segmenter.")}
    assert kept == {key for key in before if key.startswith("segmenter.") and ".identity." not in key}
    assert all(torch.equal(state[key], before[key]) for key in kept)
    assert start.told == [f"from {models / kind} ({kind}), motion at random from seed 0"]
    assert start.entries["model_type"] == "mpvss" and start.entries["motion"] == MOTION
    again = start_of(tmp_path, models / kind).model.state_dict()
    other = start_of(tmp_path, models / kind, seed=1).model.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in again.items())
    assert not torch.equal(other["motion.encoder.stages.0.0.weight"], state["motion.encoder.stages.0.0.weight"])


def test_it_starts_with_a_model_of_its_own_kind(tmp_path: Path) -> None:
    folder = write_random(tmp_path / "mpvss")
    start = start_of(tmp_path, folder, model={})
    before = random_mpvss(small_config()).state_dict()
    assert all(torch.equal(value, before[key]) for key, value in start.model.state_dict().items())
    assert start.told == [f"from {folder} (MPVSS), all of its weights"]
    with pytest.raises(OptionError, match=r"model.motion is .* has another"):
        start_of(tmp_path, folder, model={"motion": {"layers": 1}})


def test_a_new_motion_network_says_the_authors_still_flow(models: Path, tmp_path: Path) -> None:
    model = start_of(tmp_path, models / "segmenter").model
    assert isinstance(model, Mpvss)
    flow = model.motion(torch.randn(1, 3, 32, 64), torch.randn(1, 3, 32, 64), torch.randn(1, 12, 32))
    assert torch.equal(flow, torch.ones_like(flow))
    with torch.no_grad():
        maps = model.motion.encoder(torch.randn(1, 3, 256, 256), torch.randn(1, 3, 256, 256))
    assert all(0.2 < float(each.std()) < 5 for each in maps)  # nothing fades or blows up on the way


def flownet(change: str = "") -> dict[str, Tensor]:
    found = flownet_weights()
    if change == "missing":
        del found["conv3.1.conv.bias"], found["conv6.0.conv.weight"]
    if change == "misshapen":
        found["conv1.0.conv.weight"] = torch.zeros(64, 6, 7, 7)
    return found


def test_a_flownet_gives_the_encoder_its_weights(models: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": flownet(), "meta": {}}, tmp_path / "flownet.pth")
    start = start_of(tmp_path, models / "segmenter", flownet=str(tmp_path / "flownet.pth"))
    assert isinstance(start.model, Mpvss)
    for ours, name in {"0.0": "conv1.0", "2.0": "conv3.0", "2.1": "conv3.1", "5.1": "conv6.1"}.items():
        for part in ("weight", "bias"):
            mine = start.model.motion.encoder.state_dict()[f"stages.{ours}.{part}"]
            assert torch.equal(mine, flownet()[f"{name}.conv.{part}"])
    assert start.told[1] == (
        f"its encoder from {tmp_path / 'flownet.pth'} (left out: deconv5.conv.weight, predict_flow6.conv.weight)"
    )


@pytest.mark.parametrize("change", ["missing", "misshapen"])
def test_a_flownet_that_does_not_fit_is_told(change: str, models: Path, tmp_path: Path) -> None:
    torch.save(flownet(change), tmp_path / "flownet.pth")
    sentence = {
        "missing": "conv3.1.conv.bias is missing; conv6.0.conv.weight is missing",
        "misshapen": r"conv1.0.conv.weight is \[64, 6, 7, 7\] and must be \[8, 6, 7, 7\]",
    }[change]
    with pytest.raises(ModelError, match=sentence):
        start_of(tmp_path, models / "segmenter", flownet=str(tmp_path / "flownet.pth"))


def test_what_does_not_fit_is_told(models: Path, tmp_path: Path) -> None:
    foreign = write_mask2former(tmp_path / "m2f", TABLE.names)
    other = ClassTable("other", ("a", "b"), ((1, 1, 1), (2, 2, 2)), (True, False))
    segmenter = str(models / "segmenter")
    cases: list[tuple[dict[str, object], ClassTable, type[VssError], str]] = [
        ({"init": str(foreign)}, TABLE, ModelError, "of the type 'mask2former', from which no MPVSS model"),
        ({"init": segmenter}, other, ModelError, "which are not the 2 of the table other"),
        ({"init": segmenter, "model": {"queries": 7}}, TABLE, OptionError, "model.queries is no entry that an mpvss"),
        ({"init": segmenter, "model": {"motion": {"width": 7}}}, TABLE, OptionError, "motion.width is an entry that"),
        ({"init": segmenter, "model": {"motion": {"layers": -1}}}, TABLE, OptionError, "motion.layers is -1"),
        ({"init": segmenter, "model": {"motion": 3}}, TABLE, OptionError, "motion is no JSON object"),
        ({"init": segmenter, "model": {"motion": {"heads": 5}}}, TABLE, OptionError, "width 32 is no multiple"),
        ({"init": segmenter, "flownet": str(tmp_path / "none")}, TABLE, ModelError, "is not there"),
    ]
    for changes, table, kind, sentence in cases:
        with pytest.raises(kind, match=sentence):
            make_mpvss(config_of(tmp_path, "mpvss", **{"clip": PAIR, **changes}), table)
