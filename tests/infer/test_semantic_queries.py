"""Queries to label map: equal to the definition, whatever is left out on the way."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from tests.infer.semantic_cases import (
    GEOMETRIES,
    SMALL,
    Make,
    Size,
    assert_best,
    label,
    noise_like,
    query_scores,
    sizes,
    trained_like,
    true_scores,
    with_rivals,
)
from vsscli.infer.semantic import label_map_from_queries
from vsscli.infer.semantic.grid import grid
from vsscli.infer.semantic.queries import QueryScores


@st.composite
def answers(draw: st.DrawFn, size: Size) -> tuple[Tensor, Tensor]:
    queries, classes, seed = draw(st.integers(1, 20)), draw(st.integers(1, 40)), draw(st.integers(0, 9999))
    make: list[Make] = [noise_like, trained_like]
    prob, logits = draw(st.sampled_from(make))(queries, classes, size, seed=seed)
    logits = logits * draw(st.sampled_from([0.0, 0.1, 1.0, 1.0, 30.0]))
    rivals = draw(st.sampled_from([None, None, 0, 1, 3]))
    return (prob if rivals is None else with_rivals(prob, rivals)), logits


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_equals_the_definition_at_any_size(data: st.DataObject) -> None:
    coarse, padded, network, out = data.draw(sizes())
    prob, logits = data.draw(answers(coarse))
    plain = label_map_from_queries(prob, logits, padded=padded, network=network, out=out, prune=False)
    pruned = label_map_from_queries(prob, logits, padded=padded, network=network, out=out, prune=True)
    assert torch.equal(plain, pruned)
    assert_best(plain, query_scores(prob, logits, padded, network, out), equal_share=0.0)


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("make", [trained_like, noise_like])
def test_equals_the_definition_at_real_sizes(name: str, make: Make) -> None:
    coarse, padded, network, out = GEOMETRIES[name]
    prob, logits = make(10, 16, coarse)
    plain = label_map_from_queries(prob, logits, padded=padded, network=network, out=out, prune=False)
    pruned = label_map_from_queries(prob, logits, padded=padded, network=network, out=out, prune=True)
    assert torch.equal(plain, pruned)
    assert_best(plain, query_scores(prob, logits, padded, network, out))


@pytest.mark.parametrize(
    ("name", "make", "queries"),
    [("480p, padded", trained_like, 100), ("480p, padded", noise_like, 100), ("720 to 480", trained_like, 40)],
)
def test_equals_torch_in_full(name: str, make: Make, queries: int) -> None:
    """All 124 classes, and the definition in torch's own operators."""
    coarse, padded, network, out = GEOMETRIES[name]
    prob, logits = make(queries, 124, coarse)
    masks = functional.interpolate(logits[None], size=padded, mode="bilinear", align_corners=False)
    masks = masks[:, :, : network[0], : network[1]].sigmoid()
    if network != out:
        masks = functional.interpolate(masks, size=out, mode="bilinear", align_corners=False)
    theirs = torch.cat(
        [torch.einsum("qk,qhw->khw", prob, part).argmax(0) for part in masks[0].split(60, 1)]  # type: ignore[no-untyped-call]
    )
    ours = label_map_from_queries(prob, logits, padded=padded, network=network, out=out)
    assert (ours == theirs).float().mean() >= 0.9999
    assert torch.equal(ours, label_map_from_queries(prob, logits, padded=padded, network=network, out=out, prune=False))


@pytest.mark.parametrize("ulps", [1, 2, 10, 1000])
@pytest.mark.parametrize("prune", [True, False])
@pytest.mark.parametrize("out", [(96, 160), (70, 131)])
def test_leads_far_below_single_precision_are_seen(ulps: int, prune: bool, out: Size) -> None:
    """Each class has a rival whose score is larger by 1e-7 of it and less: every label must be a rival's."""
    prob, logits = trained_like(30, 20, SMALL)
    prob = with_rivals(prob, ulps)
    labels = label_map_from_queries(prob, logits, padded=(96, 160), network=(96, 160), out=out, prune=prune)
    assert (labels % 2 == 1).all()
    assert_best(labels, query_scores(prob, logits, (96, 160), (96, 160), out), equal_share=1.0)


@pytest.mark.parametrize("prune", [True, False])
def test_of_equal_classes_the_first_wins(prune: bool) -> None:
    prob, logits = trained_like(30, 20, SMALL)
    labels = label(with_rivals(prob, 0), logits, prune=prune)
    assert torch.equal(labels, 2 * label(prob, logits))
    nothing = label(torch.zeros(30, 20), logits, prune=prune)
    assert not nothing.any()


def test_a_class_that_leads_in_one_pixel_only_is_found() -> None:
    """It leads no tile, so it is no candidate: the bound on the others must call it in."""
    prob, logits = trained_like(30, 40, SMALL, segments=4)
    spare = int(prob.sum(0).argmin())
    prob = torch.cat([prob, torch.eye(40)[spare : spare + 1]])
    spike = torch.full(SMALL, -30.0)
    spike[11, 17] = 30.0
    logits = torch.cat([logits, spike[None]])
    labels = label(prob, logits, prune=True)
    assert 1 <= int((labels == spare).sum()) <= 64
    assert_best(labels, true_scores(prob, logits), equal_share=1.0)


def test_most_of_a_sure_frame_is_not_resized() -> None:
    coarse, padded, network, out = GEOMETRIES["480p, padded"]
    prob, logits = trained_like(100, 124, coarse)
    way = grid(coarse, padded, network, out, logits.device)
    alive = QueryScores(prob, logits, torch.arange(124.0), way).alive()
    assert alive.any(0).all()
    assert (alive.sum(0) == 1).float().mean() > 0.6


@pytest.mark.parametrize("prune", [True, False])
def test_ids_are_what_is_written(prune: bool) -> None:
    prob, logits = trained_like(30, 20, SMALL)
    ids = torch.randperm(256)[:40].to(torch.uint8)
    for classes in (prob, with_rivals(prob, 0)):
        names = ids[: classes.shape[1]]
        assert torch.equal(label(classes, logits, ids=names, prune=prune), names[label(classes, logits).long()])


def test_ids_allow_more_classes_than_labels() -> None:
    prob, logits = trained_like(30, 300, SMALL)
    ids = (torch.arange(300) % 7).to(torch.uint8)
    labels = label(prob, logits, ids=ids)
    best = torch.from_numpy(true_scores(prob, logits).argmax(0))
    assert (labels == ids[best]).float().mean() > 0.9999
    with pytest.raises(ValueError, match="300 classes do not fit"):
        label(prob, logits)
