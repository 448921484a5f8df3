"""A Mask2Former of ``transformers`` as the segmenter of a DVIS++ model: what its configuration says, in our words."""

from collections.abc import Mapping
from typing import Any

from vsscli.errors import ModelError
from vsscli.models.dvis.config import BackboneConfig, DvisConfig, ResNetBackbone, SwinBackbone


def foreign_config(entries: Mapping[str, Any], where: str, classes: tuple[str, ...]) -> DvisConfig:
    """The segmenter that ``config.json`` of a Mask2Former describes, with ``classes`` in place of its own.

    What the file leaves out is as ``transformers`` has it. ModelError where it is another model, or has a backbone
    that DVIS++ models do not have.
    """
    if entries.get("model_type") != "mask2former":
        raise ModelError(
            f"init {where} is a model of the type {entries.get('model_type')!r}.",
            "Give a DVIS++ model folder, or a Mask2Former of transformers.",
        )
    width = entries.get("hidden_dim", 256)
    if not width == entries.get("feature_size", 256) == entries.get("mask_feature_size", 256):
        raise ModelError(f"init {where}: its pixel decoder and its queries have different widths.")
    return DvisConfig(
        "segmenter",
        _backbone(entries.get("backbone_config"), where),
        classes,
        queries=entries.get("num_queries", 100),
        width=width,
        heads=entries.get("num_attention_heads", 8),
        encoder_layers=entries.get("encoder_layers", 6),
        encoder_ffn=entries.get("encoder_feedforward_dim", 1024),
        decoder_layers=entries.get("decoder_layers", 10) - 1,
        decoder_ffn=entries.get("dim_feedforward", 2048),
    )


def _backbone(entries: Any, where: str) -> BackboneConfig:
    kind = entries.get("model_type") if isinstance(entries, dict) else None
    if kind == "resnet" and entries.get("layer_type", "bottleneck") == "bottleneck":
        widths, depths = entries.get("hidden_sizes", (256, 512, 1024, 2048)), entries.get("depths", (3, 4, 6, 3))
        if len(widths) == len(depths) == 4:
            return ResNetBackbone(entries.get("embedding_size", 64), tuple(widths), tuple(depths))
    if kind == "swin":
        depths, heads = entries.get("depths", (2, 2, 6, 2)), entries.get("num_heads", (3, 6, 12, 24))
        if len(depths) == len(heads) == 4:
            return SwinBackbone(
                entries.get("embed_dim", 96), tuple(depths), tuple(heads), entries.get("window_size", 7)
            )
    raise ModelError(
        f"init {where} has a backbone {kind!r} that a DVIS++ model cannot have.", "Give one with a ResNet or a Swin."
    )
