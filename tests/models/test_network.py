"""Scores over other classes."""

import pytest
import torch

from vsscli.data.classes import ClassTable
from vsscli.data.classmap import ClassMap
from vsscli.models.network import DenseScores, QueryScores, apply_class_map

TABLE = ClassTable("t", ("a", "b", "c", "d"), ((0, 0, 0),) * 4, (False,) * 4)
QUERIES = QueryScores(torch.tensor([[0.1, 0.2, 0.3], [0.5, 0.0, 0.25]]), torch.randn(2, 3, 4))
DENSE = DenseScores(torch.tensor([1.0, 2.0, -1.0])[:, None, None].expand(3, 2, 2), True)


@pytest.mark.parametrize("scores", [QUERIES, DENSE])
def test_the_identity_changes_nothing(scores: QueryScores | DenseScores) -> None:
    assert apply_class_map(scores, ClassMap(TABLE, (0, 1, 2))) is scores


def test_probabilities_of_queries_are_summed_and_dropped() -> None:
    found = apply_class_map(QUERIES, ClassMap(TABLE, (3, -1, 3)))
    assert isinstance(found, QueryScores)
    torch.testing.assert_close(found.class_prob, torch.tensor([[0.4], [0.75]]))
    assert found.mask_logits is QUERIES.mask_logits
    found = apply_class_map(QUERIES, ClassMap(TABLE, (2, 0, 2)))
    assert isinstance(found, QueryScores)
    torch.testing.assert_close(found.class_prob, torch.tensor([[0.2, 0.4], [0.0, 0.75]]))


def test_logits_are_only_reordered_where_none_meet() -> None:
    found = apply_class_map(DENSE, ClassMap(TABLE, (3, -1, 0)))
    assert isinstance(found, DenseScores)
    assert found.logits
    assert found.values[:, 0, 0].tolist() == [-1.0, 1.0]


def test_logits_become_probabilities_where_some_meet() -> None:
    found = apply_class_map(DENSE, ClassMap(TABLE, (1, 0, 1)))
    assert isinstance(found, DenseScores)
    assert not found.logits
    share = torch.tensor([1.0, 2.0, -1.0]).softmax(0)
    torch.testing.assert_close(found.values[:, 1, 1], torch.stack([share[1], share[0] + share[2]]))


def test_summable_scores_are_summed_as_they_are() -> None:
    found = apply_class_map(DenseScores(DENSE.values, False), ClassMap(TABLE, (1, 0, 1)))
    assert isinstance(found, DenseScores)
    assert found.values[:, 0, 1].tolist() == [2.0, 0.0]
