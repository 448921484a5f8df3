"""``vsscli demo``: its recipe on a smaller world, with the real server on loopback."""

import json
from pathlib import Path

import pytest
import typer

from vsscli.cli.demo import run_demo
from vsscli.cli.main import run
from vsscli.postprocess.facts import read_regions
from vsscli.runs.run import open_run

SMALL = {"videos": "2", "frames": "3", "size": "160x90", "workers": "1"}
STAGES = ["a", "b", "a-views", "b-views", "selected", "corrected"]


def test_every_stage_has_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    run_demo({"out": str(out), **SMALL})
    shown, said = capsys.readouterr()
    rows = [line.split() for line in shown.splitlines()[-len(STAGES) :]]
    assert [row[0] for row in rows] == STAGES
    for name, miou, *_ in rows:
        found = json.loads((out / "scores" / f"{name}.json").read_text())
        assert f"{100 * found['miou']:.2f}" == miou and found["frames"] == 6
    assert "A STAND-IN" in said and "answered by stand-in" in said and "http://127.0.0.1:" in said
    corrected = open_run(out / "runs" / "corrected")
    records = filter(None, map(corrected.record, corrected.names()))
    told = [region.region for record in records for region in read_regions(corrected.path, record)]
    assert "water" in told
    assert (out / "submission.zip").is_file()
    assert b"corrected" in (out / "report.html").read_bytes()


def test_repeated_it_asks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"out": str(tmp_path / "demo"), **SMALL, "videos": "1", "frames": "1"}
    run_demo(settings)
    first = capsys.readouterr().out.splitlines()[-len(STAGES) :]
    run_demo(settings)
    shown, said = capsys.readouterr()
    assert shown.splitlines()[-len(STAGES) :] == first
    assert "answered by" not in said and said.count("had been finished before") == 6


def test_a_failed_step_ends_the_demo(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as leaving:
        run_demo({"out": str(tmp_path / "demo"), **SMALL, "videos": "none"})
    assert leaving.value.exit_code == 2


def test_a_video_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--video", str(tmp_path / "no.mp4")]) == 2
    assert "no.mp4 is no file. Give a video file" in " ".join(capsys.readouterr().err.split())
