"""Class logits to label map: equal to the definition and to transformers."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.models.segformer.image_processing_pil_segformer import SegformerImageProcessorPil

from tests.infer.semantic_cases import (
    FRAME,
    GEOMETRIES,
    PADDED,
    SMALL,
    Size,
    assert_best,
    logit_scores,
    noise_like,
    sizes,
    trained_like,
)
from vsscli.errors import ModelError
from vsscli.infer.semantic import label_map_from_logits

Make = Callable[[int, Size, int], Tensor]


def label(logits: Tensor, ids: Tensor | None = None, prune: bool | None = None) -> Tensor:
    """The label map of a small frame."""
    return label_map_from_logits(logits, padded=PADDED, network=FRAME, out=FRAME, ids=ids, prune=prune)


def sure_logits(classes: int, size: Size, seed: int = 0) -> Tensor:
    """Segments: logarithms of what the queries of a trained network sum up to."""
    prob, masks = trained_like(classes, classes, size, seed=seed)
    return torch.einsum("qk,qhw->khw", prob, masks.sigmoid()).log()


def rough_logits(classes: int, size: Size, seed: int = 0) -> Tensor:
    return noise_like(classes, 1, size, seed)[1]


@settings(max_examples=400, deadline=None)
@given(
    sizes(),
    st.integers(1, 30),
    st.integers(0, 9999),
    st.sampled_from([sure_logits, rough_logits]),
    st.sampled_from([0.0, 1.0, 1.0, 100.0]),
    st.booleans(),
)
def test_equals_the_definition_at_any_size(
    way: tuple[Size, Size, Size, Size], classes: int, seed: int, make: Make, factor: float, rivals: bool
) -> None:
    coarse, padded, network, out = way
    logits = factor * make(classes, coarse, seed)
    if rivals:
        logits = torch.stack([logits, torch.nextafter(logits, torch.tensor(torch.inf))], 1).flatten(0, 1)
    plain = label_map_from_logits(logits, padded=padded, network=network, out=out, prune=False)
    assert torch.equal(plain, label_map_from_logits(logits, padded=padded, network=network, out=out, prune=True))
    assert_best(plain, logit_scores(logits, padded, network, out), equal_share=0.0)


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("make", [sure_logits, rough_logits])
def test_equals_the_definition_at_real_sizes(name: str, make: Make) -> None:
    coarse, padded, network, out = GEOMETRIES[name]
    logits = make(12, coarse, 0)
    plain = label_map_from_logits(logits, padded=padded, network=network, out=out, prune=False)
    assert torch.equal(plain, label_map_from_logits(logits, padded=padded, network=network, out=out, prune=True))
    assert_best(plain, logit_scores(logits, padded, network, out))


@pytest.mark.parametrize("out", [(128, 128), (240, 427), (427, 240), (101, 67)])
@pytest.mark.parametrize("make", [sure_logits, rough_logits])
def test_equals_transformers_where_nothing_is_padded(out: Size, make: Make) -> None:
    logits = make(24, (32, 32), 0)
    answer = SimpleNamespace(logits=logits[None])
    (theirs,) = SegformerImageProcessorPil().post_process_semantic_segmentation(answer, target_sizes=[out])
    ours = label_map_from_logits(logits, padded=(128, 128), network=(128, 128), out=out)
    assert (ours == theirs).float().mean() >= 0.9999


@pytest.mark.parametrize("prune", [True, False])
def test_of_equal_classes_the_first_wins(prune: bool) -> None:
    logits = sure_logits(20, SMALL)
    twice = torch.stack([logits, logits], 1).flatten(0, 1)
    labels = label(twice, prune=prune)
    assert torch.equal(labels, 2 * label(logits))


@pytest.mark.parametrize("prune", [True, False])
def test_ids_are_what_is_written(prune: bool) -> None:
    logits = sure_logits(20, SMALL)
    ids = torch.randperm(256)[:40].to(torch.uint8)
    for classes in (logits, torch.cat([logits, logits])):
        names = ids[: len(classes)]
        assert torch.equal(label(classes, ids=names, prune=prune), names[label(classes).long()])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_as_it_is(dtype: torch.dtype) -> None:
    logits = rough_logits(9, SMALL).to(dtype)
    assert torch.equal(label(logits), label(logits.float()))


def test_what_does_not_fit_is_refused() -> None:
    logits = rough_logits(9, SMALL)
    with pytest.raises(ValueError, match="three dimensions"):
        label(logits[None])
    with pytest.raises(ValueError, match="257 classes do not fit"):
        label(rough_logits(257, (2, 2)))
    with pytest.raises(ModelError, match="class scores .* not finite"):
        label(logits.half() * torch.inf)
