"""What a training starts from: weights at random, a model folder, or a Mask2Former of ``transformers``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vsscli.data.classes import ClassTable
from vsscli.errors import ModelError, OptionError
from vsscli.models.dvis.config import MODEL_TYPE, DvisConfig, HeadConfig, ResNetBackbone, from_json, to_json
from vsscli.models.dvis.load import read_weights
from vsscli.models.dvis.model import Dvis, build
from vsscli.models.mpvss.config import MODEL_TYPE as MPVSS_TYPE
from vsscli.models.mpvss.config import to_json as mpvss_to_json
from vsscli.models.mpvss.model import Mpvss
from vsscli.models.source import read_config, resolve_source
from vsscli.models.strict import load_weights
from vsscli.train.config import KIND, RANDOM, TrainConfig
from vsscli.train.foreign import foreign_config
from vsscli.train.zero_init import follow_segmenter, follow_tracker


@dataclass(frozen=True)
class Start:
    """A model on the CPU, what to tell of where its weights come from, and their folder; None: they are at random."""

    model: Dvis | Mpvss
    told: list[str]
    folder: Path | None = None

    @property
    def entries(self) -> dict[str, Any]:
        """``config.json`` of the model's folder."""
        config = self.model.config
        return to_json(config) if isinstance(config, DvisConfig) else mpvss_to_json(config)

    @property
    def title(self) -> str:
        """What the model is, in words."""
        config = self.model.config
        return f"a DVIS++ {config.kind}" if isinstance(config, DvisConfig) else "a segmenter with a motion network"


def make_model(config: TrainConfig, table: ClassTable) -> Start:
    """The model that a training starts with, of the classes of ``table``.

    Weights that ``init`` does not have are drawn from ``seed``. OptionError where the entries of ``model`` are none
    or contradict ``init``; ModelError where ``init`` is no model, or of another stage or of other classes.
    """
    torch.manual_seed(config.seed)
    if config.init == RANDOM:
        wanted = _with(DvisConfig("segmenter", ResNetBackbone(), table.names), config)
        return Start(_fresh(wanted), [f"weights at random from seed {config.seed}"])
    folder = init_folder(config)
    entries = read_config(folder)
    if entries.get("model_type") == MPVSS_TYPE:
        raise ModelError(
            f"init {config.init} is an MPVSS model, and only the stage mpvss goes on from one, not {config.stage}.",
            "Give the segmenter that it was made of.",
        )
    if entries.get("model_type") != MODEL_TYPE:
        return _from_transformers(config, table, folder, entries)
    found = from_json(entries, str(folder / "config.json"))
    anew = config.stage == "segmenter" and found.labels != table.names
    _check(config, found, table)
    base = replace(found, labels=table.names)
    wanted = _with(_with_head(config.stage, base), config, base)
    donor = build(found)
    read_weights(donor, folder, config.init, f"DVIS++ {found.kind}")
    weights = donor.state_dict()
    model = _fresh(wanted)
    if anew:
        weights |= {key: value for key, value in model.state_dict().items() if _CLASS_HEAD in key}
    own = model.state_dict()
    model.load_state_dict({key: weights.get(key, value) for key, value in own.items()})
    added = own.keys() - weights.keys()
    new = sorted({"identities" if ".identity." in key else key.partition(".")[0] for key in added})
    left = sorted({key.partition(".")[0] for key in weights.keys() - own.keys()})
    parts = [f"{', '.join(new)} at random from seed {config.seed}"] if new else []
    parts += [f"without its {' and '.join(left)}"] if left else []
    parts += ["its class head made anew"] if anew else []
    told = ", ".join(parts) or "all of its weights"
    if config.zero_init:
        told += f", adding nothing at first: {_follow(config, model, found)}"
    return Start(model, [f"from {config.init} ({found.kind}), {told}"], folder)


def init_folder(config: TrainConfig) -> Path:
    """The folder of ``init``; ModelError names the entry, for it is the file that asked for what is not there."""
    try:
        return resolve_source(config.init)
    except ModelError as error:
        raise ModelError(f"init: {error.message}", f"{error.hint or ''} Or --set init=FOLDER.".strip()) from None


def _follow(config: TrainConfig, model: Dvis, found: DvisConfig) -> str:
    """Makes the new tracker or refiner one that adds nothing; what it begins with, in words."""
    if getattr(found, config.stage) is not None:
        raise OptionError(
            f"zero_init is for a new {config.stage}, and init {config.init} has a trained one.",
            "Add --set zero_init=false to train that one further, or give the model of the stage before.",
        )
    assert model.tracker is not None
    if model.refiner is None:
        follow_segmenter(model.tracker, model.segmenter)
        return "its heads are the segmenter's"
    follow_tracker(model.refiner, model.tracker)
    return "its heads are the tracker's"


def _with_head(stage: str, found: DvisConfig) -> DvisConfig:
    """``found`` with the head that the stage trains, and no further one."""
    if stage == "segmenter":
        return replace(found, kind="segmenter", tracker=None, refiner=None, reid=True)
    if stage == "tracker":
        return replace(found, kind="online", tracker=found.tracker or HeadConfig(), refiner=None)
    return replace(found, kind="offline", refiner=found.refiner or HeadConfig())


