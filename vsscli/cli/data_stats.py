"""``vsscli data stats``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsscli.cli.options import Data, Videos, Workers
from vsscli.cli.result import check_place, write_json, write_text
from vsscli.cli.talk import say
from vsscli.words import plural

if TYPE_CHECKING:
    from rich.table import Table


def stats(
    data: Data,
    split: Annotated[str, typer.Option(help="The split: its list is DATA/SPLIT.txt.")] = "val",
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the counts as JSON; - is stdout.", show_default=False)
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write per_class.csv and per_video.csv.", show_default=False),
    ] = None,
    videos: Videos = None,
    workers: Workers = None,
) -> None:
    """Count videos, frames, sizes, windows of VC8 and VC16, and the pixels of each class.

    Example: vsscli data stats VSPW_480p --split val --csv tables
    """
    from vsscli import engine
    from vsscli.data.open import open_dataset
    from vsscli.data.stats import count_video, describe
    from vsscli.engine import select_videos

    check_place(json, csv, [data])
    dataset = open_dataset(data, split)
    chosen = select_videos(dataset.names(), videos, None)
    counts = list(engine.map(partial(count_video, dataset), chosen, workers=workers, title="data stats"))
    result = describe(dataset, counts)
    write_json(json, result, "data stats")
    if csv is not None:
        _write_csv(csv, result)
    if json != "-":
        _show(result)
    if result["failed"]:
        say(f"data stats: {plural(len(result['failed']), 'video')} could not be counted:")
        for name, error in result["failed"].items():
            say(f"  {name}: {error}")
        raise typer.Exit(1)


def _write_csv(folder: Path, result: dict[str, Any]) -> None:
    from pandas import DataFrame

    for name in ("per_class", "per_video"):
        if result[name] is not None:
            text = DataFrame(result[name]).to_csv(index=False, lineterminator="\n")
            write_text(folder / f"{name}.csv", text, "data stats")


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console

    windows = result["windows"]
    print(f"{result['root']}{' ' + result['split'] if result['split'] else ''} ({result['dataset']})")
    counts = ", ".join(plural(result[noun + "s"], noun) for noun in ("video", "frame", "mask"))
    print(f"{counts}; {_length(**result['length'])}")
    sizes = [f"{size['width']}x{size['height']} in {plural(size['videos'], 'video')}" for size in result["sizes"]]
    print(f"sizes: {', '.join(sizes[:4])}{f' and {len(sizes) - 4} more' if len(sizes) > 4 else ''}")
    print(f"windows: {', '.join(f'{count:,} of VC{n}' for n, count in windows.items())}")
    if result["odd_values"]:
        odd = ", ".join(f"{value} ({plural(pixels, 'pixel')})" for value, pixels in result["odd_values"].items())
        print(f"values that stand for nothing, counted as void: {odd}")
    if result["per_class"] is None:
        print("no masks: no classes to count")
        return
    there = [row for row in result["per_class"] if row["pixels"]]
    print(f"void: {_percent(result['void_share'])} of the pixels; {len(there)} of {len(result['per_class'])} classes")
    console = Console(markup=False, highlight=False)
    with console.capture() as text:
        console.print(_class_table(there))
    print("\n" + "\n".join(line.rstrip() for line in text.get().splitlines()))


def _length(min: int, max: int, median: float) -> str:
    """How many frames a video has."""
    each = f"{min}" if min == max else f"{min} to {max}"
    return f"{each} frames a video" + ("" if min == max else f", median {median:g}")


def _class_table(rows: list[dict[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("class", "share", "pixels", "frames", "videos"):
        table.add_column(head, justify="left" if head == "class" else "right", overflow="fold")
    for row in sorted(rows, key=lambda row: (-row["pixels"], row["id"])):
        numbers = (f"{row[key]:,}" for key in ("pixels", "frames", "videos"))
        table.add_row(row["name"], _percent(row["share"]), *numbers)
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}%"
