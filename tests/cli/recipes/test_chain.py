"""Recipes run: as the shell lines would, stopped where a step fails, continued, asked beforehand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.recipes.small import RECIPE, write_recipe
from tests.end_to_end.kill import results
from tests.support import make_vspw
from vsscli.cli.main import run
from vsscli.cli.recipes.scores import read_scores, table_lines
from vsscli.cli.recipes.steps import Step

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a recipe and a dataset whose name needs quotes, and the working folder."""
    monkeypatch.chdir(tmp_path)
    make_vspw(tmp_path / "it's data", {"1_a": (3, 24, 32), "2_b": (2, 24, 32)})
    write_recipe(tmp_path / "recipe.yaml")
    return tmp_path


def recipe(*more: str, out: str = "out dir/x") -> int:
    return run(["run", "recipe.yaml", "--set", "data=it's data", "--set", f"out={out}", *more])


def test_the_lines_in_a_shell_give_the_same_bytes(place: Path, capsys: Capture) -> None:
    assert recipe("--print") == 0
    lines = capsys.readouterr().out
    assert not (place / "out dir").exists()
    assert recipe() == 0
    ran = capsys.readouterr()
    assert "[3/5 both] vsscli ensemble 'out dir/x/a' 'out dir/x/b' --workers 1 --out 'out dir/x/both'" in ran.err
    before = results(place / "out dir" / "x" / "a")
    assert len(before) == 3 * (5 + 1) + 2  # three runs of five maps and a run.json; score and archive
    (place / "out dir").rename(place / "first")
    (place / "bin").mkdir()
    command = place / "bin" / "vsscli"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m vsscli "$@"\n')
    command.chmod(0o755)
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": root}
    subprocess.run(["sh", "-e", "-c", lines], cwd=place, env=environment, check=True, capture_output=True)
    assert results(place / "out dir" / "x" / "a") == before


def test_at_the_end_a_table_shows_the_scores(place: Path, capsys: Capture) -> None:
    assert recipe(out="out") == 0
    *_, head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["%", "mIoU", "VC8", "VC16"]
    name, miou, *windows = row.split()
    assert name == "score" and 0 < float(miou) < 100 and windows == ["-", "-"], "two and three frames have no windows"


def test_repeated_it_makes_nothing_again(place: Path, capsys: Capture) -> None:
    assert recipe(out="out") == 0
    stamps = {path: path.stat().st_mtime_ns for path in (place / "out").rglob("*.png")}
    capsys.readouterr()
    assert recipe(out="out") == 0
    assert capsys.readouterr().err.count("2 videos had been finished before.") == 3
    assert stamps == {path: path.stat().st_mtime_ns for path in (place / "out").rglob("*.png")}


def test_a_failed_video_stops_it_with_one_and_mended_it_goes_on(place: Path, capsys: Capture) -> None:
    mask = place / "it's data" / "data" / "1_a" / "mask" / "00000005.png"
    content = mask.read_bytes()
    mask.write_bytes(content[:-30])
    assert recipe(out="out") == 1
    err = capsys.readouterr().err
    assert "run: recipe stops at step 'a' (infer), which ended with exit code 1; 0 of 5 steps are done." in err
    assert not (place / "out" / "b").exists()
    mask.write_bytes(content)
    assert recipe(out="out") == 0
    assert "1 video had been finished before." in capsys.readouterr().err


def test_a_step_that_cannot_be_done_stops_it_with_two(place: Path, capsys: Capture) -> None:
    assert recipe("--set", "noise=2", out="out") == 2
    err = capsys.readouterr().err
    assert "error: --model oracle:noise=2" in err and "stops at step 'a' (infer), which ended with exit code 2" in err
    assert not (place / "out").exists()


def test_a_changed_setting_is_refused_by_the_verb(place: Path, capsys: Capture) -> None:
    assert recipe(out="out") == 0
    assert recipe("--set", "noise=0.3", out="out") == 2
    assert "oracle:noise=0.3" in capsys.readouterr().err


