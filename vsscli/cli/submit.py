"""``vsscli submit``."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from vsscli.cli.options import DataOption, Workers
from vsscli.cli.talk import say, visible, warn
from vsscli.errors import OptionError, RunError
from vsscli.words import plural

if TYPE_CHECKING:
    from vsscli.runs.run import Run
    from vsscli.submit.verify import Report

Kind = TypeVar("Kind")

SHOWN = 20  # sizes on the screen


def submit(
    source: Annotated[
        Path, typer.Argument(metavar="RUN|ZIP", help="A run, or anybody's archive: VIDEO/FRAME.png, 8-bit.")
    ],
    data: DataOption,
    split: Annotated[str, typer.Option(help="The split: its list is DATA/SPLIT.txt.")] = "test",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.zip", help="Pack into this archive.", show_default=False),
    ] = None,
    root: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A top folder in the archive (verifying one: it must have it). Default: none.",
            show_default=False,
        ),
    ] = None,
    png_mode: Annotated[
        str | None,
        typer.Option(
            metavar="P|L", help="Write palette (P) or gray (L) maps. Default: as they are.", show_default=False
        ),
    ] = None,
    workers: Workers = None,
) -> None:
    """Verify a run or an archive for a challenge; with --out, pack it.

    Verified: every frame of every video of the split and nothing else; names,
    sizes, mode (8-bit gray or palette), values 0..K-1 (255, no label, is
    refused). The archive is the same, byte for byte, for the same maps, and is
    read back before it gets its name. Some servers want the folders of the
    videos at the top of the archive (the default), some a folder around them
    (--root).

    Example: vsscli submit runs/vote --data VSPW_480p --out submission.zip

    Example: vsscli submit theirs.zip --data VSPW_480p
    """
    from vsscli.data.open import open_dataset
    from vsscli.submit.pack import check_packing, pack
    from vsscli.submit.source import open_source
    from vsscli.submit.verify import verify

    if out is None and (png_mode or (root and source.is_dir())):
        raise OptionError("--root and --png-mode say how to pack, and there is no --out.", "Add --out submission.zip.")
    dataset = open_dataset(data, split)
    what = open_source(source)
    if out is not None:
        check_packing(out, root or "", png_mode, what, dataset)
    report = verify(what, dataset, workers=workers, title="submit: verify")
    _warn_unanswered(what.run)
    where = f"the split {dataset.split} of {data}" if dataset.split else str(data)
    print(visible(f"{source}, checked against {where}"))
    if report.longer:
        warn(f"bytes after the end of the PNG in {_named(report.longer)}: decoders pass over them.")
    if report.problems or out is None:
        _show(report, what.path if what.path.is_file() else None)
        _check_root(report, root)
        _complain(report)
        return
    packed = pack(what, dataset, out, report, root=root or "", mode=png_mode, workers=workers, title="submit: pack")
    print(visible(f"packed, read back and verified: {out}"))
    _show(packed, out)
    say(f"submit: {out} is fit for submission.")


def _show(report: "Report", archive: Path | None) -> None:
    """The table of what was checked."""
    import hashlib

    present = [value for value, count in enumerate(report.values) if count]
    read = sum(report.modes.values())
    rows = [
        ("videos", f"{sum(1 for maps in report.maps.values() if maps):,} of {report.videos:,}"),
        ("frames", f"{read:,} of {report.frames:,}"),
        ("sizes", _some(f"{w}x{h} ({n:,})" for (h, w), n in _by_count(report.sizes))),
        ("modes", _some(f"{mode} ({n:,})" for mode, n in _by_count(report.modes))),
        ("values", f"{present[0]}..{present[-1]}, {len(present)} different" if present else "none"),
        ("top folder", report.root or "none"),
    ]
    if report.classes is not None:
        rows[4] = ("values", f"{rows[4][1]}; classes are 0..{report.classes - 1}")
    if archive is None:
        rows.append(("bytes", f"{report.bytes:,} in maps"))
    else:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        rows += [("bytes", f"{archive.stat().st_size:,} in the archive, {report.bytes:,} in maps"), ("sha256", digest)]
    for name, value in rows:
        print(visible(f"  {name:11} {value}"))


def _warn_unanswered(run: "Run | None") -> None:
    """Videos of a corrected run that wait for answers are as they were before."""
    from vsscli.postprocess.facts import count_unanswered

    waiting = [video for video in run.names() if count_unanswered(run.record(video))] if run is not None else []
    if waiting:
        more = ", ..." if len(waiting) > 1 else ""
        warn(f"{plural(len(waiting), 'video')} ({waiting[0]}{more}) wait for answers: their classes are not corrected.")


def _check_root(report: "Report", root: str | None) -> None:
    """``--root`` says what is expected of an archive; without it, a top folder is pointed out."""
    if root is not None and report.root != root:
        has, wanted = (f"the top folder {name!r}" if name else "no top folder" for name in (report.root, root))
        raise RunError(f"{report.path} has {has}, and --root asks for {wanted}.", "Pack it again with that --root.")
    if report.root and root is None:
        say(f"submit: the videos are in the folder {report.root!r} of the archive: some servers want that, others not.")


def _complain(report: "Report") -> None:
    """RunError when there are problems, after a line for each kind of them."""
    if not report.problems:
        say(f"submit: {report.path} is fit for submission.")
        return
    for kind in report.kinds:
        alike = [problem for problem in report.problems if problem.kind == kind]
        text = alike[0].text
        if len({problem.text for problem in alike}) > 1:
            text = f"the first: {text}"
        say(visible(f"  {kind:16} {_named([problem.where for problem in alike])}{f': {text}' if text else ''}"))
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in report.kinds.most_common())
    hint = "Mend these and repeat the command."
    if report.shifted:
        hint = "The values look like the dataset's own numbers, which begin at 1: subtract 1."
    raise RunError(
        f"{report.path} is not fit for submission: {plural(len(report.problems), 'problem')} ({kinds}).", hint
    )


def _named(places: Sequence[str]) -> str:
    """One place by its name; of several the number and the first three."""
    if len(places) == 1:
        return places[0]
    return f"{len(places):,}: {', '.join(places[:3])}{', ...' if len(places) > 3 else ''}"


def _by_count(counts: Mapping[Kind, int]) -> list[tuple[Kind, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])


def _some(words: Iterable[str]) -> str:
    words = list(words)
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more or "none"
