"""Which model a checkpoint holds, by the names and shapes in it alone.

What the shapes do not tell is assumed, and said. Every size is looked for in one tensor; whether all the others agree
is the translation's to find out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isqrt, nextafter

from vsscli.data.classes import vspw_classes
from vsscli.errors import ModelError, OptionError
from vsscli.models.convert.motion import describe_motion, find_motion
from vsscli.models.dvis.config import (
    BackboneConfig,
    DvisConfig,
    HeadConfig,
    ResNetBackbone,
    SwinBackbone,
    ViTAdapterBackbone,
)
from vsscli.models.mpvss.config import MotionConfig, MpvssConfig
from vsscli.models.vmt.config import VmtConfig

Shapes = Mapping[str, tuple[int, ...]]
Four = tuple[int, int, int, int]

_PIXEL = "sem_seg_head.pixel_decoder"
_QUERY = "sem_seg_head.predictor"
#: How names begin in the model folders that `convert` writes, and nowhere else.
_OURS = ("segmenter.mask2former.", "upscale.0.")
#: How names of VidEoMT, PMT and LVMT begin, and no others.
_VMT = ("backbone.encoder.backbone.", "backbone.query_updater.", "backbone.decoder.query_")
_LEVELS, _POINTS = 3, 4  # of the pixel decoder's deformable attention


@dataclass(frozen=True)
class Settings:
    """What shapes do not tell; None: by the rule.

    ``short`` and ``cap`` are the test size in pixels, ``heads`` those of tracker and refiner (or of MPVSS' motion
    network), ``points`` those of the ViT-Adapter's deformable attention, ``vit_heads`` those of its ViT (None: as many
    as the adapter's). ``class_order`` is "dvis" (channels in DVIS++'s order of VSPW's classes) or "kept" (None: "dvis"
    for as many classes as VSPW has, but not for MPVSS). ``given`` are the names of those that the user set.
    """

    short: int = 720
    cap: int = 1333
    heads: int = 8
    points: int = 4
    vit_heads: int | None = None
    class_order: str | None = None
    given: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True)
class Found:
    """What a checkpoint is: its configuration and settings, and how they are known, each a line of text.

    ``chosen`` tells what the user set, ``assumed`` the rest of what shapes do not tell. ``motion`` is what MPVSS adds
    to the segmenter that ``config`` then is.
    """

    config: DvisConfig | VmtConfig
    settings: Settings
    inferred: tuple[str, ...]
    assumed: tuple[str, ...]
    chosen: tuple[str, ...]
    motion: MotionConfig | None = None


def parse_settings(words: list[str]) -> Settings:
    """Settings from ``name=value`` words; OptionError for a name that is none or a value that makes no sense."""
    found: dict[str, int | str] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in SAYS:
            raise OptionError(f"--set {word}: there is no such setting.", f"There are {', '.join(SAYS)}.")
        if name in found:
            raise OptionError(f"--set {name} is given twice.", "Give it once.")
        if name == "class_order":
            if value not in ("dvis", "kept"):
                raise OptionError(f"--set {word}: the order is dvis or kept.")
            found[name] = value
        elif not re.fullmatch("[1-9][0-9]{0,4}", value):
            example = getattr(Settings(), name) or 16
            raise OptionError(
                f"--set {word}: that is no number from 1 to 99999.", f"For example --set {name}={example}."
            )
        else:
            found[name] = int(value)
    return _checked(replace(Settings(), **found, given=frozenset(found)))  # type: ignore[arg-type]


def _checked(settings: Settings) -> Settings:
    if settings.cap < settings.short:
        raise OptionError(
            f"--set: the long side, at most {settings.cap} (cap), is below the short side, {settings.short} (short).",
            "Set both: cap is the longest that the long side of a frame may become.",
        )
    return settings


def _sized_for_motion(settings: Settings) -> Settings:
    """With MPVSS' test size where the user set none."""
    usual = {name: value for name, value in {"short": 480, "cap": 853}.items() if name not in settings.given}
    return _checked(replace(settings, **usual))  # type: ignore[arg-type]


