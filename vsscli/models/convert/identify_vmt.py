"""Which VidEoMT, PMT or LVMT a checkpoint holds, by the names and shapes in it alone."""

from dataclasses import replace
from math import isqrt

from vsscli.data.classes import vspw_classes
from vsscli.errors import ModelError, OptionError
from vsscli.models.convert.identify import ORDERS, SAYS, Found, Settings, Shapes, Sizes, class_order_of, labels_of
from vsscli.models.vmt.config import TITLES, EncoderConfig, VmtConfig

_VIT = "backbone.encoder.backbone"
_DECODER = "backbone.decoder"
_HEAD = 64  # channels of a head in every published ViT
_BLOCKS = 4  # of VidEoMT's encoder that queries pass, in every published one

_HOW = {
    "videomt": "queries pass the last {} blocks of the encoder, and a linear layer leads to the next frame",
    "pmt": "queries pass a decoder of {} blocks, and a linear layer leads to the next frame",
    "lvmt": "queries pass a decoder of {} blocks, and a GRU leads to the next frame",
}


def identify_vmt(shapes: Shapes, settings: Settings) -> Found:
    """The VidEoMT, PMT or LVMT whose official names and shapes ``shapes`` are, or come closest to.

    What is missing or makes no sense leaves the size of the published model in its place: the caller compares all
    names and shapes. Raises ModelError for VidEoMT's variant on DINOv3, which is not supported, where there is no
    encoder, and where the heads of the ViT cannot be told; OptionError when a setting does not apply.
    """
    for name in ("heads", "points"):
        if name in settings.given:
            raise OptionError(f"--set {name}: this checkpoint has nothing that it could concern.", "Leave it out.")
    tell = Sizes(shapes)
    kind, place = _kind(shapes)
    if not any(key.startswith(f"{_VIT}.") for key in shapes):
        raise ModelError(
            f"this {TITLES[kind]} has no encoder: none of its names begins with {_VIT}.",
            "The encoder may have been left out because its training never changes it; take a file that holds it too.",
        )
    encoder = _encoder(tell, settings, kind)
    classes = tell.size(f"{place}.class_head.weight", 0, len(vspw_classes()) + 1) - 1
    if not classes:
        raise ModelError(f'the checkpoint has no classes: {place}.class_head has one row, which is "no object".')
    told_blocks = f"{place}.attn_mask_probs" in shapes
    blocks = tell.count(f"{place}.blocks") if kind != "videomt" else tell.size(f"{place}.attn_mask_probs", 0, _BLOCKS)
    try:
        config = VmtConfig(
            kind=kind,
            encoder=encoder,
            labels=labels_of(classes),
            queries=tell.size(f"{place}.q.weight", 0, 200),
            blocks=blocks,
            levels=None if kind == "videomt" else tell.count(f"{_DECODER}.lateral_projections"),
        )
    except ModelError as error:
        hint = "Where names of a checkpoint are missing it looks like that: take a whole one."
        raise ModelError(error.message, hint) from None
    settings = replace(settings, class_order=class_order_of(classes, settings))
    return _tell(config, settings, "" if told_blocks or kind != "videomt" else f"queries pass the last {blocks} blocks")


def _kind(shapes: Shapes) -> tuple[str, str]:
    """The kind, and where its heads are."""
    if any(key.startswith(f"{_DECODER}.") for key in shapes):
        return ("lvmt" if any(key.startswith(f"{_DECODER}.query_gru.") for key in shapes) else "pmt"), _DECODER
    return "videomt", "backbone"


def _encoder(tell: Sizes, settings: Settings, kind: str) -> EncoderConfig:
    learned = f"{_VIT}.pos_embed" in tell.shapes or kind == "videomt"
    if kind == "videomt" and f"{_VIT}.patch_embed.cls_token" in tell.shapes:
        raise ModelError(
            "this is a VidEoMT with a DINOv3 encoder, and only the one with DINOv2 is supported.",
            "Take VidEoMT with DINOv2, or PMT or LVMT with DINOv3: each has the higher published mIoU.",
        )
    norm = f"{_VIT}.norm.weight"
    dim = tell.size(norm, 0, 1024)
    if settings.vit_heads is None and dim % _HEAD:
        raise ModelError(
            f"the ViT has {dim} channels, no multiple of {_HEAD}: how many heads it has cannot be told.",
            "Say it: --set vit_heads=N.",
        )
    registers = f"{_VIT}.reg_token" if learned else f"{_VIT}.patch_embed.register_tokens"
    return EncoderConfig(
        type="dinov2" if learned else "dinov3",
        dim=dim,
        depth=tell.count(f"{_VIT}.blocks"),
        heads=settings.vit_heads or dim // _HEAD,
        registers=tell.size(registers, 1, 4),
        grid=max(isqrt(tell.size(f"{_VIT}.pos_embed", 1, 6400)), 1) if learned else None,
    )


def _tell(config: VmtConfig, settings: Settings, unknown: str) -> Found:
    encoder = config.encoder
    positions = f"positions on {encoder.grid}x{encoder.grid}" if encoder.grid else "rotary positions"
    inferred = [
        f"model: {TITLES[config.kind]}: {_HOW[config.kind].format(config.blocks)}",
        f"encoder: {encoder.title} ViT: {encoder.depth} blocks of {encoder.dim} channels, "
        f"{encoder.registers} registers, {positions}",
        f"segmenter: {config.queries} queries of {encoder.dim} channels, {len(config.labels)} classes",
    ]
    if config.levels:
        inferred.insert(2, f"decoder: reads {config.levels} levels of the encoder, evenly spaced")
    chosen, assumed = [], [unknown] if unknown else []
    for name in ("short", "cap", "vit_heads", "class_order"):
        value = str(encoder.heads if name == "vit_heads" else getattr(settings, name))
        told = f"{SAYS[name].format(ORDERS.get(value, value))} ({name}={value})"
        if name in settings.given:
            chosen.append(told)
        else:
            assumed.append(told.replace(" (vit_", f", one for {_HEAD} channels (vit_"))
    return Found(config, settings, tuple(inferred), tuple(assumed), tuple(chosen))
