"""What a training of MPVSS starts from: a segmenter of ours, or an MPVSS model; and a FlowNet, if there is one."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vsscli.data.classes import ClassTable
from vsscli.errors import ModelError, OptionError
from vsscli.models.convert.reading import read_checkpoint
from vsscli.models.dvis.config import MODEL_TYPE, DvisConfig, from_json, read_fields
from vsscli.models.dvis.keys import invert
from vsscli.models.dvis.load import read_weights
from vsscli.models.dvis.model import Dvis, build
from vsscli.models.mpvss import config as mpvss
from vsscli.models.mpvss.config import MotionConfig, MpvssConfig
from vsscli.models.mpvss.encoder import SLOPE
from vsscli.models.mpvss.model import Mpvss
from vsscli.models.mpvss.model import build as build_mpvss
from vsscli.models.mpvss.motion import Motion
from vsscli.models.mpvss.names import encoder_names
from vsscli.models.source import read_config
from vsscli.train.config import TrainConfig
from vsscli.train.start import Start, check_classes, init_folder


def make_mpvss(config: TrainConfig, table: ClassTable) -> Start:
    """The model that a training of MPVSS starts with; errors as of `vsscli.train.start.make_model`.

    ModelError too where ``flownet`` is no FlowNet-S of the encoder's widths.
    """
    torch.manual_seed(config.seed)
    folder = init_folder(config)
    entries, where = read_config(folder), str(folder / "config.json")
    kind = entries.get("model_type")
    donor: Dvis | Mpvss
    if kind == mpvss.MODEL_TYPE:
        found = mpvss.from_json(entries, where)
        wanted, donor = _again(config, found), build_mpvss(found)
        title, told = "MPVSS", "all of its weights"
    elif kind == MODEL_TYPE:
        its = from_json(entries, where)
        wanted, donor = _around(config, its), build(its)
        title, told = its.kind, f"motion at random from seed {config.seed}"
    else:
        raise ModelError(
            f"init {config.init} is a model of the type {kind!r}, from which no MPVSS model is trained.",
            "Train the stage segmenter first, and give its folder.",
        )
    check_classes(config, wanted.labels, table)
    read_weights(donor, folder, config.init, f"model ({title})")
    model = _fresh(wanted)
    weights, own = donor.state_dict(), model.state_dict()
    model.load_state_dict({key: weights.get(key, value) for key, value in own.items()})
    said = [f"from {config.init} ({title}), {told}"]
    if config.flownet is not None:
        said.append(_take_flownet(model.motion, Path(config.flownet)))
    return Start(model, said, folder)


def file_digest(path: Path) -> str:
    """SHA-256 of a file that could be read before."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _motion(config: TrainConfig, base: MotionConfig) -> MotionConfig:
    """``base`` with the entries of ``model.motion``."""
    for name in config.model:
        if name != "motion":
            raise OptionError(
                f"model.{name} is no entry that an mpvss can be given: its segmenter stays as it is.",
                "There is motion, with the sizes of the motion network.",
            )
    changes = config.model.get("motion") or {}
    sizes = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(base).items()}
    entries: Any = {**sizes, **changes} if isinstance(changes, dict) else changes
    try:
        found: MotionConfig = read_fields(MotionConfig, entries, "model", "motion.")
    except ModelError as error:
        raise OptionError(error.message, "See vsscli guide training.") from None
    return found


def _again(config: TrainConfig, found: MpvssConfig) -> MpvssConfig:
    """The model of ``init``, as it is."""
    if _motion(config, found.motion) != found.motion:
        raise OptionError(
            f"model.motion is {config.model['motion']!r}, and init {config.init} has another.",
            "Leave the entry out: what init has, stays.",
        )
    return replace(found, segmenter=replace(found.segmenter, converted={}))


def _around(config: TrainConfig, found: DvisConfig) -> MpvssConfig:
    """A model around the segmenter of ``init``."""
    segmenter = replace(found, kind="segmenter", reid=False, tracker=None, refiner=None, converted={})
    motion = _motion(config, MotionConfig())
    try:
        return MpvssConfig(segmenter, motion)
    except ModelError as error:
        raise OptionError(error.message, "Set model.motion.heads.") from None


def _fresh(config: MpvssConfig) -> Mpvss:
    """A model whose motion network has weights at random: convolutions by He's rule, the rest by Glorot's; its flow is
    the still one that `Motion` begins with."""
    model = Mpvss(config)
    for module in model.motion.modules():
        if module is model.motion.fuse:
            continue
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, SLOPE)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    return model


def _take_flownet(motion: Motion, path: Path) -> str:
    """Gives the encoder the weights of a FlowNet-S under mmtracking's names; what was left out, in words."""
    tensors = read_checkpoint(path).tensors
    own = motion.encoder.state_dict()
    wanted = {official: ours for official, (ours,) in invert(encoder_names(), own).items()}
    wrong = []
    for official, ours in wanted.items():
        found, size = tensors.get(official), list(own[ours].shape)
        if found is None:
            wrong.append(f"{official} is missing")
        elif list(found.shape) != size:
            wrong.append(f"{official} is {list(found.shape)} and must be {size}")
    if wrong:
        raise ModelError(
            f"flownet {path} is no encoder of this motion network: {'; '.join(wrong)}.",
            "Give mmtracking's flownet_simple.pth, and leave model.motion.widths out; or leave flownet out.",
        )
    motion.encoder.load_state_dict({ours: tensors[official].float() for official, ours in wanted.items()})
    left = sorted(tensors.keys() - wanted.keys())
    return f"its encoder from {path}" + (f" (left out: {', '.join(left)})" if left else "")
