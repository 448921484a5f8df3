"""The official names of a model's tensors, and ours: the beginnings that differ, as data.

Of several beginnings that fit a name the longest holds, and the rest of the name stays. The blocks have the names of
timm (DINOv2) and of transformers (DINOv3), which are the official ones.
"""

from vsscli.models.vmt.config import VmtConfig

#: Official tensors that hold nothing learned, or nothing that the network uses.
NOT_NEEDED = (
    r"criterion\.empty_weight$",
    r"num_batches_tracked$",
    r"^backbone\.(decoder\.)?attn_mask_probs$",
    r"^backbone\.encoder\.pixel_(mean|std)$",
)

_ENCODER = "backbone.encoder.backbone."
ENCODERS: dict[str, dict[str, str]] = {
    "dinov2": {_ENCODER: "encoder.", f"{_ENCODER}patch_embed.proj.": "encoder.patch_embed."},
    "dinov3": {
        _ENCODER: "encoder.",
        f"{_ENCODER}patch_embed.cls_token": "encoder.cls_token",
        f"{_ENCODER}patch_embed.register_tokens": "encoder.reg_token",
        f"{_ENCODER}patch_embed.patch_embeddings.": "encoder.patch_embed.",
    },
}
_HEADS = {"q.weight": "queries", "class_head.": "classes.", "mask_head.": "masks.", "upscale.": "upscale."}
_DECODER = {
    "lateral_projections.": "levels.projections.",
    "scalers.": "levels.scales.",
    "blocks.": "decoder.blocks.",
    "decoder_norm.": "decoder.norm.",
}


def names(config: VmtConfig) -> dict[str, str]:
    """Beginnings of official names -> ours."""
    found = dict(ENCODERS[config.encoder.type])
    place, update = "backbone.", "query_gru." if config.kind == "lvmt" else "query_updater."
    if config.levels:
        found["backbone.bn."] = "levels.norms."
        place = "backbone.decoder."
        found |= {place + official: ours for official, ours in _DECODER.items()}
    return found | {place + official: ours for official, ours in (_HEADS | {update: "update."}).items()}
