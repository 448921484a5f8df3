"""``vsscli ensemble --method vote``: the verb over runs of both kinds."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import frame_names, make_run, tree
from vsscli.cli.main import run as vsscli
from vsscli.data.camvid import camvid_classes
from vsscli.engine import plan, produce
from vsscli.ensemble.methods import make_stage
from vsscli.ensemble.vote import VoteStage
from vsscli.errors import OptionError, RunError
from vsscli.maps.vote import vote
from vsscli.runs.run import open_run

VIDEOS = {"a": (3, 9, 13), "b": (2, 8, 8), "c": (1, 5, 6)}
NAMES = sorted(VIDEOS)


def runs(folder: Path, count: int = 3) -> list[Path]:
    """The last one is foreign."""
    return [make_run(folder / f"r{i}", VIDEOS, seed=i, classes=4, foreign=i == count - 1) for i in range(count)]


def stage(*paths: Path) -> VoteStage:
    return VoteStage([open_run(path) for path in paths])


def maps(run: Path) -> dict[str, bytes]:
    """Every label map's pixels."""
    opened = open_run(run)
    return {f"{video}/{f}": opened.labels(video, f).tobytes() for video in opened.names() for f in opened.frames(video)}


def command(*words: object) -> int:
    return vsscli([str(word) for word in words])


def test_the_verb_votes_every_frame_and_says_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = runs(tmp_path)
    before = [tree(path) for path in inputs]
    out = tmp_path / "out"
    assert command("ensemble", *inputs, "--method", "vote", "--out", out, "--workers", 1) == 0
    assert "the vote of 3 runs; ties: as listed" in capsys.readouterr().err
    opened, sources = open_run(out), [open_run(path) for path in inputs]
    assert opened.names() == ("a", "b", "c")
    for video, (count, _, _) in VIDEOS.items():
        assert opened.frames(video) == tuple(frame_names(count))
        for frame in opened.frames(video):
            expected = vote([source.labels(video, frame) for source in sources])
            np.testing.assert_array_equal(opened.labels(video, frame), expected)
    manifest = json.loads((out / "run.json").read_text())
    assert manifest["verb"] == "ensemble" and manifest["classes"]["name"] == "vspw"
    assert manifest["identity"] == {
        "method": "vote",
        "ties": "as listed",
        "runs": [sources[0].identity, sources[1].identity, "foreign"],
    }
    record = opened.record("a")
    assert record is not None
    assert record.inputs == {f"run{i}": source.digest("a") for i, source in enumerate(sources)}
    assert [tree(path) for path in inputs] == before


def test_an_ensemble_of_one_run_is_that_run(tmp_path: Path) -> None:
    (only,) = runs(tmp_path, 2)[:1]
    produce(stage(only), tmp_path / "out", NAMES)
    assert maps(tmp_path / "out") == maps(only)
    pictures = {name: content for name, content in tree(only).items() if name.endswith(".png")}
    assert {name: content for name, content in tree(tmp_path / "out").items() if name.endswith(".png")} == pictures


