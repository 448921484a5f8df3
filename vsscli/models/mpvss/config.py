"""What an MPVSS model is: a segmenter and a motion network, as ``config.json`` of a model folder holds them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vsscli.errors import ModelError
from vsscli.models.dvis import config as dvis
from vsscli.models.dvis.config import DvisConfig, read_fields

MODEL_TYPE = "mpvss"

#: Frames from one key frame to the next, as the authors test it.
INTERVAL = 5

#: How many layers of the motion encoder end at strides 2, 4, ... 64 of its input: the first of each halves the map.
CONVOLUTIONS = (1, 1, 2, 2, 2, 2)

#: What a segmenter of MPVSS is among those of DVIS++; not in the file.
_SEGMENTER: dict[str, Any] = {"kind": "segmenter", "reid": False, "tracker": None, "refiner": None}


@dataclass(frozen=True)
class MotionConfig:
    """The motion network.

    ``widths`` are the channels of FlowNet-Simple's contraction at strides 2, 4, 8, 16, 32, 64 of its input, ``growth``
    those that each step of the expansion adds, from the coarse end. The transformer between has ``layers`` layers of
    ``heads`` heads and ``ffn`` channels in the feed-forward; its width is the segmenter's. ``hidden`` is inside the two
    small networks that give the flow of the queries.
    """

    widths: tuple[int, int, int, int, int, int] = (64, 128, 256, 512, 512, 1024)
    growth: tuple[int, int, int, int] = (128, 128, 128, 64)
    layers: int = 9
    heads: int = 8
    ffn: int = 2048
    hidden: int = 512


@dataclass(frozen=True)
class MpvssConfig:
    """An MPVSS model: ``segmenter`` is one without identities. Raises ModelError when the parts do not fit."""

    segmenter: DvisConfig
    motion: MotionConfig

    def __post_init__(self) -> None:
        if any(getattr(self.segmenter, name) != value for name, value in _SEGMENTER.items()):
            raise ModelError("An MPVSS model cannot be like that: its segmenter is more than one of frames.")
        if self.segmenter.width % self.motion.heads:
            raise ModelError(
                f"An MPVSS model cannot be like that: its width {self.segmenter.width} is no multiple of the "
                f"{self.motion.heads} heads of its motion network."
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes in the order of the channels."""
        return self.segmenter.labels


def to_json(config: MpvssConfig) -> dict[str, Any]:
    """``config.json`` of a model folder, as a JSON object; `from_json` reads it back."""
    entries = {name: value for name, value in dvis.to_json(config.segmenter).items() if name not in _SEGMENTER}
    motion = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(config.motion).items()}
    return {**entries, "model_type": MODEL_TYPE, "motion": motion}


def from_json(entries: Mapping[str, Any], where: str) -> MpvssConfig:
    """The configuration in a JSON object; ``where`` names the file in errors.

    Raises ModelError naming the file and the entry that is missing, unknown or of the wrong type.
    """
    found = dict(entries)
    if found.pop("model_type", None) != MODEL_TYPE:
        raise ModelError(f"{where}: model_type is not {MODEL_TYPE!r}.")
    for name in _SEGMENTER:
        if name in found:
            raise ModelError(f"{where}: {name} is an entry that no such model has.", "Remove it.")
    motion: MotionConfig = read_fields(MotionConfig, found.pop("motion", None), where, "motion.")
    segmenter = dvis.from_json({**found, **_SEGMENTER, "model_type": dvis.MODEL_TYPE}, where)
    try:
        return MpvssConfig(segmenter, motion)
    except ModelError as error:
        raise ModelError(f"{where}: {error.message}", "Take the file that belongs to the weights.") from None
