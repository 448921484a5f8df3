"""Model folders with small random weights, written by ``transformers`` itself, one per family."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from vsscli.models.load import load_model
from vsscli.models.network import Network, VideoNetwork

NAMES = ("sky", "tree", "road", "sea", "person")

_MASKS = {
    "num_queries": 7,
    "feature_size": 32,
    "mask_feature_size": 32,
    "hidden_dim": 32,
    "encoder_feedforward_dim": 32,
    "encoder_layers": 2,
    "decoder_layers": 4,
    "num_attention_heads": 4,
    "dim_feedforward": 32,
}
_STAGES = ["stage1", "stage2", "stage3", "stage4"]


def _resnet() -> Any:
    return transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 32, 32, 32], depths=[1, 1, 1, 1], out_features=_STAGES
    )


def _swin() -> Any:
    return transformers.SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4, out_features=_STAGES
    )


def _convnext() -> Any:
    return transformers.ConvNextConfig(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], out_features=_STAGES)


def _bit() -> Any:
    return transformers.BitConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16],
        depths=[1, 1, 1],
        num_groups=2,
        global_padding="same",
        embedding_dynamic_padding=True,
        out_features=_STAGES[:3],
    )


def _vit(**more: Any) -> dict[str, Any]:
    return {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 16, **more}


def build(kind: str, **more: Any) -> Any:
    """A model of a family (or of a family with a certain backbone), its weights seeded and wide enough to matter."""
    labels = {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}, **more}
    t = transformers
    makers: dict[str, Any] = {
        "mask2former": lambda: (
            t.Mask2FormerForUniversalSegmentation,
            t.Mask2FormerConfig(backbone_config=_resnet(), **_MASKS, **labels),
        ),
        "mask2former-swin": lambda: (
            t.Mask2FormerForUniversalSegmentation,
            t.Mask2FormerConfig(backbone_config=_swin(), **_MASKS, **labels),
        ),
        "oneformer": lambda: (
            t.OneFormerForUniversalSegmentation,
            t.OneFormerConfig(
                backbone_config=_swin(),
                num_queries=7,
                hidden_dim=32,
                conv_dim=32,
                mask_dim=32,
                encoder_feedforward_dim=32,
                encoder_layers=2,
                decoder_layers=3,
                num_attention_heads=4,
                dim_feedforward=32,
                query_dec_layers=1,
                text_encoder_width=64,
                text_encoder_num_layers=1,
                text_encoder_vocab_size=50,
                text_encoder_n_ctx=4,
                **labels,
            ),
        ),
        "segformer": lambda: (
            t.SegformerForSemanticSegmentation,
            t.SegformerConfig(
                depths=[1, 1, 1, 1],
                hidden_sizes=[8, 8, 16, 16],
                num_attention_heads=[1, 1, 2, 2],
                decoder_hidden_size=16,
                **labels,
            ),
        ),
        "upernet": lambda: (
            t.UperNetForSemanticSegmentation,
            t.UperNetConfig(backbone_config=_convnext(), hidden_size=16, auxiliary_channels=8, **labels),
        ),
        "dpt": lambda: (
            t.DPTForSemanticSegmentation,
            t.DPTConfig(
                **_vit(image_size=64, backbone_out_indices=[0, 1, 2, 3]),
                neck_hidden_sizes=[8, 8, 16, 16],
                fusion_hidden_size=16,
                **labels,
            ),
        ),
        "dpt-hybrid": lambda: (
            t.DPTForSemanticSegmentation,
            t.DPTConfig(
                **_vit(image_size=64, backbone_out_indices=[0, 1, 2, 3]),
                is_hybrid=True,
                backbone_config=_bit(),
                backbone_featmap_shape=[1, 16, 4, 4],
                neck_hidden_sizes=[8, 8, 16, 16],
                fusion_hidden_size=16,
                **labels,
            ),
        ),
        "beit": lambda: (
            t.BeitForSemanticSegmentation,
            t.BeitConfig(
                **_vit(image_size=64, out_indices=[1, 2, 3, 4], auxiliary_channels=8),
                use_relative_position_bias=True,
                pool_scales=[1, 2],
                **labels,
            ),
        ),
        "eomt": lambda: (
            t.EomtForUniversalSegmentation,
            t.EomtConfig(
                hidden_size=16,
                num_hidden_layers=4,
                num_attention_heads=2,
                image_size=64,
                num_blocks=2,
                num_queries=7,
                **labels,
            ),
        ),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers.utils.logging.set_verbosity_error()
        architecture, config = makers[kind]()
        torch.manual_seed(0)
        model = architecture(config).eval()
    random = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            spread = 3 if "class_predictor" in name or "quer" in name else 1
            parameter.data.normal_(0, spread / parameter[0].numel() ** 0.5, generator=random)
    if kind == "eomt":
        model.attn_mask_probs.zero_()
    return model


def write(folder: Path, kind: str, **more: Any) -> Path:
    """`build`, saved by ``save_pretrained``."""
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    build(kind, **more).save_pretrained(folder)
    if bars:
        transformers.utils.logging.enable_progress_bar()
    return folder


def change_weights(folder: Path, drop: Sequence[str] = (), put: dict[str, torch.Tensor] | None = None) -> None:
    """Takes entries out of a folder's weights and puts others in."""
    path = folder / "model.safetensors"
    weights = {key: value for key, value in load_file(path).items() if key not in drop}
    save_file({**weights, **(put or {})}, path, metadata={"format": "pt"})


def weight_names(folder: Path) -> list[str]:
    return sorted(load_file(folder / "model.safetensors"))


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """A frame with large and small structure, RGB ``uint8 [H, W, 3]``."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 200, (height // 16 + 1, width // 16 + 1, 3)).repeat(16, 0).repeat(16, 1)
    return (coarse[:height, :width] + random.integers(0, 55, (height, width, 3))).astype(np.uint8)


def frame_network(source: str, **options: Any) -> Network:
    """`load_model` of a network that takes every frame on its own."""
    found = load_model(source, **options)
    assert not isinstance(found, VideoNetwork)
    return found
