"""Lists of what belongs to a split: text files ``ROOT/<split>.txt`` as people's editors leave them."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from vsscli.errors import DataError, OptionError

SPLITS = ("train", "val", "test")

NAME_BYTES = 255  # what file systems allow for one name

_NEVER = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]")  # what leads elsewhere, and what steers a terminal


def splits_at(root: Path) -> tuple[str, ...]:
    """The splits whose lists are in ``root``."""
    return tuple(split for split in SPLITS if (root / f"{split}.txt").is_file())


def read_lines(root: Path, split: str) -> tuple[str, ...]:
    """The lines of ``root/<split>.txt`` without blanks and dot names; with or without a final newline, CRLF, a BOM.

    OptionError when ``split`` cannot name a list, DataError when the list is missing, no text, or empty.
    """
    path = root / f"{split}.txt"
    if not is_name(split) or not is_name(path.name):
        raise OptionError(f"--split {split[:40]!r} is not the name of a split.", "For example train, val or test.")
    if not path.is_file():
        there = ", ".join(splits_at(root)) or "none"
        raise DataError(f"There is no list {path} for the split {split!r}.", f"Lists that are there: {there}.")
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").split("\n")]
    except UnicodeDecodeError:
        raise DataError(f"{path}: this list is not UTF-8 text.") from None
    except OSError as error:
        raise DataError(f"{path}: this list cannot be read ({error.strerror}).") from None
    found = tuple(line for line in lines if line and not line.startswith("."))
    if not found:
        raise DataError(f"{path}: this list names nothing.", "One video a line is expected.")
    return found


def is_name(text: str) -> bool:
    """Whether ``text`` can be the name of a file or folder, and stays in its folder."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= NAME_BYTES and text not in (".", "..") and not _NEVER.search(text)


def repeated(lines: Iterable[str]) -> tuple[str, ...]:
    """What is in ``lines`` more than once, in order of first appearance."""
    return tuple(line for line, count in Counter(lines).items() if count > 1)
