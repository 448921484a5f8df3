"""Help that teaches, options that say what kind they are, completion that works."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from vsscli.cli.app import app
from vsscli.cli.main import run
from vsscli.cli.options import EXECUTION, IDENTITY


def commands(group: typer.Typer = app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield (*path, command.name or command.callback.__name__), command.callback
    for sub in group.registered_groups:
        assert sub.typer_instance is not None and sub.name is not None
        yield from commands(sub.typer_instance, (*path, sub.name))


COMMANDS = dict(commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_has_an_example_that_begins_with_the_command(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Example: vsscli {' '.join(path)}" in shown
    words = [COMMANDS[path].__doc__ or ""]
    words += [p.annotation.__metadata__[0].help or "" for p in inspect.signature(COMMANDS[path]).parameters.values()]
    assert not re.search(r"<\w+>", " ".join(words)), "help is Markdown: what looks like a tag would vanish"


@pytest.mark.parametrize("verb", ["infer", "ensemble", "postprocess", "train"])
def test_every_option_of_a_writing_verb_is_marked(verb: str) -> None:
    for name, parameter in inspect.signature(COMMANDS[(verb,)]).parameters.items():
        (info,) = parameter.annotation.__metadata__
        if isinstance(info, typer.models.OptionInfo) and name != "out":
            assert info.rich_help_panel in (IDENTITY, EXECUTION), name


def test_the_verbs_are_those_of_the_plan() -> None:
    verbs = {" ".join(path) for path in COMMANDS}
    assert verbs == {
        "infer",
        "ensemble",
        "postprocess",
        "score",
        "submit",
        "show",
        "report",
        "run",
        "train",
        "convert",
        "models",
        "guide",
        "demo",
    } | {f"data {verb}" for verb in ("check", "stats", "synth")}


@pytest.mark.parametrize(
    ("words", "expected"), [("vsscli sc", "score"), ("vsscli data s", "stats"), ("vsscli infer --cl", "--class-map")]
)
def test_completion(words: str, expected: str) -> None:
    environment = {
        **os.environ,
        "_VSSCLI_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    script = "import sys; sys.argv[0] = 'vsscli'; from vsscli.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert expected in done.stdout.split(), done.stderr


def test_a_wrong_option_is_told_and_costs_two() -> None:
    assert run(["infer", "--bogus"]) == 2
    assert run(["bogus"]) == 2
    assert run(["--version"]) == 0
