"""The recorded models and clips: how they are made, and one watched at work stage by stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tests.fixtures.formula import weights
from tests.fixtures.recorded import CLIPS, key_list
from vsscli.data.classes import vspw_classes
from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.config import DvisConfig, HeadConfig, ResNetBackbone, ViTAdapterBackbone
from vsscli.models.dvis.keys import translate
from vsscli.models.dvis.model import Dvis, build
from vsscli.models.dvis.refiner import Refined
from vsscli.models.dvis.segmenter import Segmented
from vsscli.models.dvis.tracker import Tracked, TrackerState
from vsscli.models.preprocess import Preprocess, prepare

_NAMES = vspw_classes().names
_FULL, _SMALL = HeadConfig(), HeadConfig(layers=3, ffn=128)
_TINY: dict[str, Any] = {"queries": 20, "width": 64, "encoder_layers": 2, "decoder_layers": 4, "decoder_ffn": 128}
_TINY_VIT = ViTAdapterBackbone(dim=96, depth=8, heads=4, deform_heads=4, prior_width=16)

#: The largest model of each family; its weights are those of the smaller ones too.
OFFLINE = {
    "r50": DvisConfig("offline", ResNetBackbone(), _NAMES, tracker=_FULL, refiner=_FULL),
    "vitl": DvisConfig("offline", ViTAdapterBackbone(), _NAMES, 200, tracker=_FULL, refiner=_FULL),
    "tiny": DvisConfig(
        "offline", ResNetBackbone(16, (64, 128, 256, 512)), _NAMES, tracker=_SMALL, refiner=_SMALL, **_TINY
    ),
    "tinyvit": DvisConfig("offline", _TINY_VIT, _NAMES, tracker=_SMALL, refiner=_SMALL, **_TINY),
}
#: What the recordings call them.
PREFIX = {"r50": "full", "vitl": "vitl", "tiny": "tiny", "tinyvit": "tinyvit"}
CLIP_FOLDER = {"clipA": "1001_clipA", "clipB": "1002_clipB"}


def config_of(arch: str) -> DvisConfig:
    """The configuration of ``dvis_<family>_<kind>``."""
    _, family, kind = arch.split("_")
    config = OFFLINE[family]
    if kind == "offline":
        return config
    tracker = config.tracker if kind == "online" else None
    return replace(
        config, kind="online" if tracker else "segmenter", tracker=tracker, refiner=None, reid=kind != "minvis"
    )


def load(family: str, seed: str = "public") -> Dvis:
    """The offline model of a family with the weights of the formula, for inference."""
    translation = translate(weights(key_list(f"dvis_{family}_offline"), seed), OFFLINE[family])
    assert not translation.missing and not translation.unused and not translation.misshapen
    model = build(OFFLINE[family])
    model.load_state_dict(translation.state_dict, assign=True)
    return model.requires_grad_(False)


@cache
def model(family: str) -> Dvis:
    """`load`, once; tests leave it as it is."""
    return load(family)


def pictures(clip: str) -> list[Any]:
    """The frames of ``clipA`` or ``clipB``, RGB ``uint8 [H, W, 3]``."""
    files: Sequence[Path] = sorted((CLIPS / "data" / CLIP_FOLDER[clip] / "origin").glob("*.jpg"))
    return [np.asarray(Image.open(file)) for file in files]


def pixels(clip: str, *, short: int | None = None, bgr: bool = False) -> Tensor:
    """A clip as the network takes it, float32 [T, 3, H, W]; ``short`` as in the recordings."""
    found = []
    for picture in pictures(clip):
        height, width = picture.shape[:2]
        size = (height, width) if short is None else (short, int(width * short / height + 0.5))
        found.append(prepare(picture[..., ::-1] if bgr else picture, size, Preprocess(short, None, divisor=32)))
    return torch.stack(found)


@dataclass(frozen=True)
class Watched:
    """A model on a clip of T frames; the parts' own results frame by frame."""

    frames: list[Segmented]
    tracked: list[Tracked]
    refined: Refined

    def segmented(self, name: str) -> Tensor:
        """An entry of `Segmented`, [T, ...]."""
        return torch.stack([getattr(frame, name) for frame in self.frames])

    def followed(self, name: str) -> Tensor:
        """An entry of `Tracked`, [T, ...]."""
        return torch.stack([getattr(frame, name) for frame in self.tracked])


def follow(model: Dvis, frames: Sequence[Any], state: TrackerState | None = None) -> list[Tracked]:
    """The tracker on frames, from the start of a video or from ``state``."""
    assert model.tracker is not None
    found = []
    for frame in frames:
        tracked, state = model.tracker.step(state, frame)
        found.append(tracked)
    return found


def watch(model: Dvis, pixels: Tensor) -> Watched:
    """Segments, follows and refines a clip."""
    assert model.refiner is not None
    frames = model.segmenter(pixels)
    tracked = follow(model, frames)
    refined = model.refiner(
        torch.stack([frame.embeds for frame in tracked]), torch.stack([frame.raw for frame in frames])
    )
    return Watched(frames, tracked, refined)


@cache
def watched(family: str, clip: str, short: int | None = None) -> Watched:
    """`watch` of a recorded case, once."""
    with torch.no_grad():
        return watch(model(family), pixels(clip, short=short))


def class_prob(logits: Tensor) -> Tensor:
    """Class probabilities [..., K] of logits [..., K + 1], without "no object"."""
    return logits.softmax(-1)[..., :-1]


def segmenter_arrays(model: Dvis, pixels: Tensor, seen: Watched) -> Mapping[str, Tensor]:
    """What the recordings hold of the segmenter, in its order."""
    segmenter = model.segmenter
    with torch.no_grad():
        maps = segmenter.backbone(pixels)
        mask_features, levels = segmenter.pixel_decoder(maps)
        first_logits, _, first_embeds = segmenter.predict(segmenter.query_states(mask_features, levels)[0])
    return {
        "pixel_values": pixels,
        **{f"res{i + 2}": each for i, each in enumerate(maps)},
        **{f"ms{i}": each for i, each in enumerate(levels)},
        "mask_features": mask_features,
        "aux0_logits": first_logits,
        "aux0_masks": masks(first_embeds, mask_features),
        "pred_logits": seen.segmented("class_logits"),
        "pred_masks": masks(seen.segmented("mask_embeds"), seen.segmented("mask_features")),
        "pred_embds": seen.segmented("normed"),
        "pred_embds_without_norm": seen.segmented("raw"),
    }


def online_arrays(model: Dvis, seen: Watched) -> Mapping[str, Tensor]:
    """What the recordings hold of the online model."""
    assert model.tracker is not None
    logits = seen.followed("class_logits")
    return {
        "tracker_logits": logits,
        "tracker_embds": seen.followed("embeds"),
        "tracker_masks": masks(seen.followed("mask_embeds"), model.tracker.project(seen.segmented("mask_features"))),
        "class_prob": class_prob(logits.mean(0)),
    }


def offline_arrays(seen: Watched) -> Mapping[str, Tensor]:
    """What the recordings hold of the offline model."""
    online = seen.followed("class_logits")
    return {
        "online_logits": online,
        "refiner_logits": seen.refined.class_logits,
        "refiner_embds": seen.refined.embeds,
        "refiner_masks": masks(seen.refined.mask_embeds, seen.segmented("mask_features")),
        "class_prob": torch.maximum(class_prob(seen.refined.class_logits), class_prob(online.mean(0))),
    }
