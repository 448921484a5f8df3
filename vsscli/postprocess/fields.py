"""YAML that people write: read with every field checked, and never a value shown that may be a key."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vsscli.errors import OptionError
from vsscli.yaml_file import read_yaml

Check = Callable[[Any], bool]


def read_mapping(path: Path, what: str) -> dict[str, Any]:
    """The mapping in a YAML file; OptionError naming the file, the line where it breaks, and ``what`` it should be."""
    found = read_yaml(path, what, private=True)
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise OptionError(f"{path} is not {what}: its top level must be names with values.")
    return found


def check_fields(
    found: Any, where: str, required: Mapping[str, tuple[Check, str]], optional: Mapping[str, tuple[Check, str]]
) -> dict[str, Any]:
    """``found``, a mapping whose fields are all known, all there that must be, and pass their checks.

    Every check comes with what it asks for, in words. OptionError names ``where``, the field, and what it must be.
    """
    if not isinstance(found, dict):
        raise OptionError(f"{where} must be fields with values.")
    known = {**required, **optional}
    for name in found:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1, 0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Fields are {', '.join(known)}."
            raise OptionError(f"{where} has an unknown field {name!r}.", hint)
    for name in required:
        if name not in found:
            raise OptionError(f"{where} lacks the field {name!r}, {required[name][1]}.")
    for name, value in found.items():
        check, words = known[name]
        if not check(value):
            raise OptionError(f"In {where} the field {name!r} must be {words}.")
    return dict(found)


def is_text(value: Any) -> bool:
    """Some printable text on one line, no more than 200 characters."""
    return isinstance(value, str) and 0 < len(value.strip()) == len(value) <= 200 and value.isprintable()


def is_count(value: Any) -> bool:
    """A whole number from 1 to a million."""
    return type(value) is int and 1 <= value <= 1_000_000


def is_amount(value: Any) -> bool:
    """A number that is not negative, infinite or none."""
    return type(value) in (int, float) and 0 <= value < 1e9
