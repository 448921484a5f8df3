"""The segmenter of DVIS++: the Mask2Former of ``transformers``, with a head that tells queries apart over time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.nn.functional import interpolate, linear
from transformers.models.mask2former import modeling_mask2former

from vsscli.models.deformable import use_fast_sampling
from vsscli.models.dvis.blocks import Mlp, attend, masks
from vsscli.models.dvis.config import BackboneConfig, DvisConfig, ResNetBackbone, SwinBackbone
from vsscli.models.dvis.vit_adapter import ViTAdapter
from vsscli.quiet import quiet

_STAGES = ["stage1", "stage2", "stage3", "stage4"]


@dataclass(frozen=True)
class Segmented:
    """One frame: Q queries, K classes, C channels; h, w at stride 4.

    ``class_logits`` [Q, K + 1], "no object" last; ``normed`` [Q, 2C] and ``raw`` [Q, 2C] are the queries after and
    before the last norm, each joined with its identity ([Q, C] where the model gives none); ``mask_embeds`` [Q, C]
    times ``mask_features`` [C, h, w] are the segmenter's own mask logits (`vsscli.models.dvis.blocks.masks`).
    """

    class_logits: Tensor
    normed: Tensor
    raw: Tensor
    mask_embeds: Tensor
    mask_features: Tensor


class Segmenter(nn.Module):
    """The network; frames are independent of one another, and threads may use it at the same time."""

    def __init__(self, config: DvisConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.mask2former = _mask2former(config)
        self.identity = Mlp(config.width, config.width, config.width) if config.reid else None

    def forward(self, pixels: Tensor) -> list[Segmented]:
        """The frames of float32 [B, 3, H, W], normalised and padded to multiples of 32."""
        mask_features, levels = self.pixel_decoder(self.backbone(pixels))
        raw = self.query_states(mask_features, levels)[-1]
        class_logits, normed, mask_embeds = self.predict(raw)
        if self.identity is not None:
            identity = self.identity(normed)
            normed, raw = (torch.cat([queries, identity], -1) for queries in (normed, raw))
        return [Segmented(*frame) for frame in zip(class_logits, normed, raw, mask_embeds, mask_features, strict=True)]

    def backbone(self, pixels: Tensor) -> list[Tensor]:
        """The maps at strides 4, 8, 16, 32 of [B, 3, H, W]."""
        found = self.mask2former.model.pixel_level_module.encoder(pixels)
        return list(found) if isinstance(found, (list, tuple)) else list(found.feature_maps)

    def pixel_decoder(self, maps: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Mask features [B, C, h, w] at stride 4 and the levels the queries read, at strides 32, 16, 8.

        In float32 whatever the rest does, as in the official evaluation.
        """
        with torch.autocast(maps[0].device.type, enabled=False):
            found = self.mask2former.model.pixel_level_module.decoder([x.float() for x in maps])
        return found.mask_features, list(found.multi_scale_features)

    def query_states(self, mask_features: Tensor, levels: Sequence[Tensor]) -> list[Tensor]:
        """The queries [B, Q, C] before the first layer and after each (Cheng et al. 2022, section 3.2).

        Each layer attends where the last state's masks are on. The masks are wanted at the size of a level; resizing is
        linear, so the mask features are resized instead of them, which is much less work.
        """
        module = self.mask2former.model.transformer_module
        batch = len(mask_features)
        places, contents, features = [], [], []
        for level, embedding in zip(levels, module.level_embed.weight, strict=True):
            place = module.position_embedder(level.shape, level.device, level.dtype).flatten(2)
            content = level.flatten(2) + embedding[:, None]
            contents.append(content.transpose(1, 2))
            places.append((content + place).transpose(1, 2))
            features.append(interpolate(mask_features, level.shape[-2:], mode="bilinear"))
        position = module.queries_embedder.weight[None]
        states = [module.queries_features.weight[None].expand(batch, -1, -1)]
        for i, layer in enumerate(module.decoder.layers):
            turn = i % len(levels)
            allowed = self._allowed(states[-1], features[turn])
            states.append(self._layer(layer, states[-1], position, places[turn], contents[turn], allowed))
        return states

    def predict(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of query states [B, Q, C]: class logits [B, Q, K + 1], normed states [B, Q, C], mask embeddings [B, Q, C]."""
        decoder = self.mask2former.model.transformer_module.decoder
        normed = decoder.layernorm(raw)
        return self.mask2former.class_predictor(normed), normed, decoder.mask_predictor.mask_embedder(normed)

    def fill_constants(self) -> None:
        """Computes what no weights file holds, in a module made on the meta device."""
        encoder = self.mask2former.model.pixel_level_module.encoder
        if isinstance(encoder, transformers.SwinBackbone):
            config = encoder.config
            small = _swin(SwinBackbone(4, tuple(config.depths), (1, 1, 1, 1), config.window_size))
            for name, value in transformers.SwinBackbone(small).named_buffers():
                owner, _, last = name.rpartition(".")
                setattr(encoder.get_submodule(owner), last, value)

    def _allowed(self, state: Tensor, features: Tensor) -> Tensor:
        """Where each query may look, bool [B, 1, Q, h * w]: inside its mask, or everywhere if that is empty."""
        with torch.no_grad():
            inside = masks(self.predict(state)[2], features).flatten(2).sigmoid() >= 0.5
        return (inside | ~inside.any(-1, keepdim=True))[:, None]

    def _layer(self, layer: Any, x: Tensor, position: Tensor, keys: Tensor, values: Tensor, allowed: Tensor) -> Tensor:
        """One layer of the transformer decoder: masked cross-attention, self-attention, feed-forward."""
        cross, itself = layer.cross_attn, layer.self_attn
        weights, biases = cross.in_proj_weight.chunk(3), cross.in_proj_bias.chunk(3)
        projected = [linear(*parts) for parts in zip((x + position, keys, values), weights, biases, strict=True)]
        x = layer.cross_attn_layer_norm(x + cross.out_proj(attend(projected, self.heads, allowed)))
        placed = x + position
        projected = [itself.q_proj(placed), itself.k_proj(placed), itself.v_proj(x)]
        x = layer.self_attn_layer_norm(x + itself.out_proj(attend(projected, self.heads)))
        found: Tensor = layer.final_layer_norm(x + layer.fc2(layer.activation_fn(layer.fc1(x))))
        return found


def _mask2former(config: DvisConfig) -> Any:
    """The network of ``transformers`` for our sizes, without its loss."""
    with quiet():
        settings = transformers.Mask2FormerConfig(
            backbone_config=_backbone(config.backbone),
            num_labels=len(config.labels),
            num_queries=config.queries,
            feature_size=config.width,
            mask_feature_size=config.width,
            hidden_dim=config.width,
            num_attention_heads=config.heads,
            encoder_layers=config.encoder_layers,
            encoder_feedforward_dim=config.encoder_ffn,
            decoder_layers=config.decoder_layers + 1,
            dim_feedforward=config.decoder_ffn,
        )
        model = transformers.Mask2FormerForUniversalSegmentation(settings)
    del model.criterion
    level = model.model.pixel_level_module
    if isinstance(config.backbone, SwinBackbone):
        level.encoder.swin.layernorm = nn.Identity()  # its output is not used
    elif not isinstance(config.backbone, ResNetBackbone):
        level.encoder = ViTAdapter(**asdict(config.backbone))
    use_fast_sampling(modeling_mask2former)
    return model


def _backbone(backbone: BackboneConfig) -> Any:
    if isinstance(backbone, SwinBackbone):
        return _swin(backbone)
    if isinstance(backbone, ResNetBackbone):
        return transformers.ResNetConfig(
            embedding_size=backbone.stem,
            hidden_sizes=list(backbone.widths),
            depths=list(backbone.depths),
            out_features=_STAGES,
        )
    # Its place is taken by our own; the pixel decoder must only learn the channels.
    return transformers.ResNetConfig(
        embedding_size=4, hidden_sizes=list(backbone.channels), depths=[1, 1, 1, 1], out_features=_STAGES
    )


def _swin(backbone: SwinBackbone) -> Any:
    return transformers.SwinConfig(
        image_size=32 * backbone.window,
        embed_dim=backbone.dim,
        depths=list(backbone.depths),
        num_heads=list(backbone.heads),
        window_size=backbone.window,
        drop_path_rate=0.0,
        out_features=_STAGES,
    )
