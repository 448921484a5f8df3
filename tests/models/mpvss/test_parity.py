"""Stage by stage the full-size R50 computes what the published network computes, on both recorded clips."""

import pytest
import torch

from tests.models.dvis.cases import pixels
from tests.models.mpvss.cases import INTERVAL, images, key_arrays, key_frames, model, motion_arrays, recording
from vsscli.models.dvis.blocks import masks

CLIPS = ("clipA", "clipB")


def test_the_backbone_and_the_pixel_decoder() -> None:
    """The segmenter is that of DVIS++: here only that it is put together the same."""
    segmenter = model().segmenter
    with torch.no_grad():
        maps = segmenter.backbone(pixels("clipA")[:1])
        features, levels = segmenter.pixel_decoder(maps)
        logits, _, embeds = segmenter.predict(segmenter.query_states(features, levels)[0])
    recording("clipA").check(
        **{f"t0_res{i + 2}": each for i, each in enumerate(maps)},
        **{f"t0_multi_scale_{i}": each for i, each in enumerate(levels)},
        t0_mask_features=features,
        t0_key_logits_layer0=logits[0],
        t0_key_masks_layer0=masks(embeds, features)[0],
    )


@pytest.mark.parametrize("clip", CLIPS)
def test_key_frames(clip: str) -> None:
    found = key_arrays(clip, key_frames(clip))
    assert len(found) == 6
    recording(clip).check(**found)


@pytest.mark.parametrize("clip", CLIPS)
def test_frames_between(clip: str) -> None:
    """Every array that was recorded of them, and each was compared."""
    keys, compared = key_frames(clip), set[str]()
    for number, image in enumerate(images(clip)):
        key = keys[number // INTERVAL[clip] * INTERVAL[clip]]
        if number not in keys:
            found = motion_arrays(model(), image, key, number)
            there = {name: array for name, array in found.items() if name in recording(clip)}
            recording(clip).check(**there)
            compared |= set(there)
    between = {f"t{number}_" for number in range(len(images(clip))) if number not in keys}
    told = {n for n in recording(clip).arrays if n.startswith(tuple(between)) and "__" not in n}
    assert compared == told
