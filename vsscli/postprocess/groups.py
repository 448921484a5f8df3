"""Groups of confusable classes: read from a CSV file, checked field by field."""

import csv
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsscli.data.classes import ClassTable
from vsscli.errors import OptionError
from vsscli.resources import resource_folder

FIELDS = ("group", "stuff", "classes", "scope", "priority")
SCOPES = ("image", "region")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_NOUN = re.compile(r"[^\W\d_][\w ,'-]{0,59}")
_LARGEST = 1 << 20  # bytes: what is larger is no list that people wrote


@dataclass(frozen=True)
class Group:
    """``classes`` of one table that are taken for each other; ``ids`` are their numbers there, in the same order.

    ``stuff`` is the noun of the question. ``scope``: ``image`` for one answer in a whole video, ``region`` for one a
    region. ``priority``: 1 for what is asked by default, higher for what is asked when one says so.
    """

    name: str
    stuff: str
    classes: tuple[str, ...]
    ids: tuple[int, ...]
    scope: str
    priority: int

    @property
    def nouns(self) -> tuple[str, ...]:
        """The classes as words of a question: ``handrail or fence`` for ``handrail_or_fence``."""
        return tuple(name.replace("_", " ").lower() for name in self.classes)


def read_groups(path: Path | None, table: ClassTable, priority: int) -> tuple[Group, ...]:
    """The groups of priorities 1 to ``priority`` in the CSV file at ``path`` (None: the shipped one), in its order.

    OptionError naming file, line and field for a file that cannot be read, a field that is not as it must be, a class
    that is not in ``table``, a class that is in two of the groups taken, and where no group is left.
    """
    path = path or resource_folder("prompts") / "groups.csv"
    groups: list[Group] = []
    for line, row in _rows(path):
        group = _group(row, table, f"{path}, line {line}")
        if group.name in (other.name for other in groups):
            raise OptionError(f"{path}, line {line}: there are two groups {group.name!r}.", "Rename one of them.")
        groups.append(group)
    taken = tuple(group for group in groups if group.priority <= priority)
    if not taken:
        raise OptionError(f"{path} holds no group of priority {priority} or less.", "Give a higher --priority.")
    _check_disjoint(taken, path)
    return taken


def groups_digest(groups: Sequence[Group]) -> str:
    """SHA-256 over all fields of the groups."""
    content = [[g.name, g.stuff, list(g.classes), list(g.ids), g.scope] for g in groups]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """(line, fields) for every line below the heads."""
    text = read_text(path, "--groups")
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        if tuple(reader.fieldnames or ()) != FIELDS:
            raise OptionError(f"{path}: its first line is not {','.join(FIELDS)}.", "Copy prompts/groups.csv.")
        rows = []
        for row in reader:
            if None in row or None in row.values():
                raise OptionError(f"{path}, line {reader.line_num}: there are not {len(FIELDS)} fields.")
            rows.append((reader.line_num, row))
    except csv.Error as error:
        raise OptionError(f"{path}, line {reader.line_num}: this is no CSV ({error}).") from None
    return rows


def read_text(path: Path, option: str) -> str:
    """A small text file that the user names; OptionError with the ``option`` when it cannot be read as one."""
    try:
        if path.exists() and not path.is_file():  # a pipe would wait for ever
            raise OptionError(f"{option} {path} is no file.", "Give a file, or leave it out.")
        if path.stat().st_size > _LARGEST:
            raise OptionError(f"{option} {path}: this file is larger than {_LARGEST >> 20} MB.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise OptionError(f"{option} {path}: this file is not UTF-8 text.") from None
    except OSError as error:
        raise OptionError(
            f"{option} {path} cannot be read ({error.strerror}).", "Give a file, or leave it out."
        ) from None


def _group(row: Mapping[str, str], table: ClassTable, where: str) -> Group:
    name, stuff, scope = (row[field].strip() for field in ("group", "stuff", "scope"))
    if not _NAME.fullmatch(name):
        raise OptionError(f"{where}: group {name[:60]!r} is no name.", "Letters, digits, _ and -, a letter first.")
    if not _NOUN.fullmatch(stuff):
        raise OptionError(
            f"{where}: stuff {stuff[:80]!r} of the group {name} is no noun.",
            "A few words: letters, digits, blanks, and , ' -; 60 characters at most.",
        )
    if scope not in SCOPES:
        raise OptionError(f"{where}: scope {scope[:40]!r} of the group {name} is none.", "It is image or region.")
    if not re.fullmatch(r"[1-9]", row["priority"].strip()):
        raise OptionError(f"{where}: priority {row['priority'][:40]!r} of the group {name} is not one of 1 to 9.")
    classes = tuple(part.strip() for part in row["classes"].split("|"))
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise OptionError(f"{where}: the group {name} needs two classes or more, each once.", "Join them by |.")
    return Group(name, stuff, classes, _ids(classes, table, name, where), scope, int(row["priority"]))


def _ids(classes: Sequence[str], table: ClassTable, name: str, where: str) -> tuple[int, ...]:
    try:
        return tuple(table.index(c) for c in classes)
    except OptionError as error:
        raise OptionError(f"{where}, group {name}: {error.message}", error.hint) from None


def _check_disjoint(groups: Sequence[Group], path: Path) -> None:
    owner: dict[str, Group] = {}
    for group in groups:
        for name in group.classes:
            other = owner.setdefault(name, group)
            if other is not group:
                raise OptionError(
                    f"{path}: the class {name} is in two groups, {other.name} and {group.name}.",
                    "A lower --priority, or a copy of the file (--groups) without one of them.",
                )
