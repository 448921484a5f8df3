"""The head of pixels: its loss is the plain cross-entropy of labels, it learns, and the model is kept without it."""

import math
import re
from pathlib import Path

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from tests.train.small import write_config
from tests.train.test_stages import clip, stage_of
from vsscli.cli.main import run
from vsscli.train.pixels import PixelHead
from vsscli.train.schedule import make_optimizer
from vsscli.train.targets import make_targets


@given(
    seed=st.integers(0, 10**6),
    frames=st.integers(1, 3),
    height=st.integers(1, 4),
    width=st.integers(1, 4),
    stride=st.sampled_from([1, 4, 8]),
    void=st.floats(0, 1),
)
def test_the_loss_is_the_mean_over_places_with_a_label(
    seed: int, frames: int, height: int, width: int, stride: int, void: float
) -> None:
    chance = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 6, (2, frames, height * stride, width * stride), generator=chance, dtype=torch.uint8)
    labels[torch.rand(labels.shape, generator=chance) < void] = 255
    head = PixelHead(3, 6)
    torch.nn.init.normal_(head.project.weight, generator=chance)
    level = torch.randn(2 * frames, 3, height, width, generator=chance)
    found = head(level, [make_targets(each) for each in labels])
    middle = labels[:, :, stride // 2 :: stride, stride // 2 :: stride].flatten(0, 1).long()
    each = cross_entropy(head.project(level), middle, ignore_index=255, reduction="none")
    wanted = each[middle != 255].mean() if bool((middle != 255).any()) else torch.zeros(())
    torch.testing.assert_close(found, wanted)


def test_at_first_it_knows_no_class() -> None:
    level, labels = torch.randn(1, 3, 2, 2), torch.tensor([[[0, 1], [4, 5]]], dtype=torch.uint8)
    loss = PixelHead(3, 6)(level, [make_targets(labels)]).detach()
    assert math.isclose(float(loss), math.log(6), rel_tol=1e-6)


def test_it_learns_and_the_backbone_through_it(tmp_path: Path) -> None:
    """Its gradient alone reaches the backbone and the pixel decoder, and makes its term fall."""
    stage = stage_of("segmenter", tmp_path, norms="frozen", loss={"points": 64, "pixels": 1.0})
    pixels, targets = clip(2)
    optimizer = make_optimizer(stage, stage.config.optimizer)
    told: list[Tensor] = []
    for step in range(40):
        optimizer.zero_grad()
        losses = stage(pixels, targets, 0.0, step)
        losses["pixels"].backward()
        optimizer.step()
        told.append(losses["pixels"].detach())
    assert float(told[-1]) < 0.7 * float(told[0])
    reached = {name for name, each in stage.parameters_that_learn() if each.grad is not None}
    assert {"heads.pixels.project.weight", "heads.pixels.project.bias"} <= reached
    assert any(".encoder." in name for name in reached) and any(".decoder." in name for name in reached)


def test_the_other_terms_are_those_without_it(tmp_path: Path) -> None:
    with_it, without = (
        stage_of("segmenter", tmp_path, norms="frozen", loss={"points": 64, "pixels": weight})(*clip(2), 0.0, 3)
        for weight in (2.0, 0.0)
    )
    assert with_it.keys() - without.keys() == {"pixels"}
    assert all(torch.equal(with_it[term], value) for term, value in without.items())


def test_nothing_but_void_is_no_loss(tmp_path: Path) -> None:
    stage = stage_of("segmenter", tmp_path, loss={"points": 64, "pixels": 1.0})
    targets = [make_targets(torch.full((2, 32, 64), 255, dtype=torch.uint8))] * 2
    losses = stage(clip(2)[0], targets, 0.0, 0)
    torch.autograd.backward(torch.stack(list(losses.values())).sum())
    assert float(losses["pixels"].detach()) == 0
    assert all(bool(each.grad.isfinite().all()) for _, each in stage.parameters_that_learn() if each.grad is not None)


def test_the_model_is_kept_without_it(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loss = {"points": 64, "pixels": 2.0}
    config = write_config(tmp_path / "c.yaml", steps=3, loss=loss, validation={"split": None})
    words = ["train", str(config), "--data", str(data), "--device", "cpu", "--out"]
    assert run([*words, str(tmp_path / "whole")]) == 0
    told = re.search(r"([\d.]+) M of ([\d.]+) M parameters learn", capsys.readouterr().err)
    assert told is not None and float(told[1]) <= float(told[2])
    kept = load_file(tmp_path / "whole" / "model.safetensors")
    assert kept and not any("pixels" in name or name.startswith("heads") for name in kept)
    state = torch.load(tmp_path / "whole" / ".vsscli" / "checkpoint.pt", weights_only=True)
    assert float(state["heads"]["pixels.project.weight"].abs().sum()) > 0
    words = ["infer", str(data), "--model", str(tmp_path / "whole"), "--device", "cpu", "--out"]
    assert run([*words, str(tmp_path / "run")]) == 0
