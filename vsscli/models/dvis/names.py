"""The official names of a DVIS++ model's tensors, and ours, as data.

A table holds beginnings of names, official -> ours; of several that fit a name the longest holds, and the rest of the
name stays. Three beginnings on our side take the thirds (queries, keys, values) of a packed official tensor.

The official names are those of detectron2's ResNet, of Mask2Former and of DVIS++. Those of Swin follow Mask2Former's
naming and were never held against a file: shapes and a round trip are all that checks them.
"""

import re

from vsscli.models.dvis.adapter_keys import ADAPTER_PREFIXES, ADAPTER_UNUSED
from vsscli.models.dvis.config import DvisConfig, HeadConfig, ResNetBackbone, SwinBackbone

Names = dict[str, str | tuple[str, str, str]]

#: Official tensors that hold nothing learned, or nothing that the network uses.
NOT_NEEDED = (
    r"criterion\.empty_weight$",
    r"num_batches_tracked$",
    r"attn\.relative_position_index$",
    *(re.escape(f"backbone.{name}") + "$" for name in ADAPTER_UNUSED),
)

_MODEL = "segmenter.mask2former.model."
_ENCODER = _MODEL + "pixel_level_module.encoder."
_PIXELS = _MODEL + "pixel_level_module.decoder."
_QUERIES = _MODEL + "transformer_module."


def names(config: DvisConfig) -> Names:
    """The table for a model."""
    if isinstance(config.backbone, ResNetBackbone):
        backbone = _resnet(config.backbone)
    elif isinstance(config.backbone, SwinBackbone):
        backbone = _swin(config.backbone)
    else:
        backbone = dict(ADAPTER_PREFIXES)
    found = below("backbone.", _ENCODER, backbone)
    found |= below("sem_seg_head.pixel_decoder.", _PIXELS, _pixel_decoder(config.encoder_layers))
    found |= _predictor(config.decoder_layers)
    if config.tracker:
        found |= below("tracker.", "tracker.", _tracker(config.tracker))
    if config.refiner:
        found |= below("refiner.", "refiner.", _refiner(config.refiner))
    return found


def below(official: str, ours: str, table: Names) -> Names:
    """``table`` of a part, with the names of the part before both sides."""
    return {
        official + key: ours + value if isinstance(value, str) else (ours + value[0], ours + value[1], ours + value[2])
        for key, value in table.items()
    }


def _resnet(backbone: ResNetBackbone) -> Names:
    places = {"stem.conv1.": "embedder.embedder."}
    for stage, depth in enumerate(backbone.depths):
        for block in range(depth):
            official, ours = f"res{stage + 2}.{block}.", f"encoder.stages.{stage}.layers.{block}."
            places[f"{official}shortcut."] = f"{ours}shortcut."
            places |= {f"{official}conv{i + 1}.": f"{ours}layer.{i}." for i in range(3)}
    found: Names = {official: f"{ours}convolution." for official, ours in places.items()}
    return found | {f"{official}norm.": f"{ours}normalization." for official, ours in places.items()}


def _swin(backbone: SwinBackbone) -> Names:
    found: Names = {
        "patch_embed.proj.": "swin.embeddings.patch_embeddings.projection.",
        "patch_embed.norm.": "swin.embeddings.norm.",
    }
    for stage, depth in enumerate(backbone.depths):
        found[f"norm{stage}."] = f"hidden_states_norms.stage{stage + 1}."
        found[f"layers.{stage}."] = f"swin.encoder.layers.{stage}."
        for block in range(depth):
            official, ours = f"layers.{stage}.blocks.{block}.", f"swin.encoder.layers.{stage}.blocks.{block}."
            attention = f"{ours}attention."
            found |= {
                f"{official}attn.qkv.": (f"{attention}q_proj.", f"{attention}k_proj.", f"{attention}v_proj."),
                f"{official}attn.proj.": f"{attention}o_proj.",
                f"{official}attn.relative_position_bias": f"{attention}relative_position_bias.relative_position_bias",
                f"{official}norm1.": f"{ours}layernorm_before.",
                f"{official}norm2.": f"{ours}layernorm_after.",
            }
    return found