#: The settings, as they are told.
SAYS = {
    "short": "short side {} of the frames (test size)",
    "cap": "long side at most {} (test size)",
    "heads": "{} attention heads in each layer of the {}",
    "points": "{} points per head of the adapter's deformable attention",
    "vit_heads": "{} attention heads in the ViT",
    "class_order": "{}",
}
ORDERS = {
    "dvis": "channels in DVIS++'s order of VSPW's classes; they are put in VSPW's",
    "kept": "channels in the order of the classes; they stay",
}


def identify(shapes: Shapes, settings: Settings) -> Found:
    """The DVIS++, MPVSS, VidEoMT, PMT or LVMT model whose official names and shapes ``shapes`` are, or come closest to.

    What is missing or makes no sense leaves the size of the published R50 model in its place: the caller compares all
    names and shapes. Raises ModelError when there is nothing of such a model, OptionError when a setting does not
    apply to this one.
    """
    if any(key.startswith(_VMT) for key in shapes):
        from vsscli.models.convert.identify_vmt import identify_vmt  # which builds on what is here

        return identify_vmt(shapes, settings)
    if any(key.startswith(_OURS) for key in shapes):
        raise ModelError("these are the weights of a model folder, converted already.", "Give --model that folder.")
    if not any(key.startswith((f"{_PIXEL}.", f"{_QUERY}.")) for key in shapes):
        raise ModelError(
            "the checkpoint holds no model that is known: it has neither sem_seg_head.pixel_decoder nor "
            "sem_seg_head.predictor (DVIS++, MPVSS), nor what VidEoMT, PMT and LVMT have (backbone.encoder), but "
            f"{_parts(shapes) or 'nothing'}.",
            "Give a checkpoint of MinVIS, CTVIS or DVIS++ (segmenter, online or offline), MPVSS, VidEoMT, PMT or LVMT.",
        )
    tell = Sizes(shapes)
    backbone, about = _backbone(tell, settings)
    tracker = _head(tell, "tracker", settings.heads)
    refiner = _head(tell, "refiner", settings.heads) if tracker else None
    motion = find_motion(tell, settings.heads) if tracker is None else None
    if tracker is None and motion is None and settings.heads != Settings().heads:
        raise OptionError("--set heads: this checkpoint has no tracker.", "Leave it out.")
    settings = settings if motion is None else _sized_for_motion(settings)
    classes = tell.size(f"{_QUERY}.class_embed.weight", 0, 125) - 1
    if not classes:
        raise ModelError(f'the checkpoint has no classes: {_QUERY}.class_embed has one row, which is "no object".')
    order = class_order_of(classes, settings, "dvis" if motion is None else "kept")
    width = tell.size(f"{_QUERY}.query_feat.weight", 1, 256)
    encoder = f"{_PIXEL}.transformer.encoder.layers"
    config = DvisConfig(
        kind="offline" if refiner else "online" if tracker else "segmenter",
        backbone=backbone,
        labels=labels_of(classes),
        queries=tell.size(f"{_QUERY}.query_feat.weight", 0, 100),
        width=width,
        heads=max(tell.size(f"{encoder}.0.self_attn.attention_weights.weight", 0, 96) // (_LEVELS * _POINTS), 1),
        encoder_layers=tell.count(encoder),
        encoder_ffn=tell.size(f"{encoder}.0.linear1.weight", 0, 1024),
        decoder_layers=tell.count(f"{_QUERY}.transformer_cross_attention_layers"),
        decoder_ffn=tell.size(f"{_QUERY}.transformer_ffn_layers.0.linear1.weight", 0, 2048),
        reid=tracker is not None or (motion is None and any(key.startswith(f"{_QUERY}.reid_embed.") for key in shapes)),
        tracker=tracker,
        refiner=refiner,
    )
    if motion is not None:
        MpvssConfig(config, motion)  # raises where they do not fit
    return _tell(config, motion, replace(settings, class_order=order), about)


class Sizes:
    """Sizes looked up in a checkpoint; what is not there or makes no sense is ``otherwise``."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes

    def size(self, key: str, axis: int, otherwise: int) -> int:
        shape = self.shapes.get(key, ())
        return shape[axis] if axis < len(shape) and shape[axis] > 0 else otherwise

    def count(self, prefix: str) -> int:
        """One more than the highest number that follows ``prefix``, strays far above the others aside; at least 1."""
        numbers = re.compile(re.escape(prefix) + r"\.(\d{1,3})\.")
        there = sorted({int(found[1]) for key in self.shapes if (found := numbers.match(key))})
        return max((number + 1 for i, number in enumerate(there) if 2 * (i + 1) > number), default=1)


def _backbone(tell: Sizes, settings: Settings) -> tuple[BackboneConfig, str]:
    if any(key.startswith("backbone.vit_module.") for key in tell.shapes):
        return _vit_adapter(tell, settings)
    for name in ("points", "vit_heads"):
        if getattr(settings, name) != getattr(Settings(), name):
            raise OptionError(f"--set {name}: this checkpoint has no ViT-Adapter.", "Leave it out.")
    if any(key.startswith("backbone.layers.") for key in tell.shapes):
        return _swin(tell)
    stages = [f"backbone.res{stage}" for stage in (2, 3, 4, 5)]
    found = ResNetBackbone(
        stem=tell.size("backbone.stem.conv1.weight", 0, 64),
        widths=_four(tell.size(f"{s}.0.conv3.weight", 0, 256 << i) for i, s in enumerate(stages)),
        depths=_four(tell.count(stage) for stage in stages),
    )
    named = {(3, 4, 6, 3): "ResNet-50", (3, 4, 23, 3): "ResNet-101", (3, 8, 36, 3): "ResNet-152"}
    name = named.get(found.depths, "ResNet")
    return found, f"{name}: {_list(found.depths)} blocks of {_list(found.widths)} channels, stem {found.stem}"


def _swin(tell: Sizes) -> tuple[BackboneConfig, str]:
    stages = [f"backbone.layers.{stage}" for stage in range(4)]
    tables = [f"{stage}.blocks.0.attn.relative_position_bias_table" for stage in stages]
    found = SwinBackbone(
        dim=tell.size("backbone.patch_embed.proj.weight", 0, 96),
        depths=_four(tell.count(f"{stage}.blocks") for stage in stages),
        heads=_four(tell.size(table, 1, 3 << i) for i, table in enumerate(tables)),
        window=(isqrt(tell.size(tables[0], 0, 169)) + 1) // 2,
    )
    return found, (
        f"Swin: {_list(found.depths)} blocks of {_list(found.heads)} heads, {found.dim} channels first, "
        f"windows of {found.window}x{found.window}"
    )


def _vit_adapter(tell: Sizes, settings: Settings) -> tuple[BackboneConfig, str]:
    dim = tell.size("backbone.vit_module.cls_token", 2, 1024)
    extractor = "backbone.interactions.0.extractor"
    rows = tell.size(f"{extractor}.attn.attention_weights.weight", 0, 64)
    heads = max(rows // settings.points, 1)
    hidden = tell.size(f"{extractor}.ffn.fc1.weight", 0, dim // 4)
    found = ViTAdapterBackbone(
        dim=dim,
        depth=tell.count("backbone.vit_module.blocks"),
        heads=settings.vit_heads or heads,
        deform_heads=heads,
        deform_points=settings.points,
        prior_width=tell.size("backbone.spm.stem.0.weight", 0, 64),
        ffn_ratio=hidden / dim if int(hidden / dim * dim) == hidden else nextafter(hidden / dim, hidden),
        patch=tell.size("backbone.vit_module.patch_embed.proj.weight", 2, 16),
        grid=isqrt(tell.size("backbone.vit_module.pos_embed", 1, 1370) - 1),
    )
    return found, (
        f"ViT-Adapter: {found.depth} blocks of {dim} channels, patches of {found.patch} pixels, positions on "
        f"{found.grid}x{found.grid}; adapter of {heads} heads ({rows} rows / {settings.points} points), "
        f"spatial prior {found.prior_width}, feed-forward {hidden}"
    )


def _head(tell: Sizes, name: str, heads: int) -> HeadConfig | None:
    if not any(key.startswith(f"{name}.") for key in tell.shapes):
        return None
    ffn = tell.size(f"{name}.transformer_ffn_layers.0.linear1.weight", 0, 2048)
    return HeadConfig(tell.count(f"{name}.transformer_ffn_layers"), heads, ffn)


def _tell(config: DvisConfig, motion: MotionConfig | None, settings: Settings, backbone: str) -> Found:
    stage = {
        "segmenter": "segmenter alone" if config.reid else "segmenter alone, without identities (MinVIS)",
        "online": "online: segmenter and referring tracker",
        "offline": "offline: segmenter, referring tracker and temporal refiner",
    }
    inferred = [
        f"stage: {stage[config.kind] if motion is None else 'MPVSS: segmenter and motion network'}",
        f"backbone: {backbone}",
        f"segmenter: {config.queries} queries of {config.width} channels, {len(config.labels)} classes",
        f"pixel decoder: {config.encoder_layers} layers, feed-forward {config.encoder_ffn}; {config.heads} heads "
        f"(rows of attention_weights / {_LEVELS} levels / {_POINTS} points)",
        f"decoder: {config.decoder_layers} layers, feed-forward {config.decoder_ffn}",
    ]
    for name, head in (("tracker", config.tracker), ("refiner", config.refiner)):
        if head is not None:
            inferred.append(f"{name}: {head.layers} layers, {config.head_width} channels, feed-forward {head.ffn}")
    if motion is not None:
        inferred.append(describe_motion(motion))
    chosen, assumed = [], [f"{config.heads} attention heads in the segmenter's decoder, as in its pixel decoder"]
    heads = "motion network" if motion else "tracker and of the refiner" if config.refiner else "tracker"
    for name, says in SAYS.items():
        if name == "heads" and not (config.tracker or motion):
            continue
        if name in ("points", "vit_heads") and not isinstance(config.backbone, ViTAdapterBackbone):
            continue
        value = getattr(settings, name)
        if name == "vit_heads" and isinstance(config.backbone, ViTAdapterBackbone):
            value = config.backbone.heads
        told = f"{says.format(ORDERS.get(value, value), heads)} ({name}={value})"
        if name in settings.given:
            chosen.append(told)
        else:
            assumed.append(told.replace(" (vit_", ", as many as in the adapter (vit_"))
    return Found(config, settings, tuple(inferred), tuple(assumed), tuple(chosen), motion)


def class_order_of(classes: int, settings: Settings, usual: str = "dvis") -> str:
    """The order of the class channels, set or ``usual`` for VSPW's; OptionError where it cannot be that."""
    count = len(vspw_classes())
    order = settings.class_order or (usual if classes == count else "kept")
    if order == "dvis" and classes != count:
        raise OptionError(f"--set class_order=dvis: that is an order of {count} classes, and here are {classes}.")
    return order


def labels_of(count: int) -> tuple[str, ...]:
    """VSPW's names for as many classes as VSPW has, else numbered ones."""
    names = vspw_classes().names
    return names if count == len(names) else tuple(f"LABEL_{i}" for i in range(count))


def _parts(shapes: Shapes) -> str:
    """The first parts of the names, with how many names begin so."""
    parts: dict[str, int] = {}
    for key in shapes:
        name = ".".join(key.split(".")[:2]) if key.startswith("sem_seg_head.") else key.split(".")[0]
        parts[name] = parts.get(name, 0) + 1
    most = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} ({count})" for name, count in most[:6]) + (", ..." if len(most) > 6 else "")


def _four(values: Iterable[int]) -> Four:
    first, second, third, fourth = values
    return first, second, third, fourth


def _list(values: Four) -> str:
    return "/".join(map(str, values))
