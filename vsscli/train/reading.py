"""A training's YAML file, read strictly: a key that is not known is refused, with the nearest that are."""

import difflib
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass
from math import isfinite
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from vsscli.errors import OptionError
from vsscli.resources import resource_folder
from vsscli.train.config import TrainConfig
from vsscli.yaml_file import read_yaml


def read_config(path: Path, changes: Sequence[str] = ()) -> TrainConfig:
    """The training in ``path`` with ``changes``, each ``key=value`` with dots between the levels of the key.

    ``base`` in a file names another file, beside it, whose entries hold where this one has none. Values of changes are
    YAML too: ``mvc={ratio: 0.5}``, ``input.short=[160, 192]``, ``mvc=null``. A relative ``init`` is looked for from
    where the command runs. ``pipelines/...`` is the package's own file where there is none here. OptionError naming
    the file and the key that is unknown, missing or of another type.
    """
    entries = _load(_shipped(path), ())
    for change in changes:
        _apply(entries, change)
    config: TrainConfig = _read(TrainConfig, entries, str(path), "")
    return config


def _shipped(path: Path) -> Path:
    """The package's own file, where ``path`` is written as in a checkout and nothing is there."""
    inside = resource_folder("pipelines").joinpath(*path.parts[1:])
    return inside if path.parts[:1] == ("pipelines",) and not path.exists() and inside.is_file() else path


def _load(path: Path, above: tuple[Path, ...]) -> dict[Any, Any]:
    """The entries of a file over those of its base; ``above`` are the files that named it."""
    entries = read_yaml(path, "a training")
    if not isinstance(entries, dict):
        raise OptionError(f"{path} holds no entries.", "Copy one of pipelines/configs and change it.")
    base = entries.pop("base", None)
    if base is None:
        return entries
    if not isinstance(base, str) or "\0" in base or (path.parent / base).resolve() in (path.resolve(), *above):
        raise OptionError(f"{path}: base {base!r} is no other file.", "Give the name of a file beside it.")
    return _over(_load(path.parent / base, (*above, path.resolve())), entries)


def _over(below: dict[Any, Any], entries: dict[Any, Any]) -> dict[Any, Any]:
    """``entries`` over ``below``, level by level."""
    both = {
        key: _over(below[key], value) if isinstance(value, dict) and isinstance(below.get(key), dict) else value
        for key, value in entries.items()
    }
    return {**below, **both}


def as_entries(config: TrainConfig) -> dict[str, Any]:
    """Every entry of a training, as YAML and JSON hold them; `read_config` reads them back."""
    found: dict[str, Any] = _plain(asdict(config))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def _apply(entries: dict[Any, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    if not equals or not key:
        raise OptionError(f"--set {change!r} is no key=value.", "For example --set optimizer.lr=0.0002")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise OptionError(f"--set {change!r}: the value is no YAML.") from None
    *above, last = key.split(".")
    place = entries
    for part in above:
        if not isinstance(place.get(part), dict):
            place[part] = {}
        place = place[part]
    place[last] = value


def _read(kind: type[Any], entries: Any, where: str, prefix: str) -> Any:
    if not isinstance(entries, dict):
        hint = (
            "No validation is --set validation.split=null" if prefix == "validation." else "See vsscli guide training."
        )
        raise OptionError(f"{where}: {prefix.rstrip('.')} holds no entries of its own.", hint)
    wanted = get_type_hints(kind)
    for name in entries:
        if name not in wanted:
            near = difflib.get_close_matches(str(name), wanted, 2, 0.6)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(wanted)}."
            raise OptionError(f"{where}: {prefix}{name} is not an entry of a training.", hint)
    for each in fields(kind):
        if each.name not in entries and each.default is MISSING and each.default_factory is MISSING:
            raise OptionError(f"{where}: {prefix}{each.name} is missing.", "See vsscli guide training.")
    found = {name: _value(wanted[name], value, where, prefix + name) for name, value in entries.items()}
    try:
        return kind(**found)
    except OptionError as error:
        raise OptionError(f"{where}: {error.message}", error.hint) from None


def _value(wanted: Any, value: Any, where: str, name: str) -> Any:
    """``value`` as the type ``wanted``; OptionError naming the entry where it is none."""
    if isinstance(wanted, types.UnionType):
        if value is None:
            return None
        (wanted,) = (kind for kind in get_args(wanted) if kind is not type(None))
    if is_dataclass(wanted):
        return _read(wanted, value, where, f"{name}.")  # type: ignore[arg-type]
    if get_origin(wanted) is tuple:
        parts = value if isinstance(value, list) else [value]
        return tuple(_value(get_args(wanted)[0], part, where, name) for part in parts)
    if wanted is float and type(value) in (int, float) and isfinite(value):
        return float(value)
    if wanted is float and isinstance(value, str):  # YAML takes 1e-4, without a point, for a text
        try:
            return _value(float, float(value), where, name)
        except ValueError:
            pass
    if wanted in (int, str, bool) and type(value) is wanted:
        return value
    if get_origin(wanted) is Mapping and isinstance(value, dict):
        return value
    called = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}.get(wanted, "entries")
    raise OptionError(f"{where}: {name} is {value!r}, and must be {called}.", "See vsscli guide training.")
