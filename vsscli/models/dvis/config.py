"""What a DVIS++ model is: its parts and their sizes, as ``config.json`` of a model folder holds them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import inf
from typing import Any, ClassVar, get_args, get_origin

from vsscli.errors import ModelError

MODEL_TYPE = "dvis"
KINDS = ("segmenter", "online", "offline")

#: The largest number that may stand under a name: far beyond any model, and still built in seconds.
_LARGEST = dict.fromkeys(("depth", "depths", "layers", "encoder_layers", "decoder_layers"), 1000)
_LARGEST |= {"queries": 10_000, "grid": 1000, "patch": 1000, "window": 64, "ffn_ratio": 100}
_LARGEST_ELSE = 100_000  # channels, points


@dataclass(frozen=True)
class ResNetBackbone:
    """A ResNet of bottleneck blocks: ``stem`` channels after the first convolution, ``widths`` after the stages."""

    type: ClassVar[str] = "resnet"
    stem: int = 64
    widths: tuple[int, int, int, int] = (256, 512, 1024, 2048)
    depths: tuple[int, int, int, int] = (3, 4, 6, 3)

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels of the maps at strides 4, 8, 16, 32."""
        return self.widths


@dataclass(frozen=True)
class SwinBackbone:
    """A Swin transformer: stage i has ``dim`` * 2^i channels, ``depths[i]`` blocks and ``heads[i]`` heads."""

    type: ClassVar[str] = "swin"
    dim: int = 96
    depths: tuple[int, int, int, int] = (2, 2, 6, 2)
    heads: tuple[int, int, int, int] = (3, 6, 12, 24)
    window: int = 7

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels of the maps at strides 4, 8, 16, 32."""
        return self.dim, 2 * self.dim, 4 * self.dim, 8 * self.dim


@dataclass(frozen=True)
class ViTAdapterBackbone:
    """A DINOv2 ViT with an adapter.

    The ViT has ``depth`` blocks (a multiple of four) of ``heads`` heads, patches of ``patch`` pixels, and positions
    learned on ``grid`` x ``grid`` patches. The adapter's deformable attention has ``deform_heads`` heads with
    ``deform_points`` points, its spatial prior begins with ``prior_width`` channels, and its feed-forward nets have
    ``ffn_ratio`` times ``dim`` channels inside.
    """

    type: ClassVar[str] = "vit_adapter"
    dim: int = 1024
    depth: int = 24
    heads: int = 16
    deform_heads: int = 16
    deform_points: int = 4
    prior_width: int = 64
    ffn_ratio: float = 0.25
    patch: int = 16
    grid: int = 37

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels of the maps at strides 4, 8, 16, 32."""
        return self.dim, self.dim, self.dim, self.dim


BackboneConfig = ResNetBackbone | SwinBackbone | ViTAdapterBackbone
BACKBONES: dict[str, type[BackboneConfig]] = {b.type: b for b in (ResNetBackbone, SwinBackbone, ViTAdapterBackbone)}


@dataclass(frozen=True)
class HeadConfig:
    """The tracker or the refiner: ``layers`` layers of ``heads`` heads and ``ffn`` channels inside the feed-forward.

    Its width is always twice the segmenter's, because it reads queries joined with their identities.
    """

    layers: int = 6
    heads: int = 8
    ffn: int = 2048


@dataclass(frozen=True)
class DvisConfig:
    """A DVIS++ model.

    ``kind`` tells how far it goes: a segmenter alone, with a tracker (online), with a refiner too (offline). ``labels``
    are the names of the K classes in the order of the channels. The segmenter is a Mask2Former of ``width`` channels
    with ``queries`` queries and ``heads`` heads; ``decoder_layers`` counts the layers that exist (Mask2Former's own
    setting is one more). ``reid`` tells whether it has the head that gives identities, which only a segmenter alone
    may lack. ``converted`` says in words what a conversion did; it changes nothing.

    Raises ModelError when the parts do not fit together.
    """

    kind: str
    backbone: BackboneConfig
    labels: tuple[str, ...]
    queries: int = 100
    width: int = 256
    heads: int = 8
    encoder_layers: int = 6
    encoder_ffn: int = 1024
    decoder_layers: int = 9
    decoder_ffn: int = 2048
    reid: bool = True
    tracker: HeadConfig | None = None
    refiner: HeadConfig | None = None
    converted: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise ModelError(f"A DVIS++ model cannot be like that: {problem}.")

    @property
    def head_width(self) -> int:
        """Channels of the tracker and the refiner."""
        return 2 * self.width


def to_json(config: DvisConfig) -> dict[str, Any]:
    """``config.json`` of a model folder, as a JSON object; `from_json` reads it back."""
    entries: dict[str, Any] = {"model_type": MODEL_TYPE, **asdict(config)}
    sizes = {name: list(value) if isinstance(value, tuple) else value for name, value in entries["backbone"].items()}
    entries["backbone"] = {"type": config.backbone.type, **sizes}
    entries["id2label"] = {str(i): name for i, name in enumerate(entries.pop("labels"))}
    entries["converted"] = dict(config.converted)
    return entries


