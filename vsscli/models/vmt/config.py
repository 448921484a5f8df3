"""What a VidEoMT, PMT or LVMT model is: its parts and their sizes, as ``config.json`` of a model folder holds them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from vsscli.errors import ModelError
from vsscli.models.dvis.config import read_labels

MODEL_TYPE = "vmt"
#: Kind -> what people call it.
TITLES = {"videomt": "VidEoMT", "pmt": "PMT", "lvmt": "LVMT"}
ENCODERS = ("dinov2", "dinov3")
PATCH = 16

#: The largest number that may stand under a name: far beyond any model, and still built in seconds.
_LARGEST = {"depth": 1000, "blocks": 1000, "levels": 100, "registers": 1000, "grid": 1000, "queries": 10_000}
_LARGEST_ELSE = 100_000
_AGAIN = "Take the file that belongs to the weights."


@dataclass(frozen=True)
class EncoderConfig:
    """A plain ViT of patches of 16 pixels: ``depth`` blocks of ``dim`` channels and ``heads`` heads.

    ``type`` is dinov2, with positions learned on ``grid`` x ``grid`` patches, or dinov3, with rotary positions and no
    grid (None). ``registers`` tokens stand beside the class token.
    """

    type: str = "dinov2"
    dim: int = 1024
    depth: int = 24
    heads: int = 16
    registers: int = 4
    grid: int | None = 80

    @property
    def title(self) -> str:
        """What people call it."""
        return self.type.replace("dino", "DINO")


@dataclass(frozen=True)
class VmtConfig:
    """A VidEoMT, PMT or LVMT model.

    ``labels`` are the names of the K classes in the order of the channels. ``queries`` queries go through ``blocks``
    blocks: the last of the encoder's own (VidEoMT), or those of a decoder (PMT, LVMT) that reads ``levels`` levels of
    the encoder. ``converted`` says in words what a conversion did; it changes nothing.

    Raises ModelError when the parts do not fit together.
    """

    kind: str
    encoder: EncoderConfig
    labels: tuple[str, ...]
    queries: int = 200
    blocks: int = 4
    levels: int | None = None
    converted: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise ModelError(f"No {self.title} model can be like that: {problem}.")

    @property
    def title(self) -> str:
        """What people call it."""
        return TITLES.get(self.kind, "video mask transformer")

    @property
    def prefix(self) -> int:
        """How many tokens stand before the patches: class token and registers."""
        return 1 + self.encoder.registers

    def keeps_tokens(self, cells: int) -> bool:
        """Whether of a frame of ``cells`` patches its tokens and mask embeddings are less than its mask logits."""
        return (cells + self.queries) * self.encoder.dim < 16 * self.queries * cells

    def kept_numbers(self, cells: int) -> int:
        """How many numbers are kept of such a frame until its video ends."""
        tokens = (cells + self.queries) * self.encoder.dim
        return tokens if self.keeps_tokens(cells) else 16 * self.queries * cells


def to_json(config: VmtConfig) -> dict[str, Any]:
    """``config.json`` of a model folder, as a JSON object; `from_json` reads it back."""
    entries: dict[str, Any] = {"model_type": MODEL_TYPE, **asdict(config)}
    entries["id2label"] = {str(i): name for i, name in enumerate(entries.pop("labels"))}
    entries["converted"] = dict(config.converted)
    return entries


def from_json(entries: Mapping[str, Any], where: str) -> VmtConfig:
    """The configuration in a JSON object; ``where`` names the file in errors.

    Every entry of `to_json` must be there, except ``converted``, and no other. Raises ModelError naming the file and
    the entry that is missing, unknown or of the wrong type.
    """
    found = dict(entries)
    if found.pop("model_type", None) != MODEL_TYPE:
        raise ModelError(f"{where}: model_type is not {MODEL_TYPE!r}.")
    labels = read_labels(found.pop("id2label", None), where)
    converted = found.pop("converted", {})
    if not isinstance(converted, dict) or not all(isinstance(value, str) for value in converted.values()):
        raise ModelError(f"{where}: converted is {converted!r}, which makes no sense.", _AGAIN)
    encoder = found.pop("encoder", None)
    if not isinstance(encoder, dict):
        raise ModelError(f"{where}: encoder is missing or no JSON object.", _AGAIN)
    inner = _checked(EncoderConfig, encoder, where, "encoder.", ())
    outer = _checked(VmtConfig, found, where, "", ("encoder", "labels", "converted"))
    try:
        return VmtConfig(encoder=EncoderConfig(**inner), labels=labels, converted=converted, **outer)
    except ModelError as error:
        raise ModelError(f"{where}: {error.message}", _AGAIN) from None


def _checked(
    kind: type[Any], entries: Mapping[str, Any], where: str, prefix: str, apart: tuple[str, ...]
) -> dict[str, Any]:
    """``entries``, which must be exactly the fields of ``kind`` without those ``apart``, each of its type."""
    wanted = {f.name: f.type for f in fields(kind) if f.name not in apart}
    for name in (*entries, *wanted):
        if name not in wanted:
            raise ModelError(f"{where}: {prefix}{name} is an entry that no such model has.", "Remove it.")
        if name not in entries:
            raise ModelError(f"{where}: {prefix}{name} is missing.", _AGAIN)
    for name, value in entries.items():
        said = f"{where}: {prefix}{name} is {value!r}"
        absent = wanted[name] == int | None and value is None
        least = 0 if name == "registers" else 1
        fits = isinstance(value, str) if wanted[name] is str else type(value) is int and value >= least
        if not fits and not absent:
            raise ModelError(f"{said}, which makes no sense.", _AGAIN)
        largest = _LARGEST.get(name, _LARGEST_ELSE)
        if type(value) is int and value > largest:
            raise ModelError(f"{said}, and {largest} is the largest that is built.", _AGAIN)
    return dict(entries)


def _problem(config: VmtConfig) -> str:
    """What does not fit together, in words; empty when all is well."""
    encoder = config.encoder
    if config.kind not in TITLES:
        return f"its kind is {config.kind!r}, not one of {', '.join(TITLES)}"
    if encoder.type not in ENCODERS:
        return f"its encoder is of the type {encoder.type!r}, not one of {', '.join(ENCODERS)}"
    if (encoder.grid is None) != (encoder.type == "dinov3"):
        return f"its encoder is a {encoder.type} with {'no' if encoder.grid is None else 'a'} grid of positions"
    if encoder.dim % encoder.heads or encoder.dim // encoder.heads % 4:
        return f"{encoder.dim} channels do not make {encoder.heads} heads of a multiple of 4 channels"
    if (config.levels is None) != (config.kind == "videomt"):
        return f"it is a {config.title} and has {config.levels or 'no'} levels"
    if config.levels is None:
        if encoder.type == "dinov3":
            return "only its variant with a DINOv2 encoder is supported"
        if config.blocks > encoder.depth:
            return f"queries cannot pass {config.blocks} of the encoder's {encoder.depth} blocks"
    elif encoder.depth % config.levels or encoder.dim % 2:
        return f"{config.levels} levels of {encoder.dim} channels cannot come from {encoder.depth} blocks"
    return ""
