"""The families of models that segment, each with the little that is its own: those of ``transformers``, and ours.

Mask2Former, OneFormer: masks with classes; EoMT, BEiT: squares of one size, so windows slide over the frame;
SegFormer, UPerNet, DPT: one logit per class and place, at any size. Backbones are those that ``transformers`` itself
implements (ResNet, Swin, ConvNeXt, ...): backbones of timm are refused, because timm needs torchvision. Left out is
DPT with a hybrid backbone, which takes squares of one size only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from sys import modules
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from vsscli.errors import ModelError
from vsscli.models.deformable import use_fast_sampling
from vsscli.models.dvis.config import DvisConfig, from_json
from vsscli.models.mpvss.config import from_json as mpvss_from_json
from vsscli.models.network import DenseScores, Network, QueryScores, Scores, VideoNetwork
from vsscli.models.preprocess import Preprocess
from vsscli.models.vmt.config import VmtConfig
from vsscli.models.vmt.config import from_json as vmt_from_json
from vsscli.models.windows import slide

_HALF: tuple[float, float, float] = (127.5, 127.5, 127.5)


@dataclass(frozen=True)
class Family:
    """How models of one ``model_type`` of ``transformers`` are built, prepared and asked.

    ``architecture`` is the class of ``transformers``. ``forward`` turns (model, float32 [B, 3, H, W]) into B scores.
    ``preprocess`` holds where a model folder says nothing; for families with ``side``, the default of their
    ``image_size``, the short side is the model's. ``ready`` is called once after loading. ``settings`` overrule
    the folder's configuration. ``not_needed`` matches weights that a folder may hold for training only.
    ``half`` tells whether the authors evaluate in half precision.
    """

    architecture: str
    forward: Callable[[Any, Tensor], list[Scores]]
    preprocess: Preprocess
    ready: Callable[[Any], None] = lambda model: None
    side: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    not_needed: str = r"(?!)"
    half: bool = False


@dataclass(frozen=True)
class Kept:
    """What a network of two passes keeps of each frame: ``stored`` bytes in a `FrameStore`, ``held`` bytes in memory.

    ``what`` is stored, as a noun; ``advice`` is what to do where that is too much, as a clause.
    """

    stored: int
    held: int
    what: str
    advice: str


@dataclass(frozen=True)
class OwnFamily:
    """A family whose networks are ours.

    ``read`` makes a configuration of ``config.json`` and the name of that file, or raises ModelError; ``title`` is what
    to call a model of that configuration. ``load`` is given the folder, the user's name of it, the preprocessing, the
    device and the dtype. ``kept`` tells from the configuration and the padded input size (H, W) what is kept of each
    frame; None: nothing is. ``causal`` tells from it whether frames can be answered before the video ends.
    ``carries``: its networks carry key frames on by themselves (`vsscli.models.network.KeyFrameNetwork`).
    """

    title: Callable[[Any], str]
    read: Callable[[Mapping[str, Any], str], Any]
    load: Callable[[Path, str, Preprocess, torch.device, torch.dtype], Network | VideoNetwork]
    kept: Callable[[Any, tuple[int, int]], Kept | None]
    preprocess: Preprocess
    half: bool = False
    side: None = None
    causal: Callable[[Any], bool] = lambda config: False
    carries: bool = False


def _queries(class_logits: Tensor, mask_logits: Tensor) -> list[Scores]:
    probabilities = class_logits.float().softmax(-1)[..., :-1]
    return [QueryScores(p, m) for p, m in zip(probabilities, mask_logits.float(), strict=True)]


def _dense(logits: Tensor) -> list[Scores]:
    return [DenseScores(frame, True) for frame in logits.float()]


def _mask2former(model: Any, pixels: Tensor) -> list[Scores]:
    # The hidden states must be asked for: without them and without auxiliary losses the model finds no classes.
    found = model(pixel_values=pixels, output_hidden_states=True)
    return _queries(found.class_queries_logits, found.masks_queries_logits)


#: "the task is semantic" in CLIP's vocabulary, with begin and end; OneFormer's processor puts zeros behind.
_SEMANTIC_TASK = (49406, 518, 10549, 533, 29119, 1550, 49407)


def _oneformer(model: Any, pixels: Tensor) -> list[Scores]:
    task = pixels.new_zeros(len(pixels), model.config.task_seq_len)
    task[:, : len(_SEMANTIC_TASK)] = pixels.new_tensor(_SEMANTIC_TASK)
    found = model(pixel_values=pixels, task_inputs=task)
    return _queries(found.class_queries_logits, found.masks_queries_logits)


def _eomt(model: Any, pixels: Tensor) -> list[Scores]:
    side = model.config.image_size

    def scores(window: Tensor) -> Tensor:
        found = model(pixel_values=window)
        classes = found.class_queries_logits.float().softmax(-1)[..., :-1]
        masks = interpolate(found.masks_queries_logits.float(), (side, side), mode="bilinear").sigmoid()
        with torch.autocast(pixels.device.type, enabled=False):
            return torch.einsum("bqk,bqhw->bkhw", classes, masks)

    return [DenseScores(frame, False) for frame in slide(pixels, side, side, scores)]


def _beit(model: Any, pixels: Tensor) -> list[Scores]:
    size = model.config.image_size
    side = size if isinstance(size, int) else size[0]

    def logits(window: Tensor) -> Tensor:
        return interpolate(model(pixel_values=window).logits.float(), (side, side), mode="bilinear")

    return _dense(slide(pixels, side, 2 * side // 3, logits))


def _upernet(model: Any, pixels: Tensor) -> list[Scores]:
    # Without the model's own last step, which enlarges all classes to the size of the input.
    return _dense(model.decode_head(model.backbone.forward_with_filtered_kwargs(pixels).feature_maps))


def _dpt(model: Any, pixels: Tensor) -> list[Scores]:
    # The model's own forward takes squares only: it does not tell its neck the shape of the grid of patches.
    height, width = (side // model.config.patch_size for side in pixels.shape[2:])
    states = model.dpt(pixels, output_hidden_states=True).hidden_states[1:]
    picked = [state for i, state in enumerate(states) if i in model.config.backbone_out_indices]
    return _dense(model.head(model.neck(picked, height, width)))


def _logits(model: Any, pixels: Tensor) -> list[Scores]:
    return _dense(model(pixel_values=pixels).logits)


def _keep_decoder_exact(model: Any) -> None:
    """The pixel decoder computes in float32 whatever the rest does, as in the official evaluation."""
    use_fast_sampling(modules[type(model).__module__])
    decoder: nn.Module = model.model.pixel_level_module.decoder
    inner = decoder.forward

    def forward(features: list[Tensor], *args: Any, **options: Any) -> Any:
        with torch.autocast(features[0].device.type, enabled=False):
            return inner([feature.float() for feature in features], *args, **options)

    decoder.forward = forward


def _drop_auxiliary_head(model: Any) -> None:
    model.auxiliary_head = None


def _no_hybrid(model: Any) -> None:
    if model.config.is_hybrid:
        raise ModelError("this is a hybrid DPT model, and its backbone takes squares of one size only.")
    _drop_auxiliary_head(model)


def _no_chance(model: Any) -> None:
    """EoMT masks its attention at random while it is being weaned from it: then no two results would be the same."""
    if ((model.attn_mask_probs > 0) & (model.attn_mask_probs < 1)).any():
        raise ModelError(
            "this EoMT model was saved in the middle of its mask annealing and would answer at random.",
            "Take the weights from the end of the training (attn_mask_probs all 0).",
        )


def _load_dvis(*arguments: Any) -> Network | VideoNetwork:
    from vsscli.models.dvis.load import load_dvis  # imports transformers: seconds

    return load_dvis(*arguments)


def _load_mpvss(*arguments: Any) -> Network:
    from vsscli.models.mpvss.load import load_mpvss  # imports transformers: seconds

    return load_mpvss(*arguments)


def _dvis_kept(dvis: DvisConfig, padded: tuple[int, int]) -> Kept | None:
    if dvis.tracker is None:
        return None
    cells, heads = padded[0] // 4 * (padded[1] // 4), 4 * dvis.queries * (len(dvis.labels) + 1)
    online = Kept(4 * dvis.queries * cells, heads, "mask logits", "take a smaller --size")
    if dvis.refiner is None:
        return online
    advice = f"take the online model of it, which keeps {online.stored / 1e6:.1f} MB of a frame"
    # The embeddings of tracker and segmenter wait for the refiner, which works on a copy and gives mask embeddings.
    held = heads + 4 * dvis.queries * (3 * dvis.head_width + dvis.width)
    return Kept(4 * dvis.width * cells, held, "mask features", advice)


def _load_vmt(*arguments: Any) -> VideoNetwork:
    from vsscli.models.vmt.load import load_vmt

    return load_vmt(*arguments)


def _vmt_kept(vmt: VmtConfig, padded: tuple[int, int]) -> Kept:
    cells = padded[0] // 16 * (padded[1] // 16)
    what = "patches and mask embeddings" if vmt.keeps_tokens(cells) else "mask logits"
    return Kept(4 * vmt.kept_numbers(cells), 0, what, "take a smaller --size")


FAMILIES: dict[str, Family | OwnFamily] = {
    "dvis": OwnFamily(
        lambda config: f"DVIS++ {config.kind}",
        from_json,
        _load_dvis,
        _dvis_kept,
        Preprocess(720, 1333, divisor=32),
        half=True,
        causal=lambda config: config.kind == "online",
    ),
    "vmt": OwnFamily(
        lambda config: f"{config.title} ({config.encoder.title})",
        vmt_from_json,
        _load_vmt,
        _vmt_kept,
        Preprocess(720, 1333, divisor=32),
        half=True,
        causal=lambda config: True,
    ),
    "mpvss": OwnFamily(
        lambda config: "MPVSS",
        mpvss_from_json,
        _load_mpvss,
        lambda config, padded: None,
        Preprocess(480, 853, divisor=32),
        carries=True,
    ),
    "mask2former": Family(
        "Mask2FormerForUniversalSegmentation",
        _mask2former,
        Preprocess(720, 1333, divisor=32),  # as the VSPW models of DVIS++
        _keep_decoder_exact,
        half=True,
    ),
    "oneformer": Family(
        "OneFormerForUniversalSegmentation",
        _oneformer,
        Preprocess(800, 1333, divisor=32),
        _keep_decoder_exact,
        settings={"is_training": False},
        not_needed=r"model\.(text_mapper|prompt_ctx)\b",
    ),
    "segformer": Family("SegformerForSemanticSegmentation", _logits, Preprocess(512, 2048, divisor=32)),
    "upernet": Family(
        "UperNetForSemanticSegmentation", _upernet, Preprocess(512, 2048, divisor=32), _drop_auxiliary_head
    ),
    "dpt": Family(
        "DPTForSemanticSegmentation",
        _dpt,
        Preprocess(480, 1920, _HALF, _HALF, divisor=32),
        _no_hybrid,
    ),
    "beit": Family(
        "BeitForSemanticSegmentation", _beit, Preprocess(None, None, _HALF, _HALF), _drop_auxiliary_head, side=224
    ),
    "eomt": Family("EomtForUniversalSegmentation", _eomt, Preprocess(None, None), _no_chance, side=640),
}
