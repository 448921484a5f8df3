"""The recorded models and clips: how they are made, and one watched at work stage by stage."""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from tests.fixtures.formula import weights
from tests.fixtures.recorded import vmt_key_list
from tests.models.dvis.cases import class_prob, pixels
from vsscli.data.classes import vspw_classes
from vsscli.models.vmt.config import EncoderConfig, VmtConfig
from vsscli.models.vmt.encoders import grid_of
from vsscli.models.vmt.keys import translate
from vsscli.models.vmt.model import Vmt, build

_NAMES = vspw_classes().names
SMALL = ("videomt_tiny", "pmt_dinov2_tiny", "pmt_dinov3_tiny", "lvmt_dinov2_tiny", "lvmt_dinov3_tiny")


def config_of(arch: str) -> VmtConfig:
    """The configuration of ``videomt_<size>`` or ``<kind>_<encoder>_<size>``, as the recordings' words describe it."""
    kind, *encoders, size = arch.split("_")
    tiny, encoder = size == "tiny", encoders[0] if encoders else "dinov2"
    grid = None if encoder == "dinov3" else 20 if tiny else 80 if kind == "videomt" else 40
    vit = EncoderConfig(encoder, 96, 8, 4, 4, grid) if tiny else EncoderConfig(encoder, 1024, 24, 16, 4, grid)
    blocks = 3 if tiny else 4 if kind == "videomt" else 6
    return VmtConfig(kind, vit, _NAMES, 30 if tiny else 200, blocks, None if kind == "videomt" else 4)


def load(arch: str, seed: str = "public") -> Vmt:
    """The model with the weights of the formula, for inference."""
    config = config_of(arch)
    translation = translate(weights(vmt_key_list(arch), seed), config)
    assert not translation.missing and not translation.unused and not translation.misshapen
    model = build(config)
    model.load_state_dict(translation.state_dict, assign=True)
    return model.requires_grad_(False)


@cache
def small(arch: str) -> Vmt:
    """`load`, once; tests leave it as it is."""
    return load(arch)


def clip_of(name: str) -> Tensor:
    """The frames of ``clipA``, ``clipB_short240`` and so on as a network takes them."""
    clip, _, short = name.partition("_short")
    return pixels(clip, short=int(short) if short else None)


def watch(model: Vmt, frames: Sequence[Tensor] | Tensor) -> dict[str, Tensor]:
    """What the recordings hold of a model on a clip of T frames [3, H, W], by their names."""
    found: dict[str, list[Tensor]] = {}

    def note(name: str, value: Tensor) -> None:
        found.setdefault(name, []).append(value)

    queries: Tensor | None = None
    for frame in frames:
        grid = grid_of(frame)
        note("pixel_values", frame)
        tokens = _see(model, frame[None], note)
        step = model.step(queries, tokens, grid)
        note("queries_in", model.queries if queries is None else queries)
        queries = step.following
        note("queries_out", step.queries)
        note("final_norm", step.normed)
        logits, embeds = model.classify(step.normed)
        features = model.features(step.normed[model.config.queries + model.config.prefix :], grid)
        note("pred_logits", logits)
        note("mask_embed", embeds)
        note("mask_features", features)
        note("pred_masks", torch.einsum("qc,chw->qhw", embeds, features))
    stacked = {name: torch.stack(values) for name, values in found.items()}
    return stacked | {"class_prob": class_prob(stacked["pred_logits"].mean(0))}


def _see(model: Vmt, pixels: Tensor, note: "object") -> Tensor:
    assert callable(note)
    seen = model.see(pixels)[0]
    if model.levels is None:
        note("tokens", model.encoder.embed(pixels)[0])
        note("encoder", seen)
    else:
        levels = model.levels.standardise(model.normed_levels(pixels))
        note("level0", levels[0][0])
        note("level3", levels[-1][0])
        note("decoder_input", seen)
    return seen
