"""``vsscli ensemble``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsscli.cli.options import EXECUTION, IDENTITY, Address, DryRun, Engine, Out, Shard, Videos, Workers
from vsscli.cli.result import check_place, write_json
from vsscli.cli.talk import announce_plan, finish, say, visible, warn
from vsscli.words import plural

if TYPE_CHECKING:
    from vsscli.ensemble.flow_ssim import FlowSsimStage

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The dataset the runs were made from, for methods that read frames.",
        show_default=False,
        rich_help_panel=IDENTITY,
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        help="The split of --data: its list is DATA/SPLIT.txt. Default: val.",
        show_default=False,
        rich_help_panel=IDENTITY,
    ),
]
SsimOn = Annotated[
    str | None,
    typer.Option(
        "--ssim-on",
        help="flow-ssim compares class ids as gray values (ids, the paper's), or the masks of classes (classes), where "
        "it does not matter how classes are numbered. Default: ids.",
        show_default=False,
        rich_help_panel=IDENTITY,
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="flow-ssim, where DATA has masks: what other ways to choose would have given.",
        rich_help_panel=EXECUTION,
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="flow-ssim: write every video's choice, and what --explain finds, as JSON; - is stdout.",
        show_default=False,
        rich_help_panel=EXECUTION,
    ),
]


def ensemble(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Runs of the same videos, the best first: see Ties (a vote: up to 255)"),
    ],
    out: Out,
    method: Annotated[
        str,
        typer.Option(
            help="vote: the label that most runs give a pixel. mean: the class with the largest mean probability. "
            "flow-ssim: per video, the run most consistent with the motion in the frames.",
            rich_help_panel=IDENTITY,
        ),
    ] = "vote",
    data: Data = None,
    split: Split = None,
    ssim_on: SsimOn = None,
    explain: Explain = False,
    json: Json = None,
    videos: Videos = None,
    shard: Shard = None,
    workers: Workers = None,
    engine: Engine = "local",
    address: Address = None,
    dry_run: DryRun = False,
) -> None:
    """Make one run out of several.

    All runs must hold the same videos and frames at the same sizes. A run may
    come from other software: a folder with VIDEO/FRAME.png; its 255 (no
    label) is a label like any other.

    Ties: of the labels with most votes, the one that the best-ranked run backs
    wins. Runs of single views made by 'vsscli infer' rank by the network's input
    size, larger first, then unflipped before flipped; where not all runs tell
    their size, the order given decides. run.json says which rule was used.

    mean reads the class scores that 'vsscli infer --keep-topk 4' keeps, instead of
    label maps; where they are missing, it says the command that makes them. Ties
    go to the class that the best-ranked run gives more. See 'vsscli guide scores'.

    flow-ssim needs --data: per video it follows the motion (Farneback's optical
    flow), carries each run's map of a frame along to the next one, compares it
    with the run's own map there (SSIM), and keeps the run with the highest mean.
    A run with fewer than two classes in a video cannot win it. A table tells who
    won how often and where it was close; the records under OUT/.vsscli/done tell
    every mean. Steady is not right: --explain shows what the choice is worth, and
    'vsscli guide selection' what it was worth elsewhere.

    Example: vsscli ensemble runs/dvis runs/mpvss runs/theirs --out runs/vote

    Example: vsscli ensemble runs/a runs/b --method flow-ssim --data VSPW_480p --explain --out runs/best
    """
    from vsscli.engine import cores, find_cluster, plan, produce, select_videos
    from vsscli.ensemble.flow_ssim import FlowSsimStage
    from vsscli.ensemble.methods import make_stage
    from vsscli.ensemble.stage import Request
    from vsscli.runs.run import open_run

    check_place(json, None, [*runs, *([data] if data else []), out])
    request = Request(data, split, ssim_on, explain, json)
    stage = make_stage(method, [open_run(path) for path in runs], request)
    chosen = select_videos(stage.names(), videos, shard)
    stage.check(chosen if videos is not None else stage.names(), chosen)
    if isinstance(stage, FlowSsimStage):
        _prepare(stage, explain, chosen, whole=videos is None)
    if dry_run:
        announce_plan(stage, *plan(stage, out, chosen), out)
        return
    cluster = find_cluster(engine, address)
    say(f"ensemble: {stage.told}.")
    if method == "vote" and len(runs) == 2:
        warn("a vote of two is the better-ranked of them, map for map: add a third run, or take --method mean.")
    devices = cluster.devices("cpu", workers) if cluster else ["cpu"] * (workers or cores())
    outcome = produce(stage, out, chosen, devices, cluster)
    finished = sorted([*outcome.done, *outcome.before])
    if outcome.interrupted or not finished or not isinstance(stage, FlowSsimStage):
        finish(outcome, out, "ensemble")
        return
    try:
        finish(outcome, out, "ensemble")
    finally:  # some videos may have failed: of the others it is told all the same
        _report(stage, out, finished, explain, json, workers or cores())


def _prepare(stage: "FlowSsimStage", explain: bool, videos: tuple[str, ...], whole: bool) -> None:
    """What `--explain` lacks is told before the work; so is what the dataset has and the runs have not."""
    from vsscli.ensemble.explain import check_explainable
    from vsscli.runs.source import where

    if explain:
        check_explainable(stage.dataset, stage.runs, videos)
    more = sorted(set(stage.dataset.names()) - set(stage.names()))
    if more and whole:
        warn(f"{plural(len(more), 'video')} of {where(stage.dataset)} ({more[0]} ...) in no run.")


def _report(
    stage: "FlowSsimStage", out: Path, videos: list[str], explain: bool, json: str | None, workers: int
) -> None:
    from vsscli.ensemble import screen
    from vsscli.ensemble.explain import explain as explain_choices

    choices = stage.choices(out, videos)
    lines = ["", *screen.choice_lines(choices, stage.run_names)]
    found = explain_choices(stage.dataset, stage.runs, stage.run_names, choices, workers) if explain else None
    if found is not None:
        lines += ["", *screen.explanation_lines(found)]
    for line in lines:
        say(line) if json == "-" else print(visible(line))
    write_json(json, screen.as_json(choices, stage.run_names, stage.ssim_on, found), "ensemble")
