"""Streams that take nothing more, are closed, or would be steered by what is printed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import make_run, make_vspw, tree
from vsscli.cli.main import run
from vsscli.cli.talk import visible

VSSCLI = f"{sys.executable} -m vsscli"
VIDEOS = {"1_a": (3, 24, 32), "2_b": (2, 24, 32)}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    make_vspw(tmp_path / "data", VIDEOS)
    make_run(tmp_path / "run", VIDEOS)
    return tmp_path


def shell(script: str, folder: Path, buffered: bool = True) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    "command",
    ["score run --data data", "score run --data data --json -", "--help", "data stats data", "submit run --data data"],
)
def test_a_stdout_that_is_full_is_one_sentence(place: Path, command: str, buffered: bool) -> None:
    done = shell(f"{VSSCLI} {command} >/dev/full", place, buffered)
    assert done.returncode == 2
    assert done.stderr.count("error: stdout cannot be written: No space left on device.") == 1
    assert done.stderr.count("error") == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("command", ["score run --data data", "--help"])
def test_a_pipe_that_closes_is_quiet(place: Path, command: str, buffered: bool) -> None:
    done = shell(f"{VSSCLI} {command} | true", place, buffered)
    assert done.stderr == ""


@pytest.mark.parametrize("streams", [">&- 2>&-", ">&- 2>&- <&-", ">/dev/full 2>/dev/full", "2>/dev/full"])
@pytest.mark.parametrize("workers", [1, 2])
def test_streams_that_are_closed_or_full_stop_no_work(place: Path, streams: str, workers: int) -> None:
    infer = f"{VSSCLI} infer data --model oracle:noise=0.3 --workers {workers}"
    assert shell(f"{infer} --out whole", place).returncode == 0
    assert shell(f"{infer} --out other {streams}", place).returncode == 0
    whole, other = (
        {name: content for name, content in tree(place / name).items() if ".vsscli" not in name}
        for name in ("whole", "other")
    )
    assert len(whole) == 6 and whole == other


@given(st.text())
def test_what_is_said_cannot_steer_a_terminal(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert visible(shown) == shown
    if text.isprintable():
        assert shown == text


def test_names_are_shown_with_escapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["score", str(tmp_path / "a\x1b[2Jb\x9bc\nd"), "--data", str(make_vspw(tmp_path / "data", VIDEOS))]) == 2
    said = capsys.readouterr().err
    assert r"a\x1b[2Jb\x9bc\nd is not a folder" in said and said.count("\n") == 2
