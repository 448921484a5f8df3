"""Matching and losses against the published functions' values for given numbers, and what must hold of any."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.fixtures.recorded import DVIS
from vsscli.train.contrast import contrast, cosine_loss, identity_loss
from vsscli.train.losses import class_loss, dice_loss, mask_loss
from vsscli.train.matching import Weights, assign, class_cost, dice_cost, mask_cost, total_cost
from vsscli.train.points import sample, unsure_points

CLOSE = 1e-5


@pytest.fixture(scope="module")
def vectors() -> dict[str, Tensor]:
    with np.load(Path(DVIS) / "unit_losses.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def at_points(vectors: dict[str, Tensor], name: str) -> Tensor:
    maps = vectors[name]
    return sample(maps, vectors["points"].expand(len(maps), -1, -1))


def test_costs_are_those_of_the_published_functions(vectors: dict[str, Tensor]) -> None:
    points, truth = at_points(vectors, "pred_masks"), at_points(vectors, "gt_masks")
    labels, logits = vectors["labels"], vectors["logits"]
    torch.testing.assert_close(mask_cost(points, truth), vectors["cost_mask"], rtol=CLOSE, atol=CLOSE)
    torch.testing.assert_close(dice_cost(points, truth), vectors["cost_dice"], rtol=CLOSE, atol=CLOSE)
    torch.testing.assert_close(class_cost(logits, labels), vectors["cost_class"], rtol=CLOSE, atol=1e-7)
    total = total_cost(logits, points, labels, truth, Weights())
    torch.testing.assert_close(total, vectors["cost_total"], rtol=CLOSE, atol=CLOSE)
    assert assign(total)[vectors["col"]].tolist() == vectors["row"].tolist()


def test_losses_are_those_of_the_published_functions(vectors: dict[str, Tensor]) -> None:
    row, col, logits = vectors["row"], vectors["col"], vectors["logits"]
    points, truth = at_points(vectors, "pred_masks")[row], at_points(vectors, "gt_masks")[col]
    torch.testing.assert_close(mask_loss(points, truth, 5), vectors["loss_mask"], rtol=CLOSE, atol=0)
    torch.testing.assert_close(dice_loss(points, truth, 5), vectors["loss_dice"], rtol=CLOSE, atol=0)
    labels = torch.full((1, 20), 124)
    labels[0, row] = vectors["labels"][col]
    torch.testing.assert_close(class_loss(logits[None], labels, 0.1), vectors["loss_ce"], rtol=CLOSE, atol=0)
    wrong = class_loss(logits[None], labels, 0.2)
    assert abs(float(wrong / vectors["loss_ce"]) - 1) > 0.01  # else the weight of "no object" is not seen


def test_contrastive_terms_are_those_of_the_published_functions(vectors: dict[str, Tensor]) -> None:
    same = vectors["pos_label"].bool()[None]
    terms = vectors["anchor"], vectors["embeddings"], same
    torch.testing.assert_close(identity_loss(*terms)[0], vectors["loss_reid"], rtol=CLOSE, atol=0)
    torch.testing.assert_close(cosine_loss(*terms)[0], vectors["loss_aux_reid"], rtol=CLOSE, atol=0)


def test_points_are_in_the_frame_of_the_map() -> None:
    maps = torch.arange(12.0).view(1, 3, 4)
    centres = torch.tensor([[[0.125, 1 / 6], [0.875, 5 / 6], [0.5, 0.5]]])
    torch.testing.assert_close(sample(maps, centres), torch.tensor([[0.0, 11.0, 5.5]]))


@given(st.integers(0, 99), st.integers(2, 40), st.sampled_from([0.0, 0.5, 0.75, 1.0]))
@settings(max_examples=20, deadline=None)
def test_unsure_points_lie_where_the_prediction_is_unsure(seed: int, count: int, importance: float) -> None:
    logits = torch.linspace(-20, 20, 64)[None, None].expand(2, 32, 64)
    chance = torch.Generator().manual_seed(seed)
    points = unsure_points(logits, count, 8.0, importance, chance)
    assert points.shape == (2, count, 2) and bool(((points >= 0) & (points <= 1)).all())
    chosen = int(importance * count)
    if chosen:
        distance = (points[:, :chosen, 0] - 0.5).abs()
        assert float(distance.mean()) < 0.13  # uniform points have a mean of 0.25
    again = unsure_points(logits, count, 8.0, importance, torch.Generator().manual_seed(seed))
    assert torch.equal(points, again)


@given(st.integers(0, 8), st.integers(0, 4), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_an_assignment_is_one_to_one_and_no_worse_than_any_other(targets: int, spare: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    cost = torch.from_numpy(random.normal(size=(targets + spare, targets))).float()
    answers = assign(cost).tolist()
    assert len(answers) == len(set(answers)) == targets
    other = random.permutation(targets + spare)[:targets]
    assert cost[answers, range(targets)].sum() <= cost[other, range(targets)].sum() + 1e-5


def test_broken_numbers_still_give_an_assignment() -> None:
    assert len(assign(torch.full((3, 2), torch.nan))) == 2


@given(st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_contrast_is_lower_for_queries_that_stay_alike(seed: int) -> None:
    torch.manual_seed(seed)
    first = torch.nn.functional.normalize(torch.randn(8, 16), dim=1) * 3
    order = torch.randperm(8)
    then = first[order]
    places = torch.empty(8, dtype=torch.int64)
    places[order] = torch.arange(8)
    anchors = torch.tensor([1, 4, 6])
    right = contrast([first, then], [anchors, places[anchors]])
    wrong = contrast([first, then], [anchors, places[(anchors + 1) % 8]])
    assert all(good < bad for good, bad in zip(right, wrong, strict=True))
    assert [float(term) for term in contrast([first], [anchors])] == [0, 0]
