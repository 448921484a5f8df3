"""What a training is: the entries of its YAML file, each with its meaning and its default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vsscli.errors import OptionError
from vsscli.train.masking import Mvc

STAGES = ("segmenter", "tracker", "refiner", "mpvss")
#: What the DVIS++ model that a stage gives is called in a model folder.
KIND = {"segmenter": "segmenter", "tracker": "online", "refiner": "offline"}
RANDOM = "random"
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Clip:
    """How a clip is drawn from a video.

    ``frames`` in it; ``reach``: all are drawn within so many frames of one, with replacement, in order (none: they
    follow one another without gaps). ``reverse``: how often a clip runs backwards, 0..1. ``short_videos``, with fewer
    labelled frames than a clip without gaps, are refused, or hold their last frame.
    """

    frames: int = 1
    reach: int | None = None
    reverse: float = 0.0
    short_videos: str = "refuse"


@dataclass(frozen=True)
class Input:
    """What the network sees; one draw holds for a whole clip.

    ``short``: the short sides to draw from, in pixels, with ``cap`` on the long side. ``crop``: [height, width] cut
    out, ``crop_range``: [least, most] for each side; none: no crop. ``flip``: half of the clips mirrored.
    ``test_short`` and ``test_cap`` are the size that the model folder tells and that validation uses.
    """

    short: tuple[int, ...] = tuple(range(480, 801, 32))
    cap: int | None = 1333
    crop: tuple[int, ...] | None = None
    crop_range: tuple[int, ...] | None = None
    flip: bool = True
    test_short: int = 720
    test_cap: int = 1333


@dataclass(frozen=True)
class Optimizer:
    """AdamW. ``backbone`` multiplies its learning rate; no decay on norms and embeddings; ``clip_norm``: the largest
    norm of the whole gradient. The rate is multiplied by ``warmup_factor`` for ``warmup`` steps, then it falls:
    ``schedule`` step multiplies it by ``decay`` at each of ``decay_at``, poly brings it to 0 by a power of 0.9."""

    lr: float = 1e-4
    weight_decay: float = 0.05
    backbone: float = 0.1
    clip_norm: float = 0.01
    warmup: int = 10
    warmup_factor: float = 1.0
    schedule: str = "step"
    decay_at: tuple[int, ...] = ()
    decay: float = 0.1


@dataclass(frozen=True)
class Loss:
    """Weights of the terms, and the points at which masks are compared (see `vsscli.train.points`).

    ``label``, ``mask``, ``dice`` weigh losses and matching costs; ``identity`` and ``cosine`` the contrastive terms,
    the latter in the segmenter only; ``pixels`` the cross-entropy of pixels (`vsscli.train.pixels`), in it only too.
    """

    points: int = 12544
    oversample: float = 3.0
    importance: float = 0.75
    label: float = 2.0
    mask: float = 5.0
    dice: float = 5.0
    no_object: float = 0.1
    identity: float = 2.0
    cosine: float = 3.0
    pixels: float = 0.0


@dataclass(frozen=True)
class Validation:
    """``split``: what to score on (none: nothing), ``every`` so many steps and at the end, at most ``videos`` of it
    and of each the first ``frames``."""

    split: str | None = "val"
    every: int = 2000
    videos: int | None = None
    frames: int | None = None


@dataclass(frozen=True)
class TrainConfig:
    """A training.

    ``stage``: segmenter, tracker (then the model is online) or refiner (offline); the parts before it stay as they
    are. Or mpvss: a segmenter with a motion network. ``init``: a model folder, ours or a Mask2Former of
    ``transformers``; or random, for a segmenter. ``flownet``: a checkpoint of a FlowNet-S, for the encoder of an
    mpvss. ``zero_init``: a new tracker or refiner begins with what the part before it says (`vsscli.train.zero_init`).
    ``model``: entries of a model's ``config.json``, for what ``init`` does not have; null is no entry.
    ``splits``: what to train on. ``steps`` of ``batch`` clips each, over all processes, in ``accumulate`` parts one
    after the other. ``norms``: batch norms of the backbone are frozen, weights and statistics, or batch (they learn).
    ``amp``: none, bf16 or fp16.
    ``odd_masks``: a mask with a value outside the class table is refused, or such pixels are void. ``save_every`` so
    many steps the training can be resumed from. OptionError for values that make no sense.
    """

    stage: str
    steps: int
    batch: int
    init: str = RANDOM
    flownet: str | None = None
    zero_init: bool = False
    model: Mapping[str, Any] = field(default_factory=dict)
    splits: tuple[str, ...] = ("train",)
    accumulate: int = 1
    seed: int = 0
    norms: str = "frozen"
    amp: str = "none"
    odd_masks: str = "refuse"
    save_every: int = 500
    clip: Clip = Clip()
    input: Input = Input()
    optimizer: Optimizer = Optimizer()
    loss: Loss = Loss()
    mvc: Mvc | None = None
    validation: Validation = Validation()

    def __post_init__(self) -> None:
        problem = next((text for text, wrong in _problems(self).items() if wrong), "")
        if problem:
            raise OptionError(f"{problem}.", "See vsscli guide training.")


#: What a step multiplies with must fit into a single-precision number (3.4e38), with room for Adam's own factors.
_LARGEST_RATE = 1e30


def _problems(config: TrainConfig) -> dict[str, bool]:
    clip, size, loss, optimizer = config.clip, config.input, config.loss, config.optimizer
    follows = config.stage in ("tracker", "refiner")
    positive = {
        "steps": config.steps,
        "batch": config.batch,
        "accumulate": config.accumulate,
        "save_every": config.save_every,
        "clip.frames": clip.frames,
        "input.test_short": size.test_short,
        "loss.points": loss.points,
        "input.test_cap": size.test_cap,
        "input.cap": 1 if size.cap is None else size.cap,
        "optimizer.lr": optimizer.lr,
        "optimizer.clip_norm": optimizer.clip_norm,
        "validation.every": config.validation.every,
        "validation.videos": 1 if config.validation.videos is None else config.validation.videos,
        "validation.frames": 1 if config.validation.frames is None else config.validation.frames,
        **{f"input.short[{i}]": side for i, side in enumerate(size.short)},
    }
    decays = ("weight_decay", "backbone", "warmup", "warmup_factor", "decay")
    terms = ("label", "mask", "dice", "no_object", "identity", "cosine", "pixels")
    least_zero = {
        "seed": config.seed,
        "clip.reach": clip.reach or 0,
        **{f"optimizer.{name}": getattr(optimizer, name) for name in decays},
        **{f"loss.{name}": getattr(loss, name) for name in terms},
    }
    pairs = {"crop": size.crop, "crop_range": size.crop_range}
    return {
        **{f"{name} is {value}, and must be above 0": value <= 0 for name, value in positive.items()},
        **{f"{name} is negative": value < 0 for name, value in least_zero.items()},
        f"optimizer.lr is {optimizer.lr} with its factors, and no step can be so large": optimizer.lr
        * max(1.0, optimizer.backbone)
        * max(1.0, optimizer.warmup_factor)
        > _LARGEST_RATE,
        **{
            f"input.{name} is {list(pair)}, and takes two numbers above 0": len(pair) != 2 or min(pair) < 1
            for name, pair in pairs.items()
            if pair is not None
        },
        f"stage is {config.stage!r}, not one of {', '.join(STAGES)}": config.stage not in STAGES,
        f"norms is {config.norms!r}, not frozen or batch": config.norms not in ("frozen", "batch"),
        f"amp is {config.amp!r}, not none, bf16 or fp16": config.amp not in ("none", "bf16", "fp16"),
        f"clip.short_videos is {clip.short_videos!r}, not refuse or hold": clip.short_videos not in ("refuse", "hold"),
        f"odd_masks is {config.odd_masks!r}, not refuse or void": config.odd_masks not in ("refuse", "void"),
        f"optimizer.schedule is {config.optimizer.schedule!r}, not step or poly": config.optimizer.schedule
        not in ("step", "poly"),
        "splits names nothing to train on": not config.splits,
        "input.short holds no size": not size.short,
        f"seed is {config.seed}, and the largest is {LARGEST_SEED}": config.seed > LARGEST_SEED,
        "input.crop and input.crop_range are both given": None not in (size.crop, size.crop_range),
        "input.crop_range goes from a number to a smaller one": list(size.crop_range or ())
        != sorted(size.crop_range or ()),
        "validation.split is empty; null is no validation": config.validation.split == "",
        "clip.reverse is not in 0..1": not 0 <= clip.reverse <= 1,
        "loss.importance is not in 0..1": not 0 <= loss.importance <= 1,
        "loss.oversample is below 1": loss.oversample < 1,
        f"loss.pixels is for the stage segmenter, and the stage is {config.stage}": loss.pixels > 0
        and config.stage != "segmenter",
        f"batch {config.batch} is not a multiple of accumulate {config.accumulate}": config.accumulate > 0
        and config.batch % config.accumulate != 0,
        f"a {config.stage} follows queries through a clip, and clip.frames is 1": follows and clip.frames < 2,
        f"the stage {config.stage} needs a model to start from, and init is {RANDOM}": config.stage in STAGES[1:]
        and config.init == RANDOM,
        f"a {config.stage} follows frames without gaps, and clip.reach is given": follows and clip.reach is not None,
        f"a clip of mpvss is a key frame and a later one, and clip.frames is {clip.frames}": config.stage == "mpvss"
        and clip.frames != 2,
        f"zero_init is for a tracker or a refiner, and the stage is {config.stage}": config.zero_init and not follows,
        f"flownet is for the stage mpvss, and the stage is {config.stage}": config.flownet is not None
        and config.stage != "mpvss",
    }
