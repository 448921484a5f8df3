"""``vsscli train``."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsscli.cli.options import EXECUTION, IDENTITY
from vsscli.cli.talk import say

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
            help="Instead of what CONFIG says: optimizer.lr=0.0002, mvc={ratio: 0.5}, mvc=null.",
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
            help="Curves for TensorBoard in OUT/tensorboard (the extra vsscli[tensorboard]).",
            rich_help_panel=EXECUTION,
        ),
    ] = False,
) -> None:
    """Train a stage: segmenter, tracker (online) or refiner (offline) of DVIS++, or MPVSS; with or without MVC.

    CONFIG holds every entry of the training ('vsscli guide training' explains them); unknown ones are refused. OUT is
    a model folder that infer takes: the best model by validation; OUT/last is the last one.

    The same command goes on where it stopped, after Ctrl-C or kill -9, with the same losses as without the stop.
    On several GPUs: torchrun --nproc_per_node 4 -m vsscli train ...

    Example: vsscli train pipelines/configs/tiny/segmenter.yaml --data world --out models/tiny-segmenter
    """
    from vsscli.train.reading import read_config

    wanted = read_config(config, changes or [])
    from vsscli.infer.semantic import label_map_from_queries
    from vsscli.train.curves import open_curves, require_tensorboard
    from vsscli.train.processes import join, leave
    from vsscli.train.session import Request, open_session

    if tensorboard:
        require_tensorboard()
    processes = join(device)
    request = Request(wanted, data, out, overfit, workers)
    try:
        with open_session(request, processes, label_map_from_queries) as session:
            if processes.first:
                for line in session.told:
                    say(f"train: {line}")
                if session.done:
                    say(f"train: {session.done:,} of {wanted.steps:,} steps had been made before.")
            shown = open_curves(out, session.done) if tensorboard and processes.first else nullcontext()
            with shown as curves:
                _watch(session.trainer, processes.first, curves)
    finally:
        leave()
    if processes.first:
        say(f"train: {wanted.steps:,} steps -> {out}")


def _watch(trainer: "Trainer", shown: bool, curves: "Curves | None") -> None:
    """Makes the steps that are left: a bar on a terminal, elsewhere a line now and then."""
    import sys

    from tqdm import tqdm

    total, bar = trainer.config.steps, None
    if shown and sys.stderr.isatty():
        bar = tqdm(total=total, initial=trainer.done, desc="train", unit="step", dynamic_ncols=True)
    every = max(1, total // 50)
    for report in trainer.run():
        if curves is not None:
            curves.add(report)
        if bar is not None:
            bar.set_postfix(loss=f"{report.loss:.2f}", refresh=False)
            bar.update()
        elif shown and report.step % every == 0:
            say(f"train: step {report.step}/{total}, {_terms(report)}, {report.seconds:.2f} s")
        if shown and report.score is not None:
            if bar is not None:
                bar.clear()
            say(f"train: step {report.step}/{total}, {_score(report)}")
    if bar is not None:
        bar.close()


def _terms(report: "Report") -> str:
    parts = ", ".join(f"{name} {value:.2f}" for name, value in report.terms.items())
    masked = "" if report.masked is None else f", masked {report.masked:.2f}"
    return f"loss {report.loss:.2f} ({parts}){masked}"


def _score(report: "Report") -> str:
    assert report.score is not None
    shown = {"miou": "mIoU", "vc8": "VC8", "vc16": "VC16"}
    values = ((shown[name], report.score.get(name)) for name in shown)
    return "validation: " + ", ".join(f"{name} {value:.1%}" for name, value in values if value is not None)
