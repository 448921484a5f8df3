"""What is asked about a video, and what it costs to find out."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.postprocess.worlds import BUILDING, FRAMES, HOUSE, LAKE, RIVER, SEA, TABLE, W, world, write_data, write_run
from vsscli.data.open import open_dataset
from vsscli.errors import RunError
from vsscli.postprocess.groups import read_groups
from vsscli.postprocess.plan import Plan, Planner
from vsscli.postprocess.regions import suspicion
from vsscli.postprocess.rules import Rules
from vsscli.postprocess.tubes import Tube
from vsscli.postprocess.wording import read_wording
from vsscli.runs.run import open_run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("plan")
    write_data(root / "data", world())
    write_run(root / "run", world())
    return root


def planner(root: Path, rules: Rules | None = None) -> Planner:
    rules = rules or Rules()
    groups, wording = read_groups(None, TABLE, 1), read_wording(None, rules.image)
    return Planner(open_run(root / "run"), open_dataset(root / "data"), groups, wording, rules)


def told(plan: Plan) -> dict[str, str | None]:
    return {region.name: region.why for region in plan.regions}


def test_which_regions_are_suspicious(root: Path) -> None:
    plans = {video: planner(root).plan(video) for video in world()}
    assert told(plans["1_split"]) == {"water": "it is of several classes", "building-1": None}
    assert told(plans["2_flip"]) == {"water": "it is of several classes", "building-1": None}
    assert told(plans["3_fine"]) == {"water": None, "building-1": None}
    assert told(plans["4_house"]) == {
        "water": None,
        "building-1.house": "it is of several classes",
        "building-1.building": "it is of several classes",
    }
    assert plans["1_split"].area == FRAMES * 48 * 64


def test_all_of_them_when_asked_to(root: Path) -> None:
    plan = planner(root, Rules(when="all")).plan("3_fine")
    assert told(plan) == {"water": "all are", "building-1": "all are"}
    assert [len(region.questions) for region in plan.regions] == [3, 3]


def test_questions_tell_all_and_are_the_same_again(root: Path) -> None:
    questions = planner(root).questions("4_house")
    assert [q.region for q in questions] == ["building-1.house"] * 3 + ["building-1.building"] * 3
    assert [q.frame for q in questions[:3]] == sorted({q.frame for q in questions[:3]})
    for question in questions:
        assert (question.video, question.group) == ("4_house", "building")
        assert question.candidates == ("building", "house", "other_construction")
        assert question.text.startswith("Is the construction in the image a building, house, other construction?")
        with Image.open(io.BytesIO(question.image)) as image:
            assert image.size == (64, 48) == question.size[::-1]
    assert planner(root).questions("4_house") == questions
    plain = planner(root, Rules(image="plain")).questions("4_house")
    assert all("outlined" not in q.text for q in plain) and all("outlined in red" in q.text for q in questions)
    assert not {q.image for q in plain} & {q.image for q in questions}


def test_the_outline_is_around_the_region(root: Path) -> None:
    for question in planner(root).questions("4_house"):
        with Image.open(io.BytesIO(question.image)) as image:
            pixels = np.asarray(image).astype(int)
        t = int(question.frame)
        top = 10 if question.region.endswith("house") else 21
        inside, below = pixels[top : top + 4, 16 + 2 * t : 28 + 2 * t], pixels[36:44, 20:40]
        assert np.abs(inside.mean((0, 1)) - (40, 200, 200)).max() < 30, "as bright as it was"
        assert below.mean((0, 1))[2] < 150, "the sea is dimmed"


def test_where_nothing_is_asked_no_frame_is_decoded(root: Path, tmp_path: Path) -> None:
    videos = {"3_fine": world()["3_fine"]}
    write_data(tmp_path / "data", videos)
    write_run(tmp_path / "run", videos)
    for path in (tmp_path / "data" / "data" / "3_fine" / "origin").iterdir():
        path.write_bytes(b"no image")
    assert planner(tmp_path).questions("3_fine") == []


def test_the_sharp_frame_is_shown(tmp_path: Path) -> None:
    """Of each part of the video, one frame is not blurred."""
    truth, prediction = (np.repeat(video, 2, axis=0) for video in world()["1_split"])
    write_data(tmp_path / "data", {"v": (truth, prediction)})
    write_run(tmp_path / "run", {"v": (truth, prediction)})
    random = np.random.default_rng(0)
    for t in (1, 6, 10):
        path = tmp_path / "data" / "data" / "v" / "origin" / f"{t:08d}.jpg"
        with Image.open(path) as image:
            pixels = np.asarray(image).astype(int) + random.integers(-30, 30, (48, 64, 1))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=95)
    assert [q.frame for q in planner(tmp_path).questions("v")] == ["00000001", "00000006", "00000010"]


def test_maps_of_odd_size_are_named(tmp_path: Path) -> None:
    videos = {"v": world()["1_split"]}
    write_data(tmp_path / "data", videos)
    write_run(tmp_path / "run", videos)
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(tmp_path / "run" / "v" / "00000003.png")
    (tmp_path / "run" / "run.json").unlink()
    plan = planner(tmp_path)
    with pytest.raises(RunError, match="Frame 00000003 of video v .* is 32x24, the frame before is another size"):
        plan.plan("v")
    assert plan.questions("v") == [], "it is told when the turn of the video comes"


def test_frames_of_another_size_are_named(tmp_path: Path) -> None:
    videos = {"v": world()["1_split"]}
    write_data(tmp_path / "data", videos)
    write_run(tmp_path / "run", videos)
    for path in (tmp_path / "data" / "data" / "v" / "origin").iterdir():
        Image.new("RGB", (32, 24)).save(path)
    with pytest.raises(RunError, match=r"is 32x24 in .*data and 64x48 in .*run"):
        planner(tmp_path).plan("v")


def tube(*counts: tuple[int, ...]) -> Tube:
    return Tube(0, tuple(range(len(counts))), np.array(counts, np.int64))


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ([(10, 0), (12, 0)], None),
        ([(96, 4), (96, 4)], None),
        ([(94, 6), (94, 6)], "it is of several classes"),
        ([(95, 5)], "it is of several classes"),
        ([(1000, 0), (0, 1), (1000, 0)], "its class flips 2 times"),
        ([(1000, 0), (0, 1)], "its class flips 1 time"),
        ([(0, 0, 5), (0, 0, 5)], None),
    ],
)
def test_suspicion_by_hand(counts: list[tuple[int, ...]], why: str | None) -> None:
    assert suspicion(tube(*counts)) == why


def test_the_world_is_what_the_tests_think() -> None:
    videos = world()
    assert {SEA, LAKE} <= set(np.unique(videos["1_split"][1])) and (videos["2_flip"][1] == RIVER).any()
    assert {HOUSE, BUILDING} <= set(np.unique(videos["4_house"][1]))
    assert videos["3_fine"][0].shape[2] == W and (videos["3_fine"][0] == videos["3_fine"][1]).all()
