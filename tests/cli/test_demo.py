"""``vsscli demo``: its recipe on a smaller world, with the real server on loopback."""

import json
import shlex
from pathlib import Path

import pytest
import typer

from tests.data.trees import save_video
from vsscli.cli.demo import end_lines, run_demo
from vsscli.cli.main import run
from vsscli.postprocess.facts import read_regions
from vsscli.runs.run import open_run

SMALL = {"videos": "2", "frames": "3", "size": "160x90", "workers": "1"}
STAGES = ["a", "a-views", "b", "b-views", "selected", "corrected"]


def test_every_stage_has_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    run_demo({"out": str(out), **SMALL})
    shown, said = capsys.readouterr()
    rows = [line.split() for line in shown.splitlines()[-len(STAGES) :]]
    assert [row[0] for row in rows] == [f"score_{name.replace('-', '_')}" for name in STAGES]
    for name, (_, miou, *_) in zip(STAGES, rows, strict=True):
        found = json.loads((out / "scores" / f"{name}.json").read_text())
        assert f"{100 * found['miou']:.2f}" == miou and found["frames"] == 6
    assert "A STAND-IN" in said and "answered by stand-in" in said and "http://127.0.0.1:" in said
    corrected = open_run(out / "runs" / "corrected")
    records = filter(None, map(corrected.record, corrected.names()))
    told = [region.region for record in records for region in read_regions(corrected.path, record)]
    assert "water" in told
    assert (out / "submission.zip").is_file()
    assert b"corrected" in (out / "report.html").read_bytes()
    end = end_lines(out)
    assert f"\nOpen {out}/report.html\n" in end and "VIDEO" not in end and "NOTHING" not in end
    same = all(corrected.digest(name) == open_run(out / "runs" / "selected").digest(name) for name in corrected.names())
    assert ("needed correcting here" in end) == same
    (line,) = [line for line in end.splitlines() if line.startswith("    vsscli show")]
    film = tmp_path / "overlay.mp4"
    assert run([*shlex.split(line)[1:-1], str(film)]) == 0 and film.is_file()


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


@pytest.mark.parametrize("out", ["", "."])
def test_the_folder_that_one_is_in_is_refused(
    out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_video(Path("v.mp4"), 2)
    for words in (["demo"], ["demo", "--video", "v.mp4"]):
        assert run([*words, "--out", out]) == 2
        assert "--out is empty, or the folder that you are in" in " ".join(capsys.readouterr().err.split())
    assert list(Path().iterdir()) == [Path("v.mp4")]


def test_a_video_whose_name_begins_with_a_dash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And repeated, and another video in its place."""
    monkeypatch.chdir(tmp_path)
    save_video(Path("-dash.mp4"), 2)
    save_video(Path("other.mp4"), 2)
    assert run(["demo", "--video", "./-dash.mp4"]) == 0
    assert "Open ./-dash-demo/overlay.mp4; its label maps are in ./-dash-demo/labels." in capsys.readouterr().out
    assert Path("-dash-demo", "overlay.mp4").is_file()
    assert run(["demo", "--video", "./-dash.mp4"]) == 0
    assert "had been finished before" in capsys.readouterr().err
    assert run(["demo", "--video", "other.mp4", "--out", "./-dash-demo"]) == 2
    assert "is no earlier demo of other.mp4" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("there", ["overlay.mp4", "run.json", "labels/v/1.png"])
def test_a_folder_of_other_things_is_refused(
    there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_video(Path("v.mp4"), 2)
    place = Path("mine", there)
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    assert run(["demo", "--video", "v.mp4", "--out", "mine"]) == 2
    assert "--out mine is there, and is no earlier demo of v.mp4" in " ".join(capsys.readouterr().err.split())
    assert place.read_text() == "mine" and len(list(Path("mine").iterdir())) == 1


def test_a_video_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--video", str(tmp_path / "no.mp4")]) == 2
    assert "no.mp4 is no file. Give a video file" in " ".join(capsys.readouterr().err.split())
