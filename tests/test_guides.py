"""The guides: listed, shown, and true to the command line."""

import inspect
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vsscli.guides
from tests.cli.test_help import COMMANDS
from vsscli.cli.main import run
from vsscli.guides import read_guide, topics

TOPICS = list(topics())


def test_every_file_is_a_topic_with_a_title(capsys: pytest.CaptureFixture[str]) -> None:
    files = {path.stem for path in Path(vsscli.guides.__file__).parent.glob("*.md")}
    assert set(TOPICS) == files >= {"tta", "scores"}
    assert run(["guide"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == TOPICS
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("topic", TOPICS)
def test_into_a_pipe_a_guide_goes_as_it_is(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guide", topic]) == 0
    assert capsys.readouterr().out == read_guide(topic)


@pytest.mark.parametrize("topic", TOPICS)
def test_commands_in_a_guide_are_commands(topic: str) -> None:
    """Every line of a code block that begins with vsscli names a verb, and options that it has."""
    joined = read_guide(topic).replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.startswith("    ")]
    found = [match.group(1) for line in lines for match in re.finditer(r"(?<!\S)(vsscli [^#|;)]+)", line)]
    assert found
    for line in found:
        words = line.split()[1:]
        path = tuple(words[: 2 if words[0] == "data" else 1])
        assert path in COMMANDS, line
        parameters = {
            name
            for parameter in inspect.signature(COMMANDS[path]).parameters.values()
            for info in parameter.annotation.__metadata__
            for name in (str(info.default), *(getattr(info, "param_decls", None) or ()))
        } | {f"--{name.replace('_', '-')}" for name in inspect.signature(COMMANDS[path]).parameters}
        assert {word for word in words if word.startswith("--")} <= parameters, line


def test_an_unknown_topic_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["guide", "score"]) == 2
    assert "no guide 'score'. Did you mean scores" in " ".join(capsys.readouterr().err.replace("error: ", "").split())
    assert run(["guide", "../../errors"]) == 2
    assert run(["guide", "zzz"]) == 2
    assert "Topics: " in capsys.readouterr().err


def test_on_a_terminal_it_is_laid_out() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "NO_COLOR": ""}
    process = subprocess.Popen([sys.executable, "-m", "vsscli", "guide", "tta"], stdout=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert "# " not in text and topics()["tta"] in text