def test_without_masks_the_score_is_left_out(place: Path, capsys: Capture) -> None:
    make_vspw(place / "bare", {"1_a": (3, 24, 32)}, masks=False)
    text = "steps: {s: {if: masks, score: run, data: bare, split: val, json: s.json}}"
    write_recipe(place / "recipe.yaml", text)
    assert run(["run", "recipe.yaml"]) == 0
    assert "[1/1 s] left out: the split val of bare has no masks." in capsys.readouterr().err
    assert run(["run", "recipe.yaml", "--print"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "# s: only where bare has masks, and it has none",
        "# vsscli score run --data bare --split val --json s.json",
    ]
    assert run(["run", "recipe.yaml", "--dry-run"]) == 0
    assert "would be left out" in capsys.readouterr().err


def test_a_dry_run_asks_each_verb_for_its_own(place: Path, capsys: Capture) -> None:
    assert recipe("--dry-run", out="out") == 0
    err = capsys.readouterr().err
    assert err.count("dry run: 2 videos (5 frames) to do, 0 finished") == 2
    assert "[3/5 both] ensemble: waits for a and b." in err
    assert "[5/5 archive] submit: waits for both." in err
    assert not (place / "out").exists()
    assert recipe(out="out") == 0
    capsys.readouterr()
    assert recipe("--dry-run", out="out") == 0
    err = capsys.readouterr().err
    assert err.count("dry run: 0 videos (0 frames) to do, 2 finished") == 3
    assert "[4/5 score] score has no dry run" in err


def test_a_dry_run_tells_what_would_stop_it(place: Path, capsys: Capture) -> None:
    assert recipe("--dry-run", "--set", "noise=2", out="out") == 2
    err = capsys.readouterr().err
    assert "recipe would stop at step 'a' (infer): exit code 2. The reason is above." in err
    assert "[5/5 archive] submit: waits for both." in err, "the others are asked all the same"
    run(["infer", "it's data", "--model", "oracle:noise=0.2", "--workers", "1", "--out", "out/a"])
    one = ["--videos", "1_a", "--workers", "1", "--out", "out/b"]
    run(["infer", "it's data", "--model", "oracle:noise=0.1", "--seed", "1", *one])
    capsys.readouterr()
    assert recipe("--dry-run", out="out") == 1, "one run is half done: the merge cannot tell"
    err = capsys.readouterr().err
    assert "both could not tell: see above. Steps before may be unfinished." in err


def test_no_old_numbers_of_a_step_left_out(place: Path, capsys: Capture) -> None:
    make_vspw(place / "bare", {"1_a": (1, 24, 32)}, masks=False)
    (place / "s.json").write_text('{"miou": 0.5}')
    write_recipe(place / "recipe.yaml", "steps: {s: {if: masks, score: run, data: bare, split: val, json: s.json}}")
    assert run(["run", "recipe.yaml"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "left out" in err


def test_a_dry_run_tells_what_would_be_left_out_before_it_is_there(place: Path, capsys: Capture) -> None:
    make_vspw(place / "bare", {"1_a": (1, 24, 32)}, masks=False)
    recipe("--dry-run", "--set", "data=bare")
    err = capsys.readouterr().err
    assert "[3/5 both] ensemble: waits for a and b." in err
    assert "[4/5 score] score: would be left out, the split val of bare has no masks." in err


def test_what_is_no_score_has_no_line(tmp_path: Path) -> None:
    steps = [Step(name, "score", (), {"run": "x/a", "json": str(tmp_path / name)}) for name in "abcdef"]
    for name, text in zip("abcde", ('{"miou": 0.5, "vc8": "x"}', "[1]", "{", "{}", "[" * 100_000), strict=True):
        (tmp_path / name).write_text(text)
    _, row = table_lines(read_scores(steps))
    assert row.split() == ["a", "50.00", "-", "-"]


ASKED = """\
set: {data: it's data, mine: absent}
steps:
  a: {infer: $data, model: "oracle:noise=0.2", workers: 1, out: out/a}
  b: {infer: $data, model: ./models/$mine, out: out/b}
  corrected: {postprocess: $a, data: $data, llm: gpt-4, out: out/corrected}
  c: {infer: $data, model: $corrected/model, out: out/c}
"""


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_missing_key_and_model_are_told_before_the_first_step(
    more: list[str], place: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    write_recipe(place / "recipe.yaml", ASKED)
    (place / "models").mkdir()
    assert run(["run", "recipe.yaml", *more]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert "There is no model folder ./models/absent" in err
    assert "--llm gpt-4 needs a key, and the environment variable OPENAI_API_KEY is not set" in err
    if more:
        assert "would stop at step 'b' (infer): exit code 2. There" in err and "waits for corrected" in err
        assert "would stop at step 'corrected' (postprocess): exit code 2. --llm" in err
    assert not (place / "out").exists()


def test_what_is_shipped_is_listed(capsys: Capture) -> None:
    assert run(["run"]) == 0
    out = capsys.readouterr().out
    assert "pvuw2024 " in out and "--set data, split, out, model_a, model_b" in out
    assert RECIPE.splitlines()[0] not in out
