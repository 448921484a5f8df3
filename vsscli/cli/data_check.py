"""``vsscli data check``."""

import time
from functools import partial
from typing import Annotated, Any

import typer

from vsscli.cli.options import Data, Videos, Workers
from vsscli.cli.result import check_place, write_json
from vsscli.cli.talk import say, visible
from vsscli.words import plural

SHOWN = 3  # findings of a kind on the screen; all of them are in the JSON


def check(
    data: Data,
    split: Annotated[str, typer.Option(help="One split, or all that have a list.")] = "all",
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write every finding as JSON; - is stdout.", show_default=False)
    ] = None,
    videos: Videos = None,
    workers: Workers = None,
) -> None:
    """Look for what is wrong: every file is decoded to its end, every list compared with the folders.

    Exit code 1 when something is wrong.

    Example: vsscli data check VSPW_480p --split val --json check.json
    """
    from vsscli import engine
    from vsscli.data.check import check_item, open_splits, summarise
    from vsscli.engine import select_videos

    check_place(json, None, [data])
    datasets, findings = open_splits(data, split)
    names = sorted({name for dataset in datasets for name in dataset.names()})
    chosen = set(select_videos(names, videos, None))
    items = [(i, name) for i, dataset in enumerate(datasets) for name in dataset.names() if name in chosen]
    started = time.monotonic()
    reports = list(engine.map(partial(check_item, datasets), items, workers=workers, title="data check"))
    seconds = time.monotonic() - started
    result = summarise(datasets, findings, reports)
    write_json(json, result, "data check")
    if json != "-":
        print("\n".join(map(visible, _lines(result))))
    files = result["frames"] + result["masks"]
    say(f"data check: {plural(files, 'file')} decoded in {seconds:.1f} s ({files / max(seconds, 1e-9):.0f} a second)")
    if not result["clean"]:
        raise typer.Exit(1)


def _lines(result: dict[str, Any]) -> list[str]:
    """A line a kind with its count, below it the first findings."""
    from vsscli.data.check import FAULTS, NOTES

    splits = f" ({', '.join(result['splits'])})" if result["splits"] else ""
    counts = ", ".join(plural(result[noun + "s"], noun) for noun in ("video", "frame", "mask"))
    lines = [f"{result['root']}{splits}: {counts}"]
    for kind, about in (FAULTS | NOTES).items():
        count = result["faults"].get(kind) or result["notes"].get(kind)
        if not count:
            continue
        mark = "" if kind in FAULTS else "note: "
        lines.append(f"{count:>8,}  {mark}{about} [{kind}]")
        found = [finding for finding in result["findings"] if finding["kind"] == kind]
        lines += [f"{'':10}{_place(finding, result['root'])}: {finding['detail']}" for finding in found[:SHOWN]]
        if count > SHOWN:
            lines.append(f"{'':10}... and {count - SHOWN:,} more")
    if result["odd_values"]:
        values = (f"{v} ({plural(n['pixels'], 'pixel')})" for v, n in result["odd_values"].items())
        lines.append(f"values that stand for nothing: {', '.join(values)}")
    lines.append("nothing is wrong" if result["clean"] else plural(sum(result["faults"].values()), "finding"))
    return lines


def _place(finding: dict[str, Any], root: str) -> str:
    """The path below the root, or the video where the root is all there is to name."""
    path = str(finding["path"])
    if path == root:
        return str(finding["video"] or finding["split"] or root)
    return path.removeprefix(f"{root}/")