def _pixel_decoder(layers: int) -> Names:
    found: Names = {
        "input_proj.": "input_projections.",
        "transformer.level_embed": "level_embed",
        "mask_features.": "mask_projection.",
        **{f"{name}.": f"{name}.0." for name in ("adapter_1", "layer_1")},
        **{f"{name}.norm.": f"{name}.1." for name in ("adapter_1", "layer_1")},
    }
    for i in range(layers):
        official, ours = f"transformer.encoder.layers.{i}.", f"encoder.layers.{i}."
        found |= {
            f"{official}self_attn.": f"{ours}self_attn.",
            f"{official}norm1.": f"{ours}self_attn_layer_norm.",
            f"{official}norm2.": f"{ours}final_layer_norm.",
            **{f"{official}linear{n}.": f"{ours}fc{n}." for n in (1, 2)},
        }
    return found


def _predictor(layers: int) -> Names:
    found: Names = {
        "query_feat.": f"{_QUERIES}queries_features.",
        "query_embed.": f"{_QUERIES}queries_embedder.",
        "level_embed.": f"{_QUERIES}level_embed.",
        "decoder_norm.": f"{_QUERIES}decoder.layernorm.",
        "class_embed.": "segmenter.mask2former.class_predictor.",
        "reid_embed.": "segmenter.identity.",
    }
    for i in range(3):
        found[f"mask_embed.layers.{i}."] = f"{_QUERIES}decoder.mask_predictor.mask_embedder.{i}.0."
    for i in range(layers):
        ours = f"{_QUERIES}decoder.layers.{i}."
        itself, cross, ffn = (
            f"transformer_{part}_layers.{i}." for part in ("self_attention", "cross_attention", "ffn")
        )
        found |= {
            f"{itself}self_attn.": f"{ours}self_attn.",
            f"{itself}self_attn.in_proj_": (
                f"{ours}self_attn.q_proj.",
                f"{ours}self_attn.k_proj.",
                f"{ours}self_attn.v_proj.",
            ),
            f"{itself}norm.": f"{ours}self_attn_layer_norm.",
            f"{cross}multihead_attn.": f"{ours}cross_attn.",
            f"{cross}norm.": f"{ours}cross_attn_layer_norm.",
            **{f"{ffn}linear{n}.": f"{ours}fc{n}." for n in (1, 2)},
            f"{ffn}norm.": f"{ours}final_layer_norm.",
        }
    return below("sem_seg_head.predictor.", "", found)


def attention(official: str, inner: str, ours: str) -> Names:
    """A `vsscli.models.dvis.blocks.Attention`, whose official module of torch is called ``inner``."""
    return {
        f"{official}{inner}.": ours,
        f"{official}{inner}.in_proj_": f"{ours}in_proj.",
        f"{official}norm.": f"{ours}norm.",
    }


def _tracker(head: HeadConfig) -> Names:
    found: Names = {
        "decoder_norm.": "norm.",
        "ref_proj.": "reference.",
        "class_embed.": "classes.",
        "mask_embed.": "masks.",
        "mask_feature_proj.": "features.",
    }
    for i in range(head.layers):
        found |= attention(f"transformer_cross_attention_layers.{i}.", "multihead_attn", f"layers.{i}.cross.")
        found |= attention(f"transformer_self_attention_layers.{i}.", "self_attn", f"layers.{i}.itself.")
        found[f"transformer_ffn_layers.{i}."] = f"layers.{i}.ffn."
    return found


def _refiner(head: HeadConfig) -> Names:
    found: Names = {
        "decoder_norm.": "norm.",
        "activation_proj.": "time_weight.",
        "class_embed.": "classes.",
        "mask_embed.": "masks.",
    }
    for i in range(head.layers):
        found |= attention(f"transformer_time_self_attention_layers.{i}.", "self_attn", f"layers.{i}.time.")
        found |= {
            f"conv_short_aggregate_layers.{i}.0.": f"layers.{i}.short.conv1.",
            f"conv_short_aggregate_layers.{i}.2.": f"layers.{i}.short.conv2.",
            f"conv_norms.{i}.": f"layers.{i}.short.norm.",
        }
        found |= attention(f"transformer_obj_self_attention_layers.{i}.", "self_attn", f"layers.{i}.itself.")
        found |= attention(f"transformer_cross_attention_layers.{i}.", "multihead_attn", f"layers.{i}.cross.")
        found[f"transformer_ffn_layers.{i}."] = f"layers.{i}.ffn."
    return found
