"""The official names of the motion network's tensors, and ours, as data; the segmenter's are those of DVIS++."""

from vsscli.models.dvis.names import Names, attention, below
from vsscli.models.mpvss.config import CONVOLUTIONS, MotionConfig


def names(config: MotionConfig) -> Names:
    """The table for a motion network (see `vsscli.models.dvis.names`)."""
    encoder = below("motion.encoder.", "motion.encoder.", encoder_names())
    return encoder | below("motion.decoder.", "motion.", _decoder(config))


def encoder_names() -> Names:
    """The table for the encoder alone; its official names are those of mmtracking's FlowNet-Simple."""
    return {
        f"conv{stage + 1}.{i}.conv.": f"stages.{stage}.{i}."
        for stage, count in enumerate(CONVOLUTIONS)
        for i in range(count)
    }


def _decoder(config: MotionConfig) -> Names:
    found: Names = {
        "query_embed.": "talk.query_embed.",
        "level_embed.": "talk.level_embed.",
        "input_proj.": "talk.projections.",
        "decoder_norm.": "norm.",
        "output_head.": "query_embeds.",
        "scale_layer.": "motion_map.",
        "fuse_layer.conv.": "fuse.",
        "predict_flow.conv.": "expansion.flows.4.",
    }
    for i in range(4):
        found[f"predict_flow{6 - i}.conv."] = f"expansion.flows.{i}."
        found[f"upsample_flow{5 - i}.conv."] = f"expansion.enlarge.{i}."
        found[f"deconv{5 - i}.conv."] = f"expansion.grow.{i}."
    for i in range(config.layers):
        found |= attention(f"transformer_self_attention_layers.{i}.", "self_attn", f"talk.attention.{i}.")
        found[f"transformer_ffn_layers.{i}."] = f"talk.feed_forward.{i}."
    return found
