"""``vsscli score``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsscli.cli.options import Address, DataOption, Engine, Videos, Workers
from vsscli.cli.result import check_place, write_text
from vsscli.cli.talk import discard, say, warn
from vsscli.words import plural

if TYPE_CHECKING:
    from vsscli.score.reading import Counts


def score(
    run: Annotated[Path, typer.Argument(help="The run: a folder VIDEO/FRAME.png, whoever made it.")],
    data: DataOption,
    split: Annotated[str, typer.Option(help="The split: its list is DATA/SPLIT.txt.")] = "val",
    protocol: Annotated[str, typer.Option(help="Whose definitions: vspw (official), cffm, mmseg, dvis.")] = "vspw",
    vc: Annotated[
        list[int] | None, typer.Option(help="VC of one more window length; may be repeated.", show_default=False)
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Another run: is the difference to it more than chance?", show_default=False)
    ] = None,
    ci: Annotated[bool, typer.Option("--ci", help="Intervals: bootstrap over videos.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the result as JSON; - is stdout.", show_default=False)
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write per_class.csv, per_video.csv, comparison.csv.", show_default=False),
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Score what is there; the result says so.")] = False,
    allow_void: Annotated[
        bool, typer.Option("--allow-void", help="A prediction of 255 (no label) counts as wrong.")
    ] = False,
    videos: Videos = None,
    workers: Workers = None,
    engine: Engine = "local",
    address: Address = None,
) -> None:
    """Score a run: mIoU, wIoU, accuracies, VC8 and VC16, as the official scripts compute them.

    Example: vsscli score runs/m2f --data VSPW_480p --ci --json score.json
    """
    from vsscli.data.open import open_dataset
    from vsscli.engine import find_cluster, select_videos
    from vsscli.runs.run import open_run
    from vsscli.score.intervals import compare, intervals
    from vsscli.score.measures import looks_shifted, sum_pixels
    from vsscli.score.protocols import find_protocol
    from vsscli.score.reading import count_run, make_rule
    from vsscli.score.result import describe

    check_place(json, csv, [path for path in (run, data, against) if path is not None])
    dataset = open_dataset(data, split)
    rule = make_rule(dataset, find_protocol(protocol), vc or (), allow_void=allow_void)
    chosen = None if videos is None else select_videos(dataset.names(), videos, None)
    cluster = find_cluster(engine, address)

    def count(path: Path) -> "Counts":
        return count_run(
            open_run(path),
            dataset,
            rule,
            videos=chosen,
            partial=partial,
            workers=workers,
            title=f"score {path.name}",
            cluster=cluster,
        )

    ours = count(run)
    theirs = None if against is None else count(against)
    result = describe(ours)
    result["run"]["name"] = run.resolve().name
    if ci:
        result["intervals"] = intervals(ours, seed)
    if against is not None and theirs is not None:
        result["against"] = {
            "run": {"name": against.resolve().name, "digest": theirs.digest},
            **compare(ours, theirs, seed),
        }
    _write(result, json, csv, ours, theirs)
    if looks_shifted(sum_pixels(ours.videos, len(rule.table))):
        warn("most predictions are one too high: are the maps numbered 1..K like VSPW's masks? Ids begin at 0.")
    _show(run, against, result, stdout=json != "-")


def _write(result: dict[str, Any], json: str | None, csv: Path | None, ours: "Counts", theirs: "Counts | None") -> None:
    from vsscli.score.intervals import common
    from vsscli.score.result import describe, dumps
    from vsscli.score.tables import class_table, comparison_table, video_table, write_tables

    if json == "-":
        print(dumps(result), end="")
    elif json is not None:
        write_text(Path(json), dumps(result), "score")
    if csv is not None:
        tables = {"per_class": class_table(result), "per_video": video_table(result)}
        if theirs is not None:
            shared = (describe(side) for side in common(ours, theirs))
            tables["comparison"] = comparison_table(result["against"], *shared)
        write_tables(csv, tables)
        say(f"score: wrote {', '.join(f'{name}.csv' for name in tables)} to {csv}")


def _show(run: Path, against: Path | None, result: dict[str, Any], stdout: bool) -> None:
    from vsscli.score import screen

    first, *more = screen.title(result)
    blocks: list[Any] = [
        "\n".join([f"{run.resolve().name}, scored on {first}", *more]),
        screen.totals(result),
        screen.no_intervals(result),
    ]
    if against is not None:
        blocks.append(screen.compared(against.resolve().name, result["against"]))
        blocks += [screen.comparison(result["against"], result["protocol"]), screen.verdict(result["against"])]
    blocks.append(screen.classes(result))
    if 1 < result["videos"] <= screen.FEW:
        blocks.append(screen.videos(result))
    blocks.append(screen.hidden(result))
    _print([block for block in blocks if block is not None], stdout)
    for value, odd in result["odd_values"].items():
        where = odd["videos"][0] + (" ..." if len(odd["videos"]) > 1 else "")
        warn(
            f"masks hold the value {value}, which stands for nothing: {plural(odd['pixels'], 'pixel')} "
            f"in {plural(len(odd['videos']), 'video')} ({where}) counted as void."
        )


def _print(blocks: list[Any], stdout: bool) -> None:
    """Prints blocks apart, without the blanks that tables leave at the ends of lines."""
    from rich.console import Console

    console = Console(stderr=not stdout, markup=False, highlight=False)
    for i, block in enumerate(blocks):
        with console.capture() as text:
            console.print(block)
        lines = [line.rstrip() for line in text.get().splitlines()]
        try:
            print("\n".join([""] * (i > 0) + lines), file=console.file)
        except OSError:  # a stderr that takes nothing more stops no work
            if stdout:
                raise
            discard(sys.stderr)
