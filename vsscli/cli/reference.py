"""The reference of the command line, written from the commands: ``python -m vsscli.cli.reference``.

Run it after a verb or an option was added or changed: it writes ``vsscli/guides/reference.md``, and a test compares.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from vsscli import guides
from vsscli.cli.app import app

PLACE = Path(guides.__file__).parent / "reference.md"

_HEAD = """# Every verb and its options

This is `--help` of all verbs on one page, written from the commands by `python -m vsscli.cli.reference`.
"""


def reference() -> str:
    """The page, as Markdown: a heading for each command, in the order of ``vsscli --help``."""
    blocks = [_HEAD.rstrip()]
    for path, command in _commands(typer.main.get_command(app), ("vsscli",)):
        blocks += [f"## {' '.join(path)}", _usage(path, command), *_text(command.help or "")]
        panels: dict[str, list[str]] = {}
        for parameter in command.params:
            panels.setdefault(_panel(parameter), []).append(_line(parameter))
        blocks += [f"{panel}:\n\n" + "\n".join(lines) for panel, lines in panels.items()]
    return "\n\n".join(blocks) + "\n"


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def _usage(path: tuple[str, ...], command: Any) -> str:
    words = [
        _metavar(parameter) if parameter.required else f"[{_metavar(parameter)}]"
        for parameter in command.params
        if not _is_option(parameter)
    ]
    words += [
        f"{parameter.opts[0]} {_metavar(parameter)}"
        for parameter in command.params
        if _is_option(parameter) and parameter.required
    ]
    return "    " + " ".join([*path, *words, "[OPTIONS]"])


def _text(text: str) -> list[str]:
    """The paragraphs of a help text; what is to be typed stands as code."""
    paragraphs = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("Example: "):
            paragraphs += ["Example:", "    " + " ".join(paragraph.removeprefix("Example: ").split())]
        else:
            paragraphs.append(paragraph)
    return paragraphs


def _panel(parameter: Any) -> str:
    if not _is_option(parameter):
        return "Arguments"
    return str(parameter.rich_help_panel or "Options")


def _line(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in parameter.opts) if _is_option(parameter) else f"`{_metavar(parameter)}`"
    if _is_option(parameter) and not _is_flag(parameter):
        names = f"`{parameter.opts[0]} {_metavar(parameter)}`"
    more = ["required"] if parameter.required and _is_option(parameter) else []
    if (
        not parameter.required
        and parameter.show_default
        and not (parameter.default is None or parameter.default is False)
    ):
        more.append(f"default: {parameter.default}")
    note = f" ({', '.join(more)})" if more else ""
    return f"- {names}{note}: {' '.join((parameter.help or '').split())}"


def _is_option(parameter: Any) -> bool:
    return bool(parameter.opts[0].startswith("-"))


def _is_flag(parameter: Any) -> bool:
    return parameter.type_descriptor.annotation is bool


def _metavar(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    if not _is_option(parameter):
        return str(parameter.name).upper() + ("..." if parameter.nargs != 1 else "")
    kinds = {int: "N", float: "X", Path: "PATH"}
    annotation = parameter.type_descriptor.annotation
    return kinds.get(annotation, "N" if annotation == list[int] else "TEXT")


if __name__ == "__main__":
    PLACE.write_text(reference(), encoding="utf-8")
    print(f"wrote {PLACE}")