def _check(config: TrainConfig, found: DvisConfig, table: ClassTable) -> None:
    needed = {"segmenter": KIND, "tracker": ("segmenter", "online", "offline"), "refiner": ("online", "offline")}
    if config.stage != "segmenter" and found.kind not in needed[config.stage]:
        raise ModelError(
            f"init {config.init} is a {found.kind}, and a refiner is trained on a model with a tracker (online).",
            "Train the stage tracker first, and give its folder.",
        )
    if config.stage == "tracker" and not found.reid:
        raise ModelError(
            f"init {config.init} is a segmenter without identities, which a tracker follows.",
            "Train the stage segmenter from it first.",
        )
    if config.stage != "segmenter":  # which is given a new class head
        check_classes(config, found.labels, table)


def check_classes(config: TrainConfig, labels: tuple[str, ...], table: ClassTable) -> None:
    """ModelError unless ``labels``, the classes of ``init``, are those of ``table``."""
    if labels != table.names:
        other = next((mine for mine, its in zip(table.names, labels, strict=False) if mine != its), "")
        raise ModelError(
            f"init {config.init} knows {len(labels)} classes, which are not the {len(table)} of the table "
            f"{table.name}{f' (the first that differs: {other})' if other else ''}.",
            "Train the stage segmenter from it first: that makes its class head anew.",
        )


def _with(base: DvisConfig, config: TrainConfig, there: DvisConfig | None = None) -> DvisConfig:
    """``base`` with the entries of ``config.model``; where ``there`` is given, its own entries must stay the same."""
    entries, changes = to_json(base), {name: value for name, value in config.model.items() if value is not None}
    fixed = {"model_type", "kind", "id2label", "reid", "converted"} | {"tracker", "refiner"} - {config.stage}
    for name in changes:
        if name in fixed or name not in entries:
            known = ", ".join(key for key in entries if key not in fixed)
            raise OptionError(f"model.{name} is no entry that a {config.stage} can be given.", f"There are {known}.")
    merged: dict[str, Any] = {**entries, **changes}
    for name in (config.stage, "backbone"):
        if isinstance(changes.get(name), Mapping):
            kept = entries[name] or asdict(HeadConfig())
            same = name != "backbone" or changes[name].get("type", kept["type"]) == kept["type"]
            merged[name] = {**(kept if same else _backbone(changes[name])), **changes[name]}
    try:
        wanted = from_json(merged, "model")
    except ModelError as error:
        raise OptionError(error.message, "See vsscli guide training.") from None
    if there is not None:
        _refuse_changes(config, there, wanted)
    return replace(wanted, converted={})


def _backbone(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of the backbone of another type."""
    from vsscli.models.dvis.config import BACKBONES

    kind = BACKBONES.get(str(changes.get("type")))
    return {} if kind is None else asdict(kind())


def _refuse_changes(config: TrainConfig, there: DvisConfig, wanted: DvisConfig) -> None:
    for name, value in asdict(there).items():
        own = name == config.stage and value is None
        if name in config.model and not own and asdict(wanted)[name] != value:
            raise OptionError(
                f"model.{name} is {config.model[name]!r}, and init {config.init} has another.",
                "Leave the entry out: what init has, stays.",
            )


def _fresh(config: DvisConfig) -> Dvis:
    """A model with weights at random: the segmenter as ``transformers`` begins it, the rest by Glorot's rule."""
    model = Dvis(config)
    for part in (model.tracker, model.refiner, model.segmenter.identity):
        for parameter in part.parameters() if part is not None else ():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
    return model


def _from_transformers(config: TrainConfig, table: ClassTable, folder: Path, entries: Mapping[str, Any]) -> Start:
    if config.stage != "segmenter":
        raise ModelError(
            f"init {config.init} is a model of transformers, from which a segmenter is trained, no {config.stage}.",
            "Train the stage segmenter first, and give its folder.",
        )
    base = foreign_config(entries, str(folder), table.names)
    wanted = _with(base, config, base)
    model = _fresh(wanted)
    own = model.state_dict()
    weights = _foreign_weights(folder, config.init, own)
    left = sorted(key for key, value in own.items() if key.startswith(_PREFIX) and key not in weights and value.numel())
    beyond = [key for key in left if _CLASS_HEAD not in key and not key.endswith("num_batches_tracked")]
    if beyond:
        raise ModelError(f"init {config.init} lacks weights of its network: {', '.join(beyond[:5])}.")
    model.load_state_dict({**own, **weights})
    told = ["identities at random"] + (["its class head made anew"] if len(beyond) < len(left) else [])
    return Start(model, [f"from {config.init} (transformers), {', '.join(told)}, seed {config.seed}"], folder)


_PREFIX = "segmenter.mask2former."
_CLASS_HEAD = f"{_PREFIX}class_predictor."


def _foreign_weights(folder: Path, source: str, own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a Mask2Former in our names; a class head of other classes is left out."""
    loaded = load_weights(folder, source)
    found = {_PREFIX + key: value for key, value in loaded.items() if key != "criterion.empty_weight"}
    unknown = sorted(key for key in found if key not in own)
    if unknown:
        raise ModelError(
            f"init {source} has weights that this network has not: {', '.join(unknown[:5])}.",
            "Give a Mask2Former with a ResNet or Swin backbone.",
        )
    return {key: value.float() for key, value in found.items() if value.shape == own[key].shape}
