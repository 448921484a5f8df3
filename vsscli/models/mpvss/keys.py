"""Weights of an MPVSS model from their official names to ours."""

from collections.abc import Mapping

from torch import Tensor

from vsscli.models.dvis import keys as dvis
from vsscli.models.dvis.keys import Translation, fit, invert
from vsscli.models.mpvss.config import MpvssConfig
from vsscli.models.mpvss.model import build
from vsscli.models.mpvss.names import names


def official_to_ours(config: MpvssConfig) -> dict[str, tuple[str, ...]]:
    """The official name of every tensor of a model -> ours: one, or three that take its thirds along the first axis."""
    motion = [key for key in build(config).state_dict() if key.startswith("motion.")]
    return dvis.official_to_ours(config.segmenter) | invert(names(config.motion), motion)


def translate(official: Mapping[str, Tensor], config: MpvssConfig) -> Translation:
    """Official weights as `build` (config) takes them, as `vsscli.models.dvis.keys.translate` says."""
    wanted = {key: value.shape for key, value in build(config).state_dict().items()}
    return fit(official, official_to_ours(config), wanted)
