"""``vsscli score`` as people call it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.score.brute import Scene, expected, make_clip
from vsscli.cli.main import run

NAMES = ("3_c", "1_[a]", "2_b", "5_e", "4_d", "6_f")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    clips = {name: make_clip(i, 10 + i) for i, name in enumerate(NAMES)}
    scene = Scene(tmp_path, clips).write()
    for i, name in enumerate(NAMES):
        scene.clips[name][1][:] = make_clip(i, 10 + i, flicker=0.3)[1]
    return scene.write("other")


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run(["score", *map(str, arguments), "--workers", "1"])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_screen(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, scene.run, "--data", scene.data)
    assert code == 0 and err == ""
    assert "run, scored on vspw val: 6 videos, 75 frames, 124 classes" in out
    assert "protocol vspw" in out and "1_[a]" in out and "mIoU" in out
    assert max(map(len, out.splitlines())) <= 80
    assert all(line == line.rstrip() for line in out.splitlines())


def test_json_on_stdout_is_pure(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, scene.run, "--data", scene.data, "--json", "-", "--vc", 3, "--vc", 1)
    result = json.loads(out)
    reference = Scene(scene.root, {name: make_clip(i, 10 + i) for i, name in enumerate(NAMES)})
    wanted = expected(list(reference.clips.values()), "vspw", [1, 3, 8, 16])
    assert code == 0 and "mIoU" in err
    assert {name: result[name] for name in wanted} == pytest.approx(wanted, abs=1e-12)
    assert list(result["windows"]) == ["1", "3", "8", "16"] and result["vc16"] is None and result["vc1"] == 1


def test_maps_one_too_high_are_suspected(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """The masks themselves, handed in as a run; but not a run that is merely bad."""
    shifted = scene.root / "shifted"
    for name in NAMES:
        (shifted / name).mkdir(parents=True)
        for path in (scene.data / "data" / name / "mask").iterdir():
            with Image.open(path) as mask:
                stored = np.asarray(mask) % 124  # the last class is beyond the range, void is not asked for
            Image.fromarray(stored.astype(np.uint8)).save(shifted / name / path.name)
    code, _, err = call(capsys, shifted, "--data", scene.data)
    assert code == 0 and "one too high" in err
    assert "one too high" not in call(capsys, scene.run, "--data", scene.data)[2]


def test_files(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    target, folder = scene.root / "deep" / "er" / "score.json", scene.root / "csv"
    options = ("--json", target, "--csv", folder, "--ci", "--against", scene.root / "other", "--seed", 5)
    code, out, err = call(capsys, scene.run, "--data", scene.data, *options)
    result = json.loads(target.read_text())
    assert code == 0 and result["intervals"]["seed"] == result["against"]["seed"] == 5
    assert sorted(path.name for path in folder.iterdir()) == ["comparison.csv", "per_class.csv", "per_video.csv"]
    assert sorted(path.name for path in scene.root.iterdir()) == ["csv", "data", "deep", "other", "run"]
    row = result["against"]["metrics"]["miou"]
    assert f"mIoU {100 * row['difference']:+.2f} points: more than chance on these videos" in out
    assert "compared with other on the same 6 videos" in out
    assert "score.json" in err and "comparison.csv" in err
    again = scene.root / "again.json"
    assert call(capsys, scene.run, "--data", scene.data, *options[4:], "--json", again)[0] == 0
    assert again.read_bytes() == target.read_bytes()


def test_partial_says_so(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.label_map("2_b", 0).unlink()
    code, _, err = call(capsys, scene.run, "--data", scene.data)
    assert code == 2 and err.startswith("error: Video 2_b: the frame 00000007 is missing") and "--partial" in err
    code, out, _ = call(capsys, scene.run, "--data", scene.data, "--partial")
    assert code == 0 and "PARTIAL: 1 frame not scored in 2_b" in out


def test_what_cannot_be_compared_is_said(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.label_map("2_b", 0, "other").unlink()
    code, out, _ = call(capsys, scene.run, "--data", scene.data, "--partial", "--against", scene.root / "other")
    assert code == 0 and "on the same 5 videos; 1 video left out" in out and "PARTIAL" not in out


def test_void(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    path = scene.label_map("2_b", 4)
    labels = np.array(Image.open(path))
    labels[4, 4] = 255
    Image.fromarray(labels).save(path)
    code, _, err = call(capsys, scene.run, "--data", scene.data)
    assert code == 2 and "Video 2_b, frame 00000019: the label map holds the value 255" in err
    code, out, _ = call(capsys, scene.run, "--data", scene.data, "--allow-void")
    assert code == 0 and "1 pixel without a label counted as wrong (--allow-void)" in out


def test_odd_values_warn(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    path = scene.mask("2_b", 4)
    mask = np.array(Image.open(path))
    mask[4, 4:6] = 252
    Image.fromarray(mask).save(path)
    code, _, err = call(capsys, scene.run, "--data", scene.data)
    assert code == 0 and "warning: masks hold the value 252" in err and "2 pixels in 1 video (2_b)" in err


def test_a_choice(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, scene.run, "--data", scene.data, "--videos", "2_b,4_d", "--json", "-")
    result: dict[str, Any] = json.loads(out)
    assert code == 0 and [row["video"] for row in result["per_video"]] == ["2_b", "4_d"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--protocol", "official"], "There is no protocol 'official'"),
        (["--vc", "0"], "--vc 0"),
        (["--videos", "2_x"], "there is no video '2_x'"),
        (["--split", "train"], "train.txt"),
        (["--json", "/dev/null/all.json"], "/dev/null is not a folder"),
        (["--csv", "-"], "--csv writes several files and cannot go to stdout"),
        (["--csv", "/dev/null"], "--csv /dev/null is a file"),
        (["--against", "/nowhere"], "/nowhere is not a folder"),
    ],
)
def test_requests_that_make_no_sense(
    scene: Scene, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    code, out, err = call(capsys, scene.run, "--data", scene.data, *options)
    assert code == 2 and out == "" and sentence in err and "Traceback" not in err


def test_what_is_no_run_or_no_dataset(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing is not a folder" in call(capsys, scene.root / "nothing", "--data", scene.data)[2]
    assert "holds no label maps" in call(capsys, scene.data / "data" / "2_b" / "mask", "--data", scene.data)[2]
    assert "has no classes and no masks" in call(capsys, scene.run, "--data", scene.run)[2]
    (scene.root / "empty").mkdir()
    assert "is no dataset" in call(capsys, scene.run, "--data", scene.root / "empty")[2]