def test_workers_shards_and_repetition_give_the_same_bytes(tmp_path: Path) -> None:
    inputs = runs(tmp_path)
    assert command("ensemble", *inputs, "--out", tmp_path / "one", "--workers", 1) == 0
    assert command("ensemble", *inputs, "--out", tmp_path / "two", "--workers", 2) == 0
    for shard in ("1/2", "0/2", "0/2"):
        assert command("ensemble", *inputs, "--out", tmp_path / "shards", "--shard", shard, "--workers", 1) == 0
    one, two, shards = (
        {name: content for name, content in tree(tmp_path / which).items() if not name.startswith(".vsscli")}
        for which in ("one", "two", "shards")
    )
    assert len(one) == 7 and one == two == shards


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(4)))
def test_the_order_of_views_counts_only_where_they_rank_alike(
    order: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("views")
    views = [
        make_run(folder / f"v{i}", {"a": (2, 9, 9)}, seed=i, size=(10 + i // 2, 20), view={"flip": i % 2 == 1})
        for i in range(4)
    ]
    produce(stage(*views), folder / "listed", ["a"])
    produce(stage(*(views[i] for i in order)), folder / "turned", ["a"])
    assert maps(folder / "listed") == maps(folder / "turned")


def test_what_told_the_rank_stands_in_the_manifest(tmp_path: Path) -> None:
    told = [make_run(tmp_path / f"v{i}", VIDEOS, seed=i, view={"flip": False}, size=(i + 1, 9)) for i in range(2)]
    assert "larger network input" in stage(*told).manifest.identity["ties"]
    assert stage(*told, make_run(tmp_path / "other", VIDEOS)).manifest.identity["ties"] == "as listed"


def test_other_runs_or_another_order_are_another_ensemble(tmp_path: Path) -> None:
    one, two, three = runs(tmp_path)
    out = tmp_path / "out"
    produce(stage(one, two), out, NAMES[:1])
    assert plan(stage(one, two), out, NAMES) == (["b", "c"], ["a"])
    for other in ((two, one), (one, two, three), (one, three)):
        with pytest.raises(RunError, match="made otherwise"):
            plan(stage(*other), out, NAMES)


def test_a_changed_input_names_its_run_and_video(tmp_path: Path) -> None:
    inputs = runs(tmp_path)
    produce(stage(*inputs), tmp_path / "out", NAMES)
    (inputs[2] / "b" / "00000003.png").write_bytes(b"something else")
    with pytest.raises(RunError, match=r"Video b of .*r2 \(run2\) has changed"):
        plan(stage(*inputs), tmp_path / "out", NAMES)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_corrupt_map_fails_its_video_alone(tmp_path: Path, workers: int, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = runs(tmp_path)
    broken = inputs[1] / "a" / "00000005.png"
    broken.write_bytes(broken.read_bytes()[:-60] + bytes(60))  # of the same size: not seen before it is read
    out = tmp_path / "out"
    assert command("ensemble", *inputs, "--out", out, "--workers", workers) == 1
    error = capsys.readouterr().err
    assert "1 video failed" in error and f"a: {broken}" in error
    assert open_run(out).names() == ("b", "c")


def test_runs_that_differ_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = runs(tmp_path)
    fewer = make_run(tmp_path / "fewer", {name: VIDEOS[name] for name in "ab"}, seed=9)
    out = tmp_path / "out"
    assert command("ensemble", *inputs, fewer, "--out", out) == 2
    error = capsys.readouterr().err
    assert f"Video c is missing in {fewer} and there in {inputs[0]}" in error and "--videos" in error
    assert command("ensemble", *inputs, fewer, "--out", out, "--shard", "0/3") == 2
    assert not out.exists()
    assert command("ensemble", *inputs, fewer, "--out", out, "--videos", "b,a", "--workers", 1) == 0
    assert open_run(out).names() == ("a", "b")
    other = make_run(tmp_path / "camvid", VIDEOS, table=camvid_classes())
    assert command("ensemble", *inputs, other, "--out", tmp_path / "x") == 2
    smaller = make_run(tmp_path / "smaller", {**VIDEOS, "b": (2, 8, 7)})
    assert command("ensemble", *inputs, smaller, "--out", tmp_path / "x") == 2
    shorter = make_run(tmp_path / "shorter", {**VIDEOS, "c": (2, 5, 6)}, foreign=True)
    assert command("ensemble", *inputs, shorter, "--out", tmp_path / "x") == 2
    errors = capsys.readouterr().err
    assert "class 0 is 'sky' there and 'wall' here" in errors
    assert f"Frame 00000003 of video b is 7x8 in {smaller} and 8x8 in {inputs[0]}" in errors
    assert f"Frame 00000005 of video c is missing in {inputs[0]} and there in {shorter}" in errors
    assert not (tmp_path / "x").exists()


def test_bad_requests_have_their_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, _ = runs(tmp_path)
    (tmp_path / "empty").mkdir()
    for words, sentence in (
        ((one, tmp_path / "r1" / ".." / "r0"), "r0 is listed twice"),
        ((one, two, "--method", "magic"), "--method 'magic' is no method. Methods: vote"),
        ((one, two, "--data", one), "--data says nothing to --method vote."),
        ((one, tmp_path / "nowhere"), "nowhere is not a folder"),
        ((one, tmp_path / "empty"), "empty holds no label maps"),
        ((one, two, "--videos", "nix"), "no video 'nix'"),
        ((one, two, "--out", one / "inside"), f"inside lies inside {one}, an input."),
    ):
        assert command("ensemble", "--out", tmp_path / "out", *words) == 2
        assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
    with pytest.raises(OptionError, match="1 to 255 runs, not 0"):
        make_stage("vote", [])


def test_255_runs_vote_and_256_do_not(tmp_path: Path) -> None:
    paths = [make_run(tmp_path / f"{i}", {"a": (1, 2, 3)}, seed=i, foreign=True) for i in range(256)]
    produce(stage(*paths[:255]), tmp_path / "out", ["a"])
    expected = vote([open_run(path).labels("a", "00000003") for path in paths[:255]])
    np.testing.assert_array_equal(open_run(tmp_path / "out").labels("a", "00000003"), expected)
    with pytest.raises(OptionError, match="1 to 255 runs, not 256"):
        stage(*paths)


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs = runs(tmp_path)
    assert command("ensemble", *inputs, "--out", tmp_path / "out", "--dry-run") == 0
    assert "3 videos (6 frames) to do" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_vote_of_two_is_pointed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, three = runs(tmp_path)
    for inputs, told in (((one, two), True), ((one, two, three), False)):
        assert command("ensemble", *inputs, "--out", tmp_path / f"out{len(inputs)}", "--workers", 1) == 0
        assert ("a vote of two is the better-ranked of them" in capsys.readouterr().err) == told
