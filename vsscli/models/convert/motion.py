"""The motion network of MPVSS, by the names and shapes in a checkpoint."""

from typing import TYPE_CHECKING

from vsscli.models.mpvss.config import MotionConfig

if TYPE_CHECKING:
    from vsscli.models.convert.identify import Sizes

_USUAL = MotionConfig()


def find_motion(tell: "Sizes", heads: int) -> MotionConfig | None:
    """The motion network of ``heads`` heads, which shapes do not tell; None where there is none."""
    if not any(key.startswith("motion.") for key in tell.shapes):
        return None
    encoder, decoder = "motion.encoder", "motion.decoder"
    one, two, three, four, five, six = (
        tell.size(f"{encoder}.conv{i + 1}.0.conv.weight", 0, usual) for i, usual in enumerate(_USUAL.widths)
    )
    first, second, third, last = (
        tell.size(f"{decoder}.deconv{5 - i}.conv.weight", 1, usual) for i, usual in enumerate(_USUAL.growth)
    )
    return MotionConfig(
        widths=(one, two, three, four, five, six),
        growth=(first, second, third, last),
        layers=tell.count(f"{decoder}.transformer_ffn_layers"),
        heads=heads,
        ffn=tell.size(f"{decoder}.transformer_ffn_layers.0.linear1.weight", 0, _USUAL.ffn),
        hidden=tell.size(f"{decoder}.output_head.layers.0.weight", 0, _USUAL.hidden),
    )


def describe_motion(motion: MotionConfig) -> str:
    """What was found, as a line of text."""
    widths, growth = ("/".join(map(str, values)) for values in (motion.widths, motion.growth))
    return (
        f"motion network: {widths} channels down, {growth} up; {motion.layers} layers, feed-forward {motion.ffn}; "
        f"{motion.hidden} channels for the flow of the queries"
    )
