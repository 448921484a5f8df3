"""A training put together: data, model, folder, loop."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vsscli.data.dataset import Dataset
from vsscli.data.open import open_dataset
from vsscli.errors import DataError, ModelError, OptionError, RunError
from vsscli.models.box import caution
from vsscli.models.preprocess import Preprocess, read_preprocess
from vsscli.models.refusals import is_out_of_memory
from vsscli.models.source import folder_digest
from vsscli.runs.disk import refuse_inputs
from vsscli.train.batches import Samples
from vsscli.train.clips import Clips
from vsscli.train.config import TrainConfig
from vsscli.train.explained import explained
from vsscli.train.folder import TrainingFolder, open_folder
from vsscli.train.loop import Trainer
from vsscli.train.processes import Processes
from vsscli.train.reading import as_entries
from vsscli.train.stages import STAGES
from vsscli.train.start import Start, make_model
from vsscli.train.start_mpvss import file_digest, make_mpvss
from vsscli.train.validate import LabelMap, Validator
from vsscli.words import plural


@dataclass(frozen=True)
class Request:
    """What the user asks for; ``overfit``: only so many clips, and no validation; ``workers`` read clips."""

    config: TrainConfig
    data: Path
    out: Path
    overfit: int | None = None
    workers: int = 0


@dataclass(frozen=True)
class Session:
    """A training that is ready to `Trainer.run`; ``told``: lines for the user, ``done`` steps were made before."""

    trainer: Trainer
    told: list[str]
    done: int


@contextlib.contextmanager
def open_session(request: Request, processes: Processes, label_map: LabelMap) -> Iterator[Session]:
    """Puts the training together, in its folder, where it goes on if it was begun.

    Raises OptionError, DataError, ModelError and RunError where the parts do not fit together; nothing is written
    then. DeviceError where memory does not suffice, in what is done with the session too.
    """
    with explained(request.config, processes.world), _put_together(request, processes, label_map) as session:
        yield session


@contextlib.contextmanager
def _put_together(request: Request, processes: Processes, label_map: LabelMap) -> Iterator[Session]:
    config = request.config
    _check_processes(config, processes)
    datasets = [open_dataset(request.data, split) for split in config.splits]
    clips = Clips(datasets, config.clip, config.seed, strict=config.odd_masks == "refuse")
    if request.overfit is not None and request.overfit < 1:
        raise OptionError(f"--overfit {request.overfit} is no number of clips.", "Give 1 or more.")
    refuse_inputs("--out", request.out, [request.data])
    make = make_mpvss if config.stage == "mpvss" else make_model
    start = make(config, _table(datasets))
    _require_finite(config, start)
    preprocess = _preprocess(config, start.folder)
    samples = Samples(clips, config.input, preprocess, request.overfit)
    validator = None
    if config.validation.split is not None and request.overfit is None:
        dataset = open_dataset(request.data, config.validation.split)
        validator = Validator(dataset, config.validation, preprocess, label_map, processes)
    stage = STAGES[config.stage](start.model, config, preprocess)
    entries = {**as_entries(config), **_inputs(config, start.folder, clips), "overfit": request.overfit}
    with _folder(request.out, entries, processes, start.entries, preprocess) as folder:
        trainer = Trainer(stage, samples, folder, validator, processes, request.workers)
        state = _resumed(request.out, folder, processes)
        if state is not None:
            _go_on(trainer, state, request.out)
        if folder is not None:
            folder.cut_log(trainer.done - (trainer.due is not None))
        yield Session(trainer, _tell(request, start, clips, trainer, processes), trainer.done)


def _check_processes(config: TrainConfig, processes: Processes) -> None:
    parts = config.accumulate * processes.world
    if config.batch % parts:
        raise OptionError(
            f"A batch of {config.batch} clips cannot be shared by {processes.world} processes in {config.accumulate} "
            "parts each.",
            f"Give a batch that is a multiple of {parts}.",
        )
    if config.amp == "fp16" and processes.device.type == "cpu":
        raise OptionError("amp: fp16 is for GPUs.", "Take bf16 or none on a CPU.")


def _require_finite(config: TrainConfig, start: Start) -> None:
    """ModelError where a weight that the training begins with is NaN or infinite."""
    for name, value in start.model.state_dict().items() if start.folder is not None else ():
        if not bool(torch.isfinite(value).all()):
            raise ModelError(f"init {config.init}: its weight {name} is not finite.", "Give a sound model.")


def _go_on(trainer: Trainer, state: dict[str, Any], out: Path) -> None:
    """Resumes; RunError where the checkpoint holds something else than this training's state."""
    try:
        trainer.resume(state)
    except (RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
        if is_out_of_memory(error):
            raise
        raise RunError(
            f"The checkpoint in {out / '.vsscli'} does not fit this training: it is another's, or damaged.",
            "Give another --out, or remove that folder to begin anew.",
        ) from None


def _table(datasets: list[Dataset]) -> Any:
    other = datasets[0].other_classes  # of the root, so of all splits
    if other is not None:
        raise DataError(
            f"{other}.", "Training knows VSPW's 124 classes: give the masks VSPW's numbers, and take that file away."
        )
    table = datasets[0].classes
    if table is None:
        raise DataError(
            f"{datasets[0].root} has no masks to learn from.", "Give a dataset in VSPW's or CamVid's layout."
        )
    return table


def _preprocess(config: TrainConfig, init: Path | None) -> Preprocess:
    """The size that the training says; the colours are normalised as the model takes them that it starts from."""
    mine = Preprocess(config.input.test_short, config.input.test_cap, divisor=32)
    if init is None:
        return mine
    its = read_preprocess(init, mine)
    return replace(mine, mean=its.mean, std=its.std)


def _inputs(config: TrainConfig, init: Path | None, clips: Clips) -> dict[str, Any]:
    """Who the model and the data are."""
    digest = None if init is None else folder_digest(init)
    flownet = {} if config.flownet is None else {"flownet_digest": file_digest(Path(config.flownet))}
    return {"init_digest": digest, "data_digest": clips.digest, **flownet}


@contextlib.contextmanager
def _folder(
    out: Path, entries: dict[str, Any], processes: Processes, model: dict[str, Any], preprocess: Preprocess
) -> Iterator[TrainingFolder | None]:
    """The folder in the first process; the others write nothing."""
    if not processes.first:
        yield None
        return
    validated = entries["validation"]["split"] is not None and entries["overfit"] is None
    with open_folder(out, entries, model, preprocess, last=validated) as folder:
        yield folder


def _resumed(out: Path, folder: TrainingFolder | None, processes: Processes) -> dict[str, Any] | None:
    """The state to go on from; what the first process read, all have."""
    states = [None if folder is None else folder.read_checkpoint()]
    if processes.world > 1:
        torch.distributed.broadcast_object_list(states, src=0)
    return states[0]


def _tell(request: Request, start: Start, clips: Clips, trainer: Trainer, processes: Processes) -> list[str]:
    config, stage = request.config, trainer.stage
    learn = sum(each.numel() for _, each in stage.parameters_that_learn())
    total = sum(each.numel() for each in stage.parameters())  # those of the heads too
    per = config.batch // config.accumulate // processes.world
    many = f"{processes.world} processes, " if processes.world > 1 else ""
    mvc = (
        "without MVC"
        if config.mvc is None
        else f"with MVC (patches of {config.mvc.patch}, {config.mvc.ratio:.0%} hidden)"
    )
    frames = plural(config.clip.frames, "frame")
    parts = f"{many}{config.accumulate} x {per} at a time{' each' if many else ''}"
    steps = f"{plural(config.steps, 'step')} of {plural(config.batch, 'clip')}"
    short = f" ({clips.short} shorter than a clip: their last frame is held)" if clips.short else ""
    warning = caution(config.init)
    return [
        *([] if warning is None else [warning]),
        f"stage {config.stage}, {start.title}, {', '.join(start.told)}; {learn / 1e6:.2f} M of {total / 1e6:.2f} M "
        f"parameters learn, {mvc}",
        f"{plural(len(clips.videos), 'video')}{short}; {steps} ({parts}) of {frames}, on {processes.device}",
    ]
