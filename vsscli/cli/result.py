"""Where the results of those verbs go that make no run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vsscli.cli.talk import say
from vsscli.errors import OptionError


def check_place(json: str | None, csv: Path | None = None, inputs: Sequence[Path] = ()) -> None:
    """A place that cannot be written, or lies inside one of ``inputs``, is told before the work, not after."""
    from vsscli.runs.disk import refuse_inputs

    for option, place in (("--json", json), ("--csv", csv)):
        if place not in (None, "-"):
            refuse_inputs(option, Path(str(place)), inputs, folder=False)
    if csv is not None and str(csv) == "-":
        raise OptionError("--csv writes several files and cannot go to stdout.", "Give a folder; --json - is stdout.")
    if csv is not None and csv.exists() and not csv.is_dir():
        raise OptionError(f"--csv {csv} is a file.", "Give a folder.")
    if json in (None, "-"):
        return
    path = Path(str(json)).absolute()
    if path.is_dir():
        raise OptionError(f"--json {json} is a folder.", "Give the name of a file.")
    for folder in path.parents:
        if folder.exists() and not folder.is_dir():
            raise OptionError(f"--json {json}: {folder} is not a folder.", "Give the name of a file in a folder.")


def write_json(json: str | None, result: dict[str, Any], verb: str) -> None:
    """Puts ``result`` where ``--json`` says: nowhere, on stdout, or into a file."""
    from json import dumps

    text = dumps(result, indent=1) + "\n"
    if json == "-":
        print(text, end="")
    elif json is not None:
        write_text(Path(json), text, verb)


def write_text(path: Path, text: str, verb: str) -> None:
    """Writes a file whole or not at all, makes the folders above it, and says so. Raises DiskError."""
    from vsscli.runs.disk import disk_errors, write_atomic

    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text.encode())
    say(f"{verb}: wrote {path}")
