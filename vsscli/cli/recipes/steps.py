"""From a recipe to command lines. What a verb's options are, and what they take, the verb itself is asked."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from vsscli.cli.recipes.reading import Entry, Recipe, Text, check_text, suggest
from vsscli.errors import OptionError

_REFERENCE = re.compile(r"\$(?:(\$)|\{([a-z][a-z0-9_]*)\}|([a-z][a-z0-9_]*)|)")
#: What the parsers of verbs raise; where its module lies depends on typer's release.
_UsageError: Any = typer.BadParameter.__bases__[0]


@dataclass(frozen=True)
class Step:
    """A step as a command line: ``words`` follow ``vsscli``; ``values`` are what the verb's parser makes of them.

    ``waits`` are the words that lead to outputs of earlier steps, with the names of those.
    """

    name: str
    verb: str
    words: tuple[str, ...]
    values: Mapping[str, Any]
    waits: tuple[tuple[str, str], ...] = ()
    only_masked: bool = False

    @property
    def out(self) -> str | None:
        """Where its output goes: what ``$name`` stands for in later steps."""
        out = self.values.get("out")
        return None if out is None else f"./{out}" if str(out).startswith("-") else str(out)


def commands() -> dict[str, Any]:
    """``infer``, ``data synth``, ... -> the command. A recipe in a recipe would know no end."""
    from vsscli.cli.app import app

    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for sub, below in getattr(command, "commands", {"": command}).items():
            found[f"{name} {sub}".rstrip()] = below
    return {name: command for name, command in found.items() if name not in ("run", "demo")}


def read_changes(recipe: Recipe, changes: Sequence[str]) -> dict[str, str]:
    """The settings of ``--set key=value``; OptionError for what is none."""
    found: dict[str, str] = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key:
            raise OptionError(f"--set {change!r} is no key=value.", "For example --set out=runs/mine")
        if key not in recipe.settings:
            raise OptionError(f"{recipe.path} has no setting {key!r}.", suggest(key, recipe.settings, "Settings are"))
        check_text(f"--set {key}", value)
        found[key] = value
    return found


def make_steps(recipe: Recipe, changes: Sequence[str] = ()) -> tuple[list[Step], dict[str, str]]:
    """The steps in order, and the settings as they hold; OptionError before anything runs.

    A default may name settings above it. ``~/`` at the beginning of a setting is the home folder, as in a shell.
    """
    changed = read_changes(recipe, changes)
    settings: dict[str, str] = {}
    for key, default in recipe.settings.items():
        where = f"{recipe.path}, the setting {key!r}"
        text = changed[key] if key in changed else _Names(recipe, settings, {}).fill(where, default)[0]
        settings[key] = os.path.expanduser(text) if text.startswith("~/") else text  # noqa: PTH111 (text, not a path)
    known, steps = commands(), dict[str, Step]()
    for entry in recipe.entries:
        if entry.verb not in known:
            raise OptionError(
                f"{recipe.path}, step {entry.name!r}: {entry.verb!r} is no verb that a step can be.",
                suggest(entry.verb, known, "Verbs are"),
            )
        steps[entry.name] = _make(recipe, entry, known[entry.verb], _Names(recipe, settings, steps))
    _check_files(recipe, list(steps.values()))
    return list(steps.values()), settings


def _check_files(recipe: Recipe, steps: Sequence[Step]) -> None:
    """OptionError where a step would write onto the recipe, or a score onto the score of another step."""
    scores: dict[str, str] = {}
    for step in steps:
        where = f"{recipe.path}, step {step.name!r}"
        for option in ("out", "json", "csv"):
            place = step.values.get(option)
            if place not in (None, "-") and os.path.realpath(place) == os.path.realpath(recipe.path):
                raise OptionError(f"{where}: {option!r} is the recipe itself.", "Give another place.")
        place = step.values.get("json")
        if step.verb == "score" and place not in (None, "-"):
            other = scores.setdefault(os.path.realpath(place), step.name)
            if other != step.name:
                raise OptionError(f"{where}: 'json' is that of the step {other!r}, too.", "Give each its own file.")


@dataclass
class _Names:
    """What ``$name`` can stand for at one place of a recipe."""

    recipe: Recipe
    settings: Mapping[str, str]
    steps: Mapping[str, Step]

    def fill(self, where: str, text: str) -> tuple[str, list[str]]:
        """``text`` with its references filled in, and the names of the earlier steps among them."""
        used: list[str] = []

        def value(match: re.Match[str]) -> str:
            dollar, braced, bare = match.groups()
            if dollar:
                return "$"
            name = braced or bare
            if name in self.settings:
                if not self.settings[name] and match.group() != text:
                    raise OptionError(
                        f"{where}: the setting {name!r} is empty, and stands in a path or a longer text ({text}).",
                        f"Give it: --set {name}=...",
                    )
                return self.settings[name]
            out = self._output(where, name)
            used.append(name)
            return out

        return _REFERENCE.sub(value, text), used

    def _output(self, where: str, name: str | None) -> str:
        if name is None:
            raise OptionError(f"{where}: a $ without a name.", "Write $$ for a dollar.")
        if name in self.steps:
            step = self.steps[name]
            if step.out is None:
                raise OptionError(f"{where}: ${name} is no place: the step {name!r} ({step.verb}) has no output.")
            return step.out
        if name in self.recipe.settings or any(entry.name == name for entry in self.recipe.entries):
            raise OptionError(f"{where}: ${name} comes later.", "Only what stands above can be named.")
        known = [*self.settings, *self.steps]
        raise OptionError(f"{where}: ${name} is no setting and no earlier step.", suggest(name, known, "There are"))


def _make(recipe: Recipe, entry: Entry, command: Any, names: _Names) -> Step:
    where = f"{recipe.path}, step {entry.name!r}"
    waits: list[tuple[str, str]] = []
    left_out: list[str] = []

    def fill(text: str) -> str:
        word, used = names.fill(where, text)
        waits.extend((word, name) for name in used)
        if not word:
            left_out.append(text)
        return word

    words = entry.verb.split()
    for text in entry.arguments:
        word = fill(text)
        if not word:
            raise OptionError(f"{where}: an argument of {entry.verb} is empty.", _set_hint(left_out))
        if word.startswith("-"):
            raise OptionError(f"{where}: the argument {word!r} begins with a dash.", "Write ./ before a file's name.")
        words.append(word)
    options = {name: param for param in command.params for name in _names_of(param)}
    for name, value in entry.options.items():
        if name not in options:
            hint = suggest(name, options, f"Options of {entry.verb} are")
            raise OptionError(f"{where}: {entry.verb} has no option {name!r}.", hint)
        many = value if isinstance(value, list) else [value]
        filled: Text = [fill(text) for text in many] if isinstance(value, list) else fill(value)
        words += _option_words(f"{where}: {name!r}", name, options[name], filled)
    values = _parse(where, command, words[len(entry.verb.split()) :], _set_hint(left_out))
    if entry.only_masked and values.get("data") is None:
        raise OptionError(f"{where}: 'if: masks' needs data, and this {entry.verb} has none.")
    return Step(entry.name, entry.verb, tuple(words), values, tuple(waits), entry.only_masked)


def _names_of(param: Any) -> list[str]:
    if param.param_type_name != "option":
        return []
    return [name[2:] for name in (*param.opts, *param.secondary_opts) if name.startswith("--")]


def _option_words(where: str, name: str, param: Any, value: Text) -> list[str]:
    """``--name value``; nothing for an empty value, which leaves the option out."""
    if isinstance(value, list) and not param.multiple:
        raise OptionError(f"{where} takes one value, not a list.")
    if param.is_flag:
        if value not in ("true", "false", ""):
            raise OptionError(f"{where} is a switch, and {value!r} is neither true nor false.")
        return [f"--{name}"] if value == "true" else []
    found = [text for text in (value if isinstance(value, list) else [value]) if text]
    return [word for text in found for word in ([f"--{name}={text}"] if text[0] == "-" else [f"--{name}", text])]


def _parse(where: str, command: Any, arguments: list[str], hint: str) -> Mapping[str, Any]:
    """What the verb's own parser makes of ``arguments``; its error is an OptionError that names the step."""
    try:
        values: Mapping[str, Any] = command.make_context(command.name, list(arguments)).params
    except _UsageError as error:
        said = error.format_message().rstrip(".")
        raise OptionError(f"{where}: {said}.", hint) from None
    return values


def _set_hint(left_out: Sequence[str]) -> str:
    """How to give what is empty because a setting is."""
    keys = [text[1:] for text in left_out if re.fullmatch(r"\$[a-z][a-z0-9_]*", text)]
    return f"Empty: {', '.join(keys)}. Give it: --set {keys[0]}=..." if keys else ""
