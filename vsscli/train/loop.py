"""The loop: steps, reports, validations, checkpoints. Any step can be the last, and the next run goes on from there."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vsscli.errors import DataError, NotFiniteError, OptionError
from vsscli.models.preprocess import Preprocess
from vsscli.train.batches import Batch, Samples, Share, batches
from vsscli.train.criterion import Losses
from vsscli.train.folder import TrainingFolder
from vsscli.train.masking import hide
from vsscli.train.processes import Processes
from vsscli.train.schedule import learning_rate, make_optimizer, set_learning_rate
from vsscli.train.stage import Stage
from vsscli.train.validate import Validator

#: Seeds of one step's chance lie so far from those of the next.
_STRIDE = 1 << 20
_AMP = {"none": None, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Report:
    """A step: ``step`` counts from 1; ``terms`` are the weighted terms of the loss, ``loss`` their sum; the masked
    clips' loss apart; both are means over the processes; the gradient's norm before it was cut (None where it
    overflowed in fp16); ``score`` where the step was validated."""

    step: int
    loss: float
    masked: float | None
    terms: dict[str, float]
    rate: float
    norm: float | None
    seconds: float
    score: dict[str, float | None] | None = None


class Trainer:
    """A stage in training, on one of the processes; `run` makes the steps that are left."""

    def __init__(
        self,
        stage: Stage,
        samples: Samples,
        folder: TrainingFolder | None,
        validator: Validator | None,
        processes: Processes,
        workers: int,
    ) -> None:
        """``folder`` is the first process's alone; ``workers``: processes that read clips, beside each of these."""
        self.stage, self.config = stage.to(processes.device).train(), stage.config
        self.samples, self.folder, self.validator = samples, folder, validator
        self.processes, self.workers = processes, workers
        self.optimizer = make_optimizer(stage, self.config.optimizer)
        self.amp = _AMP[self.config.amp]
        self.scaler = torch.amp.GradScaler(processes.device.type, enabled=self.amp is torch.float16)
        self.module: nn.Module = stage
        self.done, self.best, self.best_step = 0, -1.0, 0
        self.due: Report | None = None  # a step whose validation was cut off
        self._labelled = False  # whether any clip had a pixel with a label

    def resume(self, state: dict[str, Any]) -> None:
        """Goes on from what `save` wrote. Weights that have gone from the folder since are written again."""
        self.stage.trained().load_state_dict(state["model"])
        self.stage.heads.load_state_dict(state["heads"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.done, self.best, self.best_step = state["step"], state["best"], state["best_step"]
        self.due = None if state["due"] is None else Report(**state["due"])
        self._labelled = True
        if self.folder is not None and not self.folder.has_weights(last=False):
            self.best, self.best_step = -1.0, self.done
            self.folder.write_model(self.stage.model.state_dict(), last=False)
        if self.folder is not None and self.validator is not None and not self.folder.has_weights(last=True):
            self.folder.write_model(self.stage.model.state_dict(), last=True)

    def run(self) -> Iterator[Report]:
        """Makes the steps that are left, and reports each after what follows from it is on the disk."""
        config, world = self.config, self.processes.world
        if world > 1:
            place = [self.processes.device] if self.processes.device.type == "cuda" else None
            self.module = DistributedDataParallel(self.stage, device_ids=place)
        share = Share(config.batch // config.accumulate // world, self.processes.rank, world)
        start, stop = self.done * config.accumulate, config.steps * config.accumulate
        stream = batches(self.samples, share, start, stop, self.workers)
        if self.due is not None:
            yield self._finish(self.due)
        while self.done < config.steps:
            began = perf_counter()
            losses, masked, norm = self._step(stream)
            terms, masked = self._averaged(losses, masked)
            rate = learning_rate(config.optimizer, self.done, config.steps)
            self.done += 1
            seconds = perf_counter() - began
            yield self._finish(Report(self.done, sum(terms.values()), masked, terms, rate, norm, seconds))

    def _step(self, stream: Iterator[Batch]) -> tuple[dict[str, float], float | None, float | None]:
        """One step: the terms of the loss, the loss of the masked clips, the norm of the gradient."""
        config, parts = self.config, self.config.accumulate
        set_learning_rate(self.optimizer, learning_rate(config.optimizer, self.done, config.steps))
        self.optimizer.zero_grad(set_to_none=True)
        terms: dict[str, float] = {}
        masked = 0.0
        for part in range(parts):
            batch, seed = next(stream), self._seed(part)
            self._require_labels(batch, part)
            last = part == parts - 1
            found = self._backward(batch, batch.pixels, seed, 1 / parts, last and config.mvc is None)
            terms = {name: terms.get(name, 0.0) + value for name, value in found.items()}
            if config.mvc is not None:
                hidden = self._hide(batch.pixels, seed)
                with _statistics_kept(self.stage):
                    masked += sum(self._backward(batch, hidden, seed + 1, config.mvc.weight / parts, last).values())
        self.scaler.unscale_(self.optimizer)
        learning = [each for _, each in self.stage.parameters_that_learn()]
        norm = float(nn.utils.clip_grad_norm_(learning, config.optimizer.clip_norm))
        if not self.scaler.is_enabled():  # else such steps are left out until the scale fits
            self._require_finite("gradient", norm, batch)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return terms, None if config.mvc is None else masked, norm if math.isfinite(norm) else None

    def _seed(self, part: int) -> int:
        """The seed of the chance of a part of this step in this process."""
        number = (self.done * self.config.accumulate + part) * self.processes.world + self.processes.rank
        return (self.config.seed * _STRIDE + number) * 2

    def _backward(self, batch: Batch, pixels: Tensor, seed: int, weight: float, last: bool) -> dict[str, float]:
        """Adds the gradient of ``weight`` times the loss; its terms, so weighted. ``last``: processes then average."""
        device = self.processes.device
        with self._apart(last):
            with torch.autocast(device.type, self.amp, enabled=self.amp is not None):
                losses: Losses = self.module(
                    pixels.to(device),
                    [target.to(device) for target in batch.targets],
                    self.done / self.config.steps,
                    seed,
                )
            total = weight * torch.stack([each.float() for each in losses.values()]).sum()
            terms = {name: weight * float(value.detach()) for name, value in losses.items()}
            self._require_finite("loss", float(total.detach()), batch)
            torch.autograd.backward(self.scaler.scale(total))
        return terms

    def _require_labels(self, batch: Batch, part: int) -> None:
        """DataError when every video was seen by this process and no pixel had a label."""
        self._labelled = self._labelled or any(len(target.labels) for target in batch.targets)
        seen = (self.done * self.config.accumulate + part + 1) * len(batch.targets)
        if not self._labelled and seen >= len(self.samples.clips.videos):
            raise DataError(
                f"None of the first {seen} clips has a pixel with a label: there is nothing to learn.",
                "vsscli data stats counts what the masks hold.",
            )

    def _averaged(self, terms: dict[str, float], masked: float | None) -> tuple[dict[str, float], float | None]:
        """The means over the processes."""
        if self.processes.world == 1:
            return terms, masked
        values = torch.tensor([*terms.values(), masked or 0.0], dtype=torch.float64, device=self.processes.device)
        torch.distributed.all_reduce(values)
        *means, mean = (values / self.processes.world).tolist()
        return dict(zip(terms, means, strict=True)), None if masked is None else mean

    def _require_finite(self, what: str, value: float, batch: Batch) -> None:
        """OptionError that names the frames of ``batch`` unless ``value`` is finite."""
        if not math.isfinite(value):
            raise OptionError(
                f"The {what} of step {self.done + 1} is {value}: no step was made with the clips "
                f"{'; '.join(batch.told)}.",
                "Look at these frames; if they are sound, lower optimizer.lr or take amp: none.",
            )

    def _apart(self, last: bool) -> AbstractContextManager[Any]:
        """Gradients stay in this process, unless they are the ``last`` of the step."""
        if isinstance(self.module, DistributedDataParallel) and not last:
            return self.module.no_sync()
        return nullcontext()

    def _hide(self, pixels: Tensor, seed: int) -> Tensor:
        """The clips of a batch with patches hidden."""
        mvc, preprocess = self.config.mvc, self.samples.preprocess
        assert mvc is not None
        chance = torch.Generator().manual_seed(seed)
        return torch.stack([hide(clip, mvc, _black(preprocess), chance) for clip in pixels])

    def _finish(self, report: Report) -> Report:
        """What follows from a step: its line in the log, now and then a validation and a checkpoint."""
        ends = self.done == self.config.steps
        validated = self.validator is not None and (ends or self.done % self.config.validation.every == 0)
        if validated:
            self.save(due=report)  # who ends the process may not wait for the validation
            report = replace(report, score=self._validate())
        if self.folder is not None:
            self.folder.append({name: value for name, value in vars(report).items() if value is not None})
            if ends or validated or self.done % self.config.save_every == 0:
                self.save(report.score)
        return report

    def _validate(self) -> dict[str, float | None]:
        assert self.validator is not None
        self.stage.eval()
        try:
            score = self.validator(self.stage.model)
        except NotFiniteError:
            raise OptionError(
                f"After step {self.done} the model's scores are not finite.", "Lower optimizer.lr, and begin anew."
            ) from None
        self.stage.train()
        return score

    def save(self, score: dict[str, float | None] | None = None, due: Report | None = None) -> None:
        """What there is after this step; the first process writes, the others do nothing. Raises DiskError.

        ``due``: the step is yet to be validated.

        The weights first: a checkpoint never tells of a best model that is not there. The best so far, by ``score``,
        is the folder's model; until one was scored, the last is.
        """
        folder, state = self.folder, self.stage.model.state_dict()
        if folder is None:
            return
        if self.validator is not None:
            folder.write_model(state, last=True)
        found = None if score is None else score["miou"]
        better = found is not None and found > self.best
        if better or self.best < 0:
            folder.write_model(state, last=False)
        if found is not None and better:
            self.best, self.best_step = found, self.done
        folder.write_checkpoint(
            {
                "step": self.done,
                "best": self.best,
                "best_step": self.best_step,
                "due": None if due is None else vars(due),
                "model": self.stage.trained().state_dict(),
                "heads": self.stage.heads.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
            }
        )


def _black(preprocess: Preprocess) -> Tensor:
    """The colour black, normalised: float32 [3]."""
    return -torch.tensor(preprocess.mean) / torch.tensor(preprocess.std)


@contextmanager
def _statistics_kept(stage: Stage) -> Iterator[None]:
    """Batch norms learn nothing of hidden patches: what inference uses comes from whole frames."""
    norms = [module for module in stage.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
