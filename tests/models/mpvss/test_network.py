"""The model behind its protocol: from padded, normalised frames to scores."""

from dataclasses import replace

import pytest
import torch

from tests.models.dvis.cases import pixels
from tests.models.mpvss.cases import images, random_model, small_config
from vsscli.models.dvis.config import SwinBackbone
from vsscli.models.mpvss.config import MpvssConfig
from vsscli.models.mpvss.network import MpvssNetwork
from vsscli.models.network import KeyFrameNetwork, QueryScores, VideoNetwork
from vsscli.models.preprocess import Preprocess

BOTH = pytest.mark.parametrize("backbone", ["resnet", "swin"])


def config(backbone: str) -> MpvssConfig:
    """Small, with either backbone."""
    found = small_config()
    if backbone == "resnet":
        return found
    return replace(found, segmenter=replace(found.segmenter, backbone=SwinBackbone(8, (1, 1, 1, 1), (1, 1, 2, 2), 4)))


def network(of: MpvssConfig, dtype: torch.dtype = torch.float32) -> MpvssNetwork:
    return MpvssNetwork(random_model(of), Preprocess(None, None, divisor=32), torch.device("cpu"), dtype)


@BOTH
def test_frames_come_as_they_are_prepared(backbone: str) -> None:
    """Clip B is padded: the motion network gets its pictures back, to the bit, and nothing of the padding."""
    found, model = network(config(backbone)), random_model(config(backbone))
    clip, pictures = pixels("clipB"), images("clipB")
    assert isinstance(found, KeyFrameNetwork) and not isinstance(found, VideoNetwork)
    first, second = found.segment(clip[[0, 3]], (90, 150))
    (carried,) = found.carry(clip[4:5], (90, 150), [second])
    assert torch.equal(first.frame.image, pictures[0])
    with torch.no_grad():
        keys = model.segment(clip[[0, 3]], pictures[[0, 3]])
        (expected,) = model.carry(pictures[4:5], keys[1:])
    assert isinstance(carried, QueryScores) and carried.class_prob is second.scores.class_prob
    assert torch.equal(carried.mask_logits, expected) and not torch.equal(expected, keys[1].mask_logits)
    assert not carried.mask_logits.requires_grad


def test_half_precision_around_it_leaves_scores_in_single() -> None:
    """The CPU's stands for an accelerator's."""
    found = network(small_config(), torch.bfloat16)
    clip = pixels("clipA")
    (key,) = found.segment(clip[:1], (96, 160))
    (carried,) = found.carry(clip[1:2], (96, 160), [key])
    assert isinstance(carried, QueryScores)
    for tensor in (key.scores.class_prob, key.scores.mask_logits, carried.mask_logits):
        assert tensor.dtype == torch.float32 and tensor.isfinite().all()
    (exact,) = network(small_config()).segment(clip[:1], (96, 160))
    difference = (key.scores.class_prob - exact.scores.class_prob).abs().mean()
    assert 0 < difference < 0.05
