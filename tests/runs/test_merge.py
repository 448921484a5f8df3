"""Whether runs are alike, how they rank, and their vote."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import frame_names, make_run
from vsscli.data.camvid import camvid_classes
from vsscli.errors import RunError
from vsscli.maps.vote import vote
from vsscli.runs.merge import (
    AS_LISTED,
    BY_SIZE,
    check_frames,
    check_sizes,
    check_tables,
    check_videos,
    ranked,
    tie_rule,
    vote_runs,
)
from vsscli.runs.run import Run, open_run

VIDEOS = {"a": (3, 9, 13), "b": (2, 8, 8)}


def view(flip: bool = False) -> Mapping[str, object]:
    return {"scale": 1.0, "flip": flip, "short": 9, "cap": 13}


def three(folder: Path) -> list[Run]:
    return [open_run(make_run(folder / f"r{i}", VIDEOS, seed=i)) for i in range(3)]


def test_every_frame_is_the_vote_of_the_maps_as_listed(tmp_path: Path) -> None:
    runs = three(tmp_path)
    assert tie_rule(runs) == AS_LISTED
    for order in (runs, runs[::-1]):
        for video in VIDEOS:
            frames = list(vote_runs(order, video))
            assert [name for name, _ in frames] == frame_names(VIDEOS[video][0])
            for name, labels in frames:
                expected = vote([run.labels(video, name) for run in order])
                np.testing.assert_array_equal(labels, expected)


def test_one_run_votes_for_itself(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path / "run", VIDEOS))
    for name, labels in vote_runs([run], "a"):
        np.testing.assert_array_equal(labels, run.labels("a", name))


def test_views_rank_by_input_size_then_unflipped_then_as_listed(tmp_path: Path) -> None:
    facts = {
        "small": ((90, 130), False),
        "large flipped": ((180, 260), True),
        "large": ((180, 260), False),
        "tall": ((260, 180), False),
        "long and thin": ((20, 600), False),
    }
    runs = [
        open_run(make_run(tmp_path / name, VIDEOS, seed=i, view=view(flip), size=size))
        for i, (name, (size, flip)) in enumerate(facts.items())
    ]
    assert tie_rule(runs) == BY_SIZE
    order = [run.path.name for run in ranked(runs, "a")]
    assert order == ["large", "tall", "large flipped", "long and thin", "small"]
    turned = [run.path.name for run in ranked(runs[::-1], "a")]
    assert turned == ["tall", "large", "large flipped", "long and thin", "small"]
    for name, labels in vote_runs(runs[:2], "a"):
        np.testing.assert_array_equal(labels, runs[1].labels("a", name))  # of two, the better ranked always wins


def test_one_run_that_tells_no_size_makes_the_order_count(tmp_path: Path) -> None:
    told = open_run(make_run(tmp_path / "told", VIDEOS, view=view(), size=(90, 90)))
    for other in (make_run(tmp_path / "foreign", VIDEOS, foreign=True), make_run(tmp_path / "ours", VIDEOS)):
        runs = [open_run(other), told]
        assert tie_rule(runs) == AS_LISTED
        assert ranked(runs, "a") == runs


def test_a_view_without_its_input_size_is_an_error(tmp_path: Path) -> None:
    runs = [open_run(make_run(tmp_path / name, VIDEOS, view=view())) for name in ("x", "y")]
    record = runs[1].path / ".vsscli" / "done" / "a.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "facts": {}}))
    with pytest.raises(RunError, match=r"video a in .*y does not tell the network's input size"):
        list(vote_runs(runs, "a"))


def test_void_of_foreign_runs_is_a_label(tmp_path: Path) -> None:
    for name, value in (("x", 255), ("y", 7), ("z", 255)):
        (tmp_path / name / "v").mkdir(parents=True)
        Image.fromarray(np.full((4, 5), value, np.uint8)).save(tmp_path / name / "v" / "1.png")
    (_, labels), *rest = vote_runs([open_run(tmp_path / name) for name in "yxz"], "v")
    assert not rest and (labels == 255).all()


def test_the_first_missing_video_is_named(tmp_path: Path) -> None:
    runs = three(tmp_path)
    check_videos(runs, ["a", "b"])
    fewer = open_run(make_run(tmp_path / "fewer", {"a": VIDEOS["a"]}))
    with pytest.raises(RunError, match=r"Video b is missing in .*fewer and there in .*r0"):
        check_videos([runs[0], fewer], ["a", "b"])
    with pytest.raises(RunError, match=r"Video b is missing in .*fewer and there in .*r0"):
        check_videos([fewer, runs[0]], ["a", "b"])
    check_videos([runs[0], fewer], ["a"])
    (runs[1].path / ".vsscli" / "done" / "a.json").unlink()
    with pytest.raises(RunError, match=r"Video a is not finished in .*r1"):
        check_videos([runs[0], open_run(runs[1].path)], ["a", "b"])


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_the_first_missing_frame_is_named(tmp_path: Path, lost: int) -> None:
    whole, holed = (make_run(tmp_path / name, {"a": (3, 9, 13)}, foreign=True) for name in ("whole", "holed"))
    name = frame_names(3)[lost]
    (holed / "a" / f"{name}.png").unlink()
    for runs in ([whole, holed], [holed, whole]):
        with pytest.raises(RunError, match=rf"Frame {name} of video a is missing in .*holed and there in .*whole"):
            check_frames([open_run(run) for run in runs], "a")
        with pytest.raises(RunError, match="missing"):
            list(vote_runs([open_run(run) for run in runs], "a"))


def test_other_sizes_are_named_first_frame_or_not(tmp_path: Path) -> None:
    runs = three(tmp_path)
    check_sizes(runs, "a")
    names = frame_names(3)
    odd = open_run(make_run(tmp_path / "odd", {"a": (3, 9, 13)}, foreign=True))
    Image.fromarray(np.zeros((9, 12), np.uint8)).save(odd.path / "a" / f"{names[1]}.png")
    check_sizes([*runs, odd], "a")
    voted = vote_runs([*runs, odd], "a")
    assert next(voted)[0] == names[0]
    with pytest.raises(RunError, match=rf"Frame {names[1]} of video a is 12x9 in .*odd and 13x9 in .*r0"):
        next(voted)
    Image.fromarray(np.zeros((9, 12), np.uint8)).save(odd.path / "a" / f"{names[0]}.png")
    with pytest.raises(RunError, match=rf"Frame {names[0]} of video a is 12x9 in .*odd and 13x9 in .*r0"):
        check_sizes([*runs, odd], "a")


def test_a_broken_map_is_passed_over_at_first_and_named_when_read(tmp_path: Path) -> None:
    runs = three(tmp_path)
    broken = runs[2].path / "a" / f"{frame_names(3)[0]}.png"
    broken.write_bytes(bytes(broken.stat().st_size))  # of the same size: not seen before it is read
    check_sizes(runs, "a")
    with pytest.raises(RunError, match=str(broken)):
        list(vote_runs(runs, "a"))


def test_other_class_tables_are_named_with_their_first_difference(tmp_path: Path) -> None:
    vspw = open_run(make_run(tmp_path / "vspw", VIDEOS))
    camvid = open_run(make_run(tmp_path / "camvid", VIDEOS, table=camvid_classes()))
    foreign = open_run(make_run(tmp_path / "foreign", VIDEOS, foreign=True))
    check_tables([foreign, vspw, foreign])
    check_tables([camvid, foreign])
    with pytest.raises(RunError, match=r"camvid \(camvid\) and .*vspw \(vspw\) differ: class 0 is 'sky' .* 'wall'"):
        check_tables([foreign, vspw, foreign, camvid])


def test_a_run_tells_its_class_table(tmp_path: Path) -> None:
    path = make_run(tmp_path / "camvid", VIDEOS, table=camvid_classes())
    assert open_run(path).table == camvid_classes()
    assert open_run(make_run(tmp_path / "foreign", VIDEOS, foreign=True)).table is None
    manifest = json.loads((path / "run.json").read_text())
    breaks: list[dict[str, object]] = [
        {"colors": ["zz"] * 11},
        {"names": ["sky"]},
        {"things": None},
        {"digest": ""},
        {"colors": []},
    ]
    for broken in breaks:
        classes = {**manifest["classes"], **broken}
        (path / "run.json").write_text(json.dumps({**manifest, "classes": classes}))
        with pytest.raises(RunError, match=r"run\.json: its class table is broken"):
            assert open_run(path).table
