"""``vsscli ensemble --method flow-ssim``: the verb over frames and runs."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.data.trees import save_video
from tests.ensemble.test_consistency import labels_of, scene, spoiled
from tests.support import frame_names, make_run, tree
from vsscli.cli.main import run as vsscli
from vsscli.data.classes import vspw_classes
from vsscli.data.open import open_dataset
from vsscli.engine import plan, produce
from vsscli.ensemble.choice import NONE_ELIGIBLE, ONE_FRAME, read_choice
from vsscli.ensemble.flow_ssim import FlowSsimStage
from vsscli.errors import OptionError, RunError
from vsscli.runs.manifest import Manifest, describe_classes
from vsscli.runs.output import open_output
from vsscli.runs.run import open_run

FRAMES = {"a": 4, "b": 3, "c": 1}
STEADY = {"a": 0, "b": 1, "c": 0}  # which run is steady in which video: the one to be chosen


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """``data``: scenes that move; ``r0 r1 r2``: runs of them, the last one foreign and of one class throughout."""
    data = tmp_path / "data"
    for i, (video, count) in enumerate(FRAMES.items()):
        frames = scene(count, i)
        save(data, video, frames)
        for run in (0, 1):
            share = 0.0 if STEADY[video] == run else 0.1
            write(tmp_path / f"r{run}", video, spoiled(labels_of(frames), share, i))
        write_foreign(tmp_path / "r2", video, [np.zeros_like(frame) for frame in frames])
    (data / "val.txt").write_text("".join(f"{video}\n" for video in FRAMES))
    return tmp_path


def save(data: Path, video: str, frames: Sequence[NDArray[np.uint8]]) -> None:
    folder = data / "data" / video
    for kind in ("origin", "mask"):
        (folder / kind).mkdir(parents=True)
    for name, frame in zip(frame_names(len(frames)), frames, strict=True):
        Image.fromarray(frame).convert("RGB").save(folder / "origin" / f"{name}.png")
        mask = labels_of([frame])[0] + np.uint8(1)
        mask[0, :3] = 255  # void
        Image.fromarray(mask).save(folder / "mask" / f"{name}.png")


def write(path: Path, video: str, maps: Sequence[NDArray[np.uint8]]) -> None:
    table = vspw_classes()
    run = open_output(path, Manifest("test", {"name": path.name}, describe_classes(table)), table.palette, [])
    with run.begin(video) as writer:
        for name, labels in zip(frame_names(len(maps)), maps, strict=True):
            writer.add(name, labels)
        writer.commit({}, {})


def write_foreign(path: Path, video: str, maps: Sequence[NDArray[np.uint8]]) -> None:
    (path / video).mkdir(parents=True)
    for name, labels in zip(frame_names(len(maps)), maps, strict=True):
        Image.fromarray(labels).save(path / video / f"{name}.png")


def command(place: Path, *words: object, runs: str = "r0 r1", out: str = "out", workers: int = 1) -> int:
    line = ["ensemble", *(place / run for run in runs.split()), "--method", "flow-ssim", "--data", place / "data"]
    return vsscli([str(word) for word in (*line, "--out", place / out, "--workers", workers, *words)])


def stage(place: Path, *runs: str, ssim_on: str = "ids") -> FlowSsimStage:
    return FlowSsimStage([open_run(place / run) for run in runs], open_dataset(place / "data"), ssim_on)


def results(out: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(out).items() if not name.startswith(".vsscli")}


def test_per_video_the_steady_run_is_taken_and_the_record_tells_why(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {run: tree(place / run) for run in ("r0", "r1", "r2", "data")}
    assert command(place, runs="r0 r1 r2") == 0
    shown = capsys.readouterr()
    for video, run in STEADY.items():
        assert tree(place / "out" / video) == tree(place / f"r{run}" / video), "the chosen run's maps, byte for byte"
    a, c = (read_choice(place / "out", video, 3) for video in "ac")
    assert a.ssim is not None and a.ssim[2] == pytest.approx(1) and a.ineligible == (2,), "constant: never eligible"
    assert a.margin == a.ssim[0] - a.ssim[1] > 0.03
    assert (c.chosen, c.why, c.ssim) == (0, ONE_FRAME, None)
    manifest = json.loads((place / "out" / "run.json").read_text())
    assert {k: v for k, v in manifest["identity"].items() if k != "runs"} == {
        "method": "flow-ssim",
        "ssim_on": "ids",
        "data": "vspw",
        "split": "val",
    }
    record = open_run(place / "out").record("a")
    assert record is not None and set(record.inputs) == {"run0", "run1", "run2", "data"}
    assert record.inputs["data"] == open_dataset(place / "data").video("a").digest
    for line in ("r0 2 ", "r1 1 ", "r2 0 ", f"{ONE_FRAME}: c", "fewer than two classes: r2 in a, r2 in b, r2 in c"):
        assert line in " ".join(shown.out.split()), shown.out
    assert {run: tree(place / run) for run in before} == before


def test_the_table_tells_of_videos_finished_before(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(place, "--videos", "b") == 0
    assert "r1 1 " in " ".join(capsys.readouterr().out.split())
    first = (place / "out" / ".vsscli" / "done" / "b.json").read_bytes()
    assert command(place) == 0
    whole = capsys.readouterr().out
    assert command(place) == 0
    again = capsys.readouterr()
    assert again.out == whole and "r0 2 " in " ".join(whole.split()) and "3 videos had been finished" in again.err
    assert (place / "out" / ".vsscli" / "done" / "b.json").read_bytes() == first


@pytest.mark.parametrize("ssim_on", ["ids", "classes"])
def test_workers_and_shards_give_the_same_bytes(place: Path, ssim_on: str) -> None:
    assert command(place, "--ssim-on", ssim_on, out="one") == 0
    assert command(place, "--ssim-on", ssim_on, out="two", workers=2) == 0
    for shard in ("1/2", "0/2"):
        assert command(place, "--ssim-on", ssim_on, "--shard", shard, out="shards") == 0
    assert len(results(place / "one")) == 9
    assert results(place / "one") == results(place / "two") == results(place / "shards")
    for video in FRAMES:
        one, *others = (open_run(place / out).record(video) for out in ("one", "two", "shards"))
        assert one is not None
        assert all(other is not None and other.facts == one.facts for other in others)


def test_an_ensemble_of_one_run_is_that_run(place: Path) -> None:
    produce(stage(place, "r1"), place / "out", sorted(FRAMES))
    pictures = [{n: c for n, c in tree(place / run).items() if n.endswith(".png")} for run in ("out", "r1")]
    assert pictures[0] == pictures[1]


def test_where_every_run_is_constant_the_first_is_taken(place: Path) -> None:
    shutil.copytree(place / "r2", place / "r3")
    produce(stage(place, "r3", "r2"), place / "out", ["a"])
    choice = read_choice(place / "out", "a", 2)
    assert (choice.chosen, choice.why, choice.ineligible) == (0, NONE_ELIGIBLE, (0, 1))


def test_method_order_and_kind_of_comparison_are_identity(place: Path) -> None:
    produce(stage(place, "r0", "r1"), place / "out", ["a"])
    assert plan(stage(place, "r0", "r1"), place / "out", ["a", "b"]) == (["b"], ["a"])
    with pytest.raises(RunError, match="ssim_on: ids there, classes now"):
        plan(stage(place, "r0", "r1", ssim_on="classes"), place / "out", ["a"])
    with pytest.raises(RunError, match="made otherwise"):
        plan(stage(place, "r1", "r0"), place / "out", ["a"])
    frame = place / "data" / "data" / "a" / "origin" / "00000003.png"
    frame.write_bytes(frame.read_bytes() + b"more")
    with pytest.raises(RunError, match=r"Video a of .*data \(data\) has changed"):
        plan(stage(place, "r0", "r1"), place / "out", ["a"])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("broken", ["data/data/a/origin/00000005.png", "r1/a/00000005.png"])
def test_a_corrupt_file_fails_its_video_alone(
    place: Path, broken: str, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = place / broken
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2].ljust(len(content), b"\0"))  # of the same size, as records tell
    assert command(place, workers=workers) == 1
    shown = capsys.readouterr()
    assert "1 video failed" in shown.err and f"a: {path}" in shown.err
    assert open_run(place / "out").names() == ("b", "c")
    assert "r1 1 " in " ".join(shown.out.split()), "of the others it is told all the same"


def test_frames_of_changing_size_fail_their_video(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (place / "data" / "data" / "a" / "origin" / "00000007.png", *place.glob("r*/a/00000007.png")):
        with Image.open(path) as image:
            small = image.crop((0, 0, 70, 64))
        os.utime(path)
        small.save(path)
    for run in ("r0", "r1"):
        shutil.rmtree(place / run / ".vsscli")
        (place / run / "run.json").unlink()
    assert command(place) == 1
    assert "Frame 00000007 of video a" in capsys.readouterr().err


def spoil(place: Path, what: str) -> None:
    data = place / "data"
    if what == "fewer videos":
        (data / "val.txt").write_text("a\nb\n")
    elif what == "fewer frames":
        (data / "data" / "b" / "origin" / "00000005.png").unlink()
    elif what == "more frames":
        shutil.copy(data / "data" / "b" / "origin" / "00000005.png", data / "data" / "b" / "origin" / "00000099.png")
    elif what == "another size":
        Image.new("RGB", (50, 40)).save(data / "data" / "b" / "origin" / "00000003.png")
    elif what == "a run lacks a video":
        (place / "r1" / ".vsscli" / "done" / "b.json").unlink()
    elif what == "masks gone":
        for path in data.glob("data/*/mask"):
            shutil.rmtree(path)


@pytest.mark.parametrize(
    ("what", "words", "sentence"),
    [
        ("fewer videos", (), r"Video c of {r0} is not in val.txt of {data}"),
        ("fewer frames", (), r"Frame 00000005 of video b is missing in {data} and there in {r0}"),
        ("more frames", (), r"Frame 00000099 of video b is missing in {r0} and there in {data}"),
        ("another size", (), r"Frame 00000003 of video b is 50x40 in {data} and 80x64 in {r0}"),
        ("a run lacks a video", (), r"Video b is not finished in {r1} and there in {r0}"),
        ("", ("--ssim-on", "colors"), "--ssim-on 'colors' is neither ids nor classes"),
        ("", ("--split", "test"), "test.txt"),
        ("", ("--data", "nowhere"), "nowhere does not exist"),
        ("", ("--json", "."), "--json . is a folder"),
        ("masks gone", ("--explain",), "None of these videos of val.txt of {data} has masks"),
    ],
)
def test_bad_requests_have_their_sentences(
    place: Path, what: str, words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(place, what)
    before = tree(place)
    assert command(place, *words) == 2
    shown = capsys.readouterr()
    places = {name: place / name for name in ("data", "r0", "r1")}
    assert sentence.format(**places) in " ".join(shown.err.split()) and shown.out == ""
    assert tree(place) == before


def test_options_of_another_method_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["ensemble", str(place / "r0"), "--out", str(place / "out")]
    assert vsscli([*base, "--method", "flow-ssim"]) == 2
    assert "--method flow-ssim needs --data" in capsys.readouterr().err
    for words in (
        ("--data", place / "data"),
        ("--split", "val"),
        ("--ssim-on", "ids"),
        ("--explain",),
        ("--json", "-"),
    ):
        assert vsscli([*base, *map(str, words)]) == 2
        error = " ".join(capsys.readouterr().err.split())
        assert f"{words[0]} says nothing to --method vote" in error and "option of --method flow-ssim" in error
    assert not (place / "out").exists()
    with pytest.raises(OptionError, match="at least one run"):
        stage(place)


def test_videos_of_the_dataset_that_no_run_has_are_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(place / "data", "d", scene(2))
    (place / "data" / "val.txt").write_text("a\nb\nc\nd\n")
    assert command(place) == 0
    assert "warning: 1 video of val.txt" in capsys.readouterr().err
    assert command(place, "--dry-run", "--videos", "a") == 0
    assert "warning" not in capsys.readouterr().err


def test_frames_come_from_video_files_too(tmp_path: Path) -> None:
    save_video(tmp_path / "data" / "film.mp4", 4)
    shape = open_dataset(tmp_path / "data").video("film").image_size("00000001")
    for seed in (0, 1):
        run = make_run(tmp_path / f"r{seed}", {"film": (4, *shape)}, seed=seed, foreign=True)
        for i, path in enumerate(sorted((run / "film").iterdir())):
            path.rename(path.with_name(f"{i + 1:08d}.png"))
    produce(stage(tmp_path, "r0", "r1"), tmp_path / "out", ["film"])
    assert read_choice(tmp_path / "out", "film", 2).ssim is not None


def test_each_file_is_decoded_once_but_for_what_is_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = Image.open

    def counting(file: object, *arguments: object, **options: object) -> Image.Image:
        opened.append(Path(file.name).relative_to(place).parts[0])  # type: ignore[attr-defined]
        return real(file, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Image, "open", counting)
    list(stage(place, "r0", "r1", "r2").process("a"))
    assert {name: opened.count(name) for name in set(opened)} == {"data": 4, "r0": 8, "r1": 4, "r2": 4}
