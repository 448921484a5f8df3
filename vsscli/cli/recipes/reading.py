"""A recipe's YAML file, read strictly: what is not known is refused, with the place and the nearest that is."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsscli.errors import OptionError
from vsscli.resources import resource_folder
from vsscli.yaml_file import read_yaml

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FIELDS = ("about", "set", "steps")
#: The one entry of a step that is no option of its verb.
CONDITION = "if"
Text = str | list[str]


@dataclass(frozen=True)
class Entry:
    """A step as it is written: the verb, its arguments, its options by name, whether it is for videos with masks."""

    name: str
    verb: str
    arguments: list[str]
    options: dict[str, Text]
    only_masked: bool


@dataclass(frozen=True)
class Recipe:
    """A recipe as it is written; ``settings`` are what ``--set`` may change, with what they are otherwise."""

    path: Path
    about: str
    settings: dict[str, str]
    entries: tuple[Entry, ...]


def shipped() -> dict[str, Path]:
    """Name -> file of the recipes that come along, sorted."""
    return {path.stem: path for path in sorted(resource_folder("pipelines").glob("*.yaml"))}


def find_recipe(name: str) -> Path:
    """The file of a shipped recipe's name, or else ``name`` itself; OptionError where neither is there."""
    known = shipped()
    if name in known:
        return known[name]
    path = Path(name)
    try:
        if path.is_file():
            return path
        if path.exists() and not path.is_dir():
            raise OptionError(f"{path} is no regular file.", "Give a recipe's YAML file.")
    except (OSError, ValueError):
        pass
    near = [path.stem] if path.stem in known else nearest(name, known)
    hint = f"Did you mean the shipped one, vsscli run {near[0]}?" if near else f"Shipped are {', '.join(known)}."
    raise OptionError(f"There is no recipe {name}.", hint)


def read_recipe(path: Path) -> Recipe:
    """The recipe in ``path``; OptionError naming the file, the step and the entry where it is none.

    Every value is the text that stands there: ``1.10`` stays ``1.10``, ``yes`` is no switch.
    """
    found = _load(path)
    for field in found:
        if field not in _FIELDS:
            raise OptionError(f"{path}: {field!r} is no part of a recipe.", suggest(field, _FIELDS, "Parts are"))
    about = found.get("about", "")
    if not isinstance(about, str):
        raise OptionError(f"{path}: 'about' must be a sentence.")
    settings, steps = _mapping(path, "set", found.get("set") or {}), found.get("steps")
    for name, value in settings.items():
        check_text(f"{path}: the setting {name!r}", value)
    if not steps:
        raise OptionError(f"{path} has no steps.", "See vsscli guide recipes.")
    entries = tuple(_entry(path, name, entry) for name, entry in _mapping(path, "steps", steps).items())
    for entry in entries:
        if entry.name in settings:
            raise OptionError(f"{path}: {entry.name!r} is a setting and a step.", "Give one of them another name.")
    return Recipe(path, " ".join(about.split()), settings, entries)


def _load(path: Path) -> dict[str, Any]:
    found = read_yaml(path, "a recipe", as_written=True)
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise OptionError(f"{path} is no recipe.", f"It must have {', '.join(_FIELDS)}: see vsscli guide recipes.")
    return found


def _mapping(path: Path, what: str, found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise OptionError(f"{path}: {what!r} must be names with values.", "See vsscli guide recipes.")
    for name in found:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise OptionError(f"{path}: {name!r} in {what!r} is no name.", "Take small letters, digits and _.")
    return found


def _entry(path: Path, name: str, found: Any) -> Entry:
    where = f"{path}, step {name!r}"
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise OptionError(f"{where} must be a verb and its options.", "See vsscli guide recipes.")
    options = dict(found)
    condition = options.pop(CONDITION, None)
    if condition not in (None, "masks"):
        raise OptionError(f"{where}: 'if' is {condition!r}.", "It can be masks: the step is for data that has some.")
    if not options:
        raise OptionError(f"{where} has no verb.", "Its first entry is the verb with its arguments.")
    verb, *_ = options
    arguments = options.pop(verb)
    arguments = arguments if isinstance(arguments, list) else [arguments] if arguments else []
    for option, value in (*((verb, value) for value in arguments), *options.items()):
        for text in value if isinstance(value, list) else [value]:
            check_text(f"{where}: {option!r}", text)
    return Entry(name, verb, arguments, options, condition is not None)


def check_text(where: str, value: Any) -> None:
    """OptionError unless ``value`` is printable text on one line, as a command line holds it."""
    if not isinstance(value, str) or not value.isprintable():
        raise OptionError(f"{where} must be text on one line.")


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """At most one of ``known`` that looks like ``name``."""
    return difflib.get_close_matches(name, list(known), 1, 0.6)


def suggest(name: str, known: Iterable[str] | Mapping[str, Any], otherwise: str) -> str:
    """A hint: the nearest of ``known``, or all of them."""
    known = list(known)
    near = nearest(name, known)
    return f"Did you mean {near[0]}?" if near else f"{otherwise} {', '.join(known) or 'none'}."
