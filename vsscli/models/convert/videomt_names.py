"""VidEoMT as ``transformers`` writes it (`VideomtForUniversalSegmentation`): its names in those of the authors."""

import re

import torch
from torch import Tensor

from vsscli.models.convert.reading import Checkpoint

_VIT = "backbone.encoder.backbone."

#: Beginnings of names of transformers -> the authors'; the first that fits holds, and the rest of the name stays.
NAMES = (
    (r"embeddings\.(cls_token)$", rf"{_VIT}\1"),
    (r"embeddings\.register_tokens$", f"{_VIT}reg_token"),
    (r"embeddings\.position_embeddings\.weight$", f"{_VIT}pos_embed"),
    (r"embeddings\.patch_embeddings\.projection\.", f"{_VIT}patch_embed.proj."),
    (r"layers\.(\d+)\.attention\.out_proj\.", rf"{_VIT}blocks.\1.attn.proj."),
    (r"layers\.(\d+)\.layer_scale(\d)\.lambda1$", rf"{_VIT}blocks.\1.ls\2.gamma"),
    (r"layers\.(\d+)\.", rf"{_VIT}blocks.\1."),
    (r"layernorm\.", f"{_VIT}norm."),
    (r"query\.", "backbone.q."),
    (r"class_predictor\.", "backbone.class_head."),
    (r"mask_head\.fc1\.", "backbone.mask_head.0."),
    (r"mask_head\.fc2\.", "backbone.mask_head.2."),
    (r"mask_head\.fc3\.", "backbone.mask_head.4."),
    (r"upscale_block\.block\.(\d+)\.layernorm2d\.", r"backbone.upscale.\1.norm."),
    (r"upscale_block\.block\.(\d+)\.", r"backbone.upscale.\1."),
    (r"(query_updater\.|attn_mask_probs$)", r"backbone.\1"),
)
#: Training only.
_UNUSED = "embeddings.mask_token"
_THIRD = re.compile(r"(layers\.\d+\.attention\.)q_proj(\..*)")


def in_official_names(checkpoint: Checkpoint) -> Checkpoint:
    """``checkpoint`` itself, or, where it is a VidEoMT of transformers, the same weights in the authors' names.

    What is in no table keeps its name: it is told as unused later on.
    """
    tensors = checkpoint.tensors
    if "query_updater.weight" not in tensors or not any(name.startswith("upscale_block.") for name in tensors):
        return checkpoint
    rest, found = dict(tensors), dict[str, Tensor]()
    rest.pop(_UNUSED, None)
    for name in tensors:
        third = _THIRD.fullmatch(name)
        parts = [f"{third[1]}{part}_proj{third[2]}" for part in "qkv"] if third else []
        if parts and all(part in rest and rest[part].shape == rest[name].shape for part in parts):
            packed = torch.cat([rest.pop(part) for part in parts])
            found[_official(f"{parts[0].partition('attention')[0]}attn.qkv{parts[0].partition('q_proj')[2]}")] = packed
    for name, tensor in rest.items():
        official = _official(name)
        found[official] = tensor[None] if official.endswith("pos_embed") else tensor
    note = "took the names of transformers' VidEoMT for those of its authors"
    return Checkpoint(checkpoint.path, found, (*checkpoint.notes, note))


def _official(name: str) -> str:
    for pattern, official in NAMES:
        found = re.match(pattern, name)
        if found:
            return found.expand(official) + name[found.end() :]
    return name
