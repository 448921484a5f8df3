"""``vsscli train``."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsscli.cli.options import EXECUTION, IDENTITY
from vsscli.cli.talk import say
from vsscli.words import clock, plural

if TYPE_CHECKING:
    from vsscli.train.curves import Curves
    from vsscli.train.loop import Report, Trainer


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.yaml", help="What to train, and how: see pipelines/configs.")
    ],
    data: Annotated[
        Path, typer.Option("--data", help="A dataset with masks.", show_default=False, rich_help_panel=IDENTITY)
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The training to begin, or to go on with: a model folder.", show_default=False)
    ],
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Instead of what CONFIG says: optimizer.lr=0.0002, 'mvc={ratio: 0.5}', mvc=null.",
            show_default=False,
            rich_help_panel=IDENTITY,
        ),
    ] = None,
    overfit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Only so many clips, again and again, without validation: does the loss fall to nothing?",
            show_default=False,
            rich_help_panel=IDENTITY,
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=EXECUTION)] = "auto",
    workers: Annotated[
        int,
        typer.Option(
            min=0, help="Processes that read clips, beside each that trains; 0: none.", rich_help_panel=EXECUTION
        ),
    ] = 0,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard",
            help="Curves for TensorBoard in OUT/tensorboard (needs tensorboard).",
            rich_help_panel=EXECUTION,
        ),
    ] = False,
) -> None:
    """Train a stage: segmenter, tracker (online) or refiner (offline) of DVIS++, or MPVSS; with or without MVC.

    CONFIG holds every entry of the training ('vsscli guide training' explains them); unknown ones are refused. OUT is
    a model folder that infer takes: the best model by validation; OUT/last is the last one.

    The same command goes on where it stopped, with the same losses as without the stop: after Ctrl-C or SIGTERM (which
    SLURM sends) behind the step that was at hand, after kill -9 from the last checkpoint (save_every, and before each
    validation).
    On several GPUs: torchrun --nproc_per_node 4 -m vsscli train ...

    Example: vsscli train pipelines/configs/tiny/segmenter.yaml --data world --out models/tiny-segmenter
    """
    from vsscli.train.reading import read_config

    wanted = read_config(config, changes or [])
    from vsscli.infer.semantic import label_map_from_queries
    from vsscli.train.curves import open_curves, require_tensorboard
    from vsscli.train.processes import join, leave, lost_peers
    from vsscli.train.session import Request, open_session

    if tensorboard:
        require_tensorboard()
    processes = join(device)
    request = Request(wanted, data, out, overfit, workers)
    try:
        with lost_peers(processes), open_session(request, processes, label_map_from_queries) as session:
            if processes.first:
                for line in session.told:
                    say(f"train: {line}")
                if session.done:
                    say(f"train: {session.done:,} of {wanted.steps:,} steps had been made before.")
            shown = open_curves(out, session.done) if tensorboard and processes.first else nullcontext()
            with shown as curves:
                first, end = _watch(session.trainer, processes.first, curves)
                if overfit and processes.first and first and end:
                    say(
                        f"train: on {plural(overfit, 'clip')} again and again the loss went from {first.loss:.2f} "
                        f"(step {first.step}) to {end.loss:.2f} (step {end.step}); it must end near 0."
                    )
    finally:
        leave()
    if processes.first:
        say(f"train: {plural(wanted.steps, 'step')} -> {out}{_kept(session.trainer)}; {_memory()} of memory at most")


#: Seconds from one line to the next where there is no terminal.
EVERY = 20.0


def _watch(trainer: "Trainer", shown: bool, curves: "Curves | None") -> "tuple[Report | None, Report | None]":
    """Makes the steps that are left: a bar on a terminal, elsewhere a line now and then. The first and the last step.

    The first Ctrl-C or SIGTERM ends it after the step at hand, whose state is kept; the second ends it at once.
    """
    import sys
    from time import monotonic

    from tqdm import tqdm

    total, first = trainer.config.steps, trainer.done
    on_terminal = shown and sys.stderr.isatty()
    whole = tqdm(total=total, initial=first, desc="train", unit="step", dynamic_ncols=True) if on_terminal else None
    began = last = monotonic()
    opening: Report | None = None
    report: Report | None = None
    with _stopping(shown) as stop, whole or nullcontext() as bar:
        for report in trainer.run():
            opening = opening or report
            if curves is not None:
                curves.add(report)
            now = monotonic()
            if bar is not None:
                bar.set_postfix(loss=f"{report.loss:.2f}", refresh=False)
                bar.update()
            elif shown and (report.step in (first + 1, total) or now - last >= EVERY):
                last = now
                left = (total - report.step) * (now - began) / max(1, report.step - first)
                ends = f", {clock(left)} left" if left >= 1 else ""
                say(f"train: step {report.step}/{total}, {_terms(report)}, {report.seconds:.2f} s{ends}")
            if shown and report.score is not None:
                if bar is not None:
                    bar.clear()
                say(f"train: step {report.step}/{total}, {_score(report, trainer)}")
            if stop.by and report.step < total:
                trainer.save()
                raise SystemExit(128 + stop.by)
    return opening, report


class _Stop:
    """``by``: the number of the signal that asked for an end; 0: none did."""

    by = 0


@contextmanager
def _stopping(shown: bool) -> Iterator[_Stop]:
    """Signals that ask for an end are noted, and again have their usual effect once one came."""
    import signal

    stop, before = _Stop(), dict[int, Any]()

    def note(asked: int, frame: object) -> None:
        stop.by = asked
        for number, handler in before.items():
            signal.signal(number, handler)
        if shown:  # not by way of sys.stderr, which may be in the midst of a line
            os.write(2, b"\ntrain: stopping after this step, which is kept; once more ends it at once.\n")

    for each in (signal.SIGINT, signal.SIGTERM):
        before[each] = signal.signal(each, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _terms(report: "Report") -> str:
    parts = ", ".join(f"{name} {value:.2f}" for name, value in report.terms.items() if value)
    masked = "" if report.masked is None else f" + masked {report.masked:.2f}"
    return f"loss {report.loss:.2f} ({parts}){masked}"


def _score(report: "Report", trainer: "Trainer") -> str:
    assert report.score is not None
    shown = {"miou": "mIoU", "vc8": "VC8", "vc16": "VC16"}
    values = ((shown[name], report.score.get(name)) for name in shown)
    told = ", ".join(f"{name} {value:.1%}" for name, value in values if value is not None)
    best = ", the best so far" if trainer.best_step == report.step else f"; best is step {trainer.best_step}"
    return f"validation: {told}{best}" if told else "validation: no pixel with a label in it, so no step is the best"


def _kept(trainer: "Trainer") -> str:
    """Which model is where, in words."""
    if trainer.validator is None or trainer.best < 0:
        return ""
    return f" (step {trainer.best_step}, the best by validation: mIoU {trainer.best:.1%}; the last is in last)"


def _memory() -> str:
    """The most that this process held: of the GPU where it used one."""
    import resource
    import sys

    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB of the GPU's"
    status = Path("/proc/self/status")
    if status.is_file():  # what getrusage tells includes the process that started this one
        return f"{int(status.read_text().split('VmHWM:')[1].split()[0]) * 1024 / 1e9:.1f} GB"
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9:.1f} GB"