def from_json(entries: Mapping[str, Any], where: str) -> DvisConfig:
    """The configuration in a JSON object; ``where`` names the file in errors.

    Every entry of `to_json` must be there, except ``converted``, and no other. Raises ModelError naming the file and
    the entry that is missing, unknown or of the wrong type.
    """
    found = dict(entries)
    if found.pop("model_type", None) != MODEL_TYPE:
        raise ModelError(f"{where}: model_type is not {MODEL_TYPE!r}.")
    found.setdefault("converted", {})
    found["labels"] = read_labels(found.pop("id2label", None), where)
    found["backbone"] = _backbone(found.get("backbone"), where)
    for name in ("tracker", "refiner"):
        if found.get(name) is not None:
            found[name] = read_fields(HeadConfig, found[name], where, f"{name}.")
    config: DvisConfig
    try:
        config = read_fields(DvisConfig, found, where, "")
    except ModelError as error:
        if error.message.startswith(where):
            raise
        raise ModelError(f"{where}: {error.message}", "Take the file that belongs to the weights.") from None
    return config


def read_labels(names: Any, where: str) -> tuple[str, ...]:
    """The classes in the order of the channels, from ``id2label`` of the file ``where``; ModelError."""
    count = len(names) if isinstance(names, dict) else 0
    if not count or any(not isinstance(names.get(str(i)), str) for i in range(count)):
        raise ModelError(f"{where}: id2label does not name the classes 0, 1, 2, ... without gaps.")
    return tuple(names[str(i)] for i in range(count))


def _backbone(entries: Any, where: str) -> BackboneConfig:
    if not isinstance(entries, dict) or entries.get("type") not in list(BACKBONES):
        raise ModelError(f"{where}: backbone.type is not one of {', '.join(BACKBONES)}.")
    rest = {name: value for name, value in entries.items() if name != "type"}
    backbone: BackboneConfig = read_fields(BACKBONES[entries["type"]], rest, where, "backbone.")
    return backbone


def read_fields(kind: type[Any], entries: Any, where: str, prefix: str) -> Any:
    """An instance of the dataclass ``kind`` from exactly its fields; ``where`` and ``prefix`` name them in errors.

    Raises ModelError for an entry that is missing, unknown, of the wrong type or too large to be built.
    """
    if not isinstance(entries, dict):
        raise ModelError(f"{where}: {prefix.rstrip('.')} is no JSON object.")
    wanted = {f.name: f.type for f in fields(kind)}
    for name in [*entries, *wanted]:
        if name not in wanted:
            raise ModelError(f"{where}: {prefix}{name} is an entry that no such model has.", "Remove it.")
        if name not in entries:
            raise ModelError(f"{where}: {prefix}{name} is missing.", "Take the file that belongs to the weights.")
    found = {name: _value(wanted[name], value, where, prefix + name) for name, value in entries.items()}
    for name, value in found.items():
        numbers = value if isinstance(value, tuple) and name != "labels" else (value,)
        largest = _LARGEST.get(name, _LARGEST_ELSE)
        if any(isinstance(number, int | float) and number > largest for number in numbers):
            raise ModelError(
                f"{where}: {prefix}{name} is {value!r}, and {largest} is the largest that is built.",
                "Take the file that belongs to the weights.",
            )
    return kind(**found)


def _value(wanted: Any, value: Any, where: str, name: str) -> Any:
    if wanted is int and type(value) is int and value > 0:
        return value
    if wanted is float and type(value) in (int, float) and 0 < value < inf:
        return float(value)
    if wanted in (bool, str) and type(value) is wanted:
        return value
    if get_origin(wanted) is tuple and isinstance(value, list) and get_args(wanted) == (int,) * len(value):
        return tuple(_value(int, part, where, name) for part in value)
    if name == "converted" and isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
        return value
    if name in ("backbone", "labels", "tracker", "refiner") and not isinstance(value, dict):
        return value  # read before; an absent head is null
    raise ModelError(
        f"{where}: {name} is {value!r}, which makes no sense.", "Take the file that belongs to the weights."
    )


def _problem(config: DvisConfig) -> str:
    """What does not fit together, in words; empty when all is well."""
    if config.kind not in KINDS:
        return f"its kind is {config.kind!r}, not one of {', '.join(KINDS)}"
    if (config.tracker is not None) != (config.kind != "segmenter"):
        return f"its kind is {config.kind!r} and it has {'a' if config.tracker else 'no'} tracker"
    if (config.refiner is not None) != (config.kind == "offline"):
        return f"its kind is {config.kind!r} and it has {'a' if config.refiner else 'no'} refiner"
    if config.tracker and not config.reid:
        return "it has a tracker, but no identities to track by"
    if config.width % config.heads or config.width % 32:
        return f"its width {config.width} is no multiple of 32 and of its {config.heads} heads"
    for head in (config.tracker, config.refiner):
        if head and config.head_width % head.heads:
            return f"the width {config.head_width} of its tracker and refiner is no multiple of {head.heads} heads"
    if isinstance(config.backbone, ResNetBackbone) and min(config.backbone.widths) < 4:
        return f"its backbone's widths {list(config.backbone.widths)} must be 4 or more: a block computes on a quarter"
    if isinstance(config.backbone, ViTAdapterBackbone):
        vit = config.backbone
        if vit.depth % 4 or vit.dim % vit.heads or vit.dim % vit.deform_heads:
            return (
                f"a ViT of {vit.depth} blocks, {vit.dim} channels and {vit.heads} heads is not divisible as it must be"
            )
    return ""
