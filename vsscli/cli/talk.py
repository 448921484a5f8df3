"""Sentences for the user. stdout is data, stderr is talk."""

import contextlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from vsscli.errors import VssError
from vsscli.words import plural, speed

if TYPE_CHECKING:
    from vsscli.engine import Outcome, Stage


def say(text: str) -> None:
    """A line for the user, on stderr. A stderr that takes nothing more stops no work."""
    try:
        print("\n".join(map(visible, text.split("\n"))), file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """What ``stream`` refused, and all that follows, goes nowhere: else the next flush fails, wherever it stands."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        stream.flush()


def visible(text: str) -> str:
    """``text`` with what would steer a terminal instead of showing on it written as escapes, line ends too.

    Names of files and of archive entries may hold such characters.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def warn(text: str) -> None:
    """Something the user should know but that stops nothing."""
    say(f"warning: {text}")


def finish(outcome: "Outcome", out: Path, verb: str) -> None:
    """Says what became of the videos; exit code 1 when some failed, 130 after Ctrl-C (`main` says why)."""
    if outcome.done:
        took = f" in {outcome.seconds:.1f} s ({speed(outcome.frames, outcome.seconds)})"
        say(f"{verb}: {plural(len(outcome.done), 'video')}, {plural(outcome.frames, 'frame')}{took} -> {out}")
    if outcome.constant:
        video, label = min(outcome.constant.items())
        warn(
            f"one label on every pixel of {plural(len(outcome.constant), 'video')} ({video}: {label}"
            f"{', ...' if len(outcome.constant) > 1 else ''}): does the model fit these videos?"
        )
    if outcome.before:
        say(f"{verb}: {plural(len(outcome.before), 'video')} had been finished before.")
    if outcome.interrupted:
        stand = len(outcome.done) + len(outcome.before)
        say(f"{verb}: {stand} of {plural(outcome.asked, 'video')} finished; one that was in progress starts over.")
        raise typer.Exit(130)
    if outcome.failed:
        say(f"{verb}: {plural(len(outcome.failed), 'video')} failed:")
        for video, error in sorted(outcome.failed.items()):
            say(f"  {video}: {' '.join(error.split())}")
        others = "The others are finished; mend" if outcome.done or outcome.before else "Mend"
        say(f"{others} these and repeat the command.")
        raise typer.Exit(1)


def announce_plan(stage: "Stage", todo: list[str], before: list[str], out: Path) -> None:
    """The answer of ``--dry-run``."""
    work = 0
    for video in todo:
        with suppress(VssError):  # what is wrong with a video is told when its turn comes
            work += stage.count(video)
    todos = f"{plural(len(todo), 'video')} ({work:,} {stage.unit}) to do"
    say(f"dry run: {todos}, {len(before)} finished in {out}; nothing was written.")
    for video in todo[:20]:
        say(f"  {video}")
    if len(todo) > 20:
        say(f"  ... and {len(todo) - 20} more")
