"""``vsscli report`` and ``vsscli show`` as people call them."""

import json
import math
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.postprocess.worlds import SKY, world, write_run
from tests.report.conftest import HOSTILE, World
from tests.support import file_limit, tree
from vsscli.cli.main import run
from vsscli.data.open import open_dataset
from vsscli.report.film import Film
from vsscli.report.lineage import find_steps
from vsscli.report.stages import gather
from vsscli.report.strip import make_sheet
from vsscli.runs.run import open_run


class Reader(HTMLParser):
    """What a page holds: its elements, what it refers to, and the blocks of JSON."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.sources: list[str] = []
        self.blocks: dict[str, Any] = {}
        self._block: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self.tags.add(tag)
        self.handlers += [name for name in facts if name.startswith("on")]
        self.sources += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        self._block = facts.get("id") if facts.get("type") == "application/json" else None

    def handle_data(self, data: str) -> None:
        if self._block is not None:
            self.blocks[self._block] = json.loads(data)
            self._block = None


def words(world: World, out: Path, *more: object) -> list[str]:
    runs = [str(path) for path in world.runs]
    return ["report", *runs, "--data", str(world.data), "--out", str(out), *map(str, more)]


@pytest.fixture(scope="module")
def page(made: World) -> Reader:
    return Reader(made.report.read_text())


def test_it_is_one_file_of_our_own_markup(page: Reader, made: World) -> None:
    assert [path.name for path in made.report.parent.iterdir()] == ["report.html"]
    assert page.handlers == [] and all(source.startswith("#") for source in page.sources)
    assert not page.tags & {"img", "link", "iframe", "object", "embed"}
    text = made.report.read_text()
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert HOSTILE not in text and text.count("<script") == text.count("</script>") == 6 + 2


def test_any_number_of_workers_gives_the_same_bytes(made: World, tmp_path: Path) -> None:
    before = tree(made.root)
    assert run(words(made, tmp_path / "again.html", "--workers", 2)) == 0
    assert (tmp_path / "again.html").read_bytes() == made.report.read_bytes()
    assert tree(made.root) == before and len(list(tmp_path.iterdir())) == 1


def test_numbers_are_those_of_score(made: World, tmp_path: Path) -> None:
    text = made.report.read_text()
    for path in made.runs:
        score = ["score", str(path), "--data", str(made.data), "--ci", "--workers", "1", "--json"]
        assert run([*score, str(tmp_path / "score.json")]) == 0
        result = json.loads((tmp_path / "score.json").read_text())
        ends = result["intervals"]["metrics"]["miou"]
        assert f"{100 * ends['low']:.2f}&ndash;{100 * ends['high']:.2f}" in text
        for row in result["per_class"]:
            if row["iou"] is not None:
                assert f'data-v="{row["iou"]}"' in text
        for row in result["per_video"]:
            assert f'data-v="{row["miou"]}"' in text


def count_asked(world: World) -> int:
    """How many questions the records of one model tell."""
    records = [json.loads(path.read_text()) for path in (world.runs[3] / ".vsscli" / "done").iterdir()]
    return sum(len(region["questions"]) for record in records for region in record["facts"]["regions"])


def test_every_question_has_the_image_that_was_sent(page: Reader, made: World) -> None:
    topics = [topic for name, block in page.blocks.items() if name != "page" for topic in block["topics"]]
    asked = [question for topic in topics for question in topic["questions"]]
    assert len(asked) == count_asked(made) and all(question["drawn"] for question in asked)
    assert {question["image"] for question in asked} == made.asked
    assert all(len(question["answers"]) == 2 and None not in question["answers"] for question in asked)


def test_without_the_run_that_was_corrected_the_frame_is_shown(made: World, tmp_path: Path) -> None:
    shutil.copytree(made.runs[3], tmp_path / "alone")
    out = tmp_path / "page.html"
    command = ["report", str(tmp_path / "alone"), "--data", str(made.data), "--out", str(out), "--workers", "1"]
    assert run(command) == 0
    blocks = Reader(out.read_text()).blocks
    asked = [q for name, block in blocks.items() if name != "page" for t in block["topics"] for q in t["questions"]]
    assert len(asked) == count_asked(made) and not any(q["drawn"] for q in asked) and all(q["image"] for q in asked)
    assert "not found here" in out.read_text()


def test_as_many_frames_as_asked_for(made: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "few.html"
    assert run(words(made, out, "--max-frames", 2, "--videos", "2_flip", "--workers", 1)) == 0
    blocks = Reader(out.read_text()).blocks
    assert list(blocks) == ["block-0", "page"]
    assert [frame["name"] for frame in blocks["block-0"]["frames"]] == ["00000000", "00000005"]
    assert len(blocks["block-0"]["flicker"][0]) == 5, "flicker is of all frames"
    said = capfd.readouterr().err
    assert re.search(r"5 runs, 1 video, up to 2 frames of each: about \d+ MB", said) and "wrote" in said


def test_a_run_of_other_software_and_plain_frames(made: World, tmp_path: Path) -> None:
    frames, maps = tmp_path / "frames", tmp_path / "maps"
    for video in ("1_split", "2_flip"):
        shutil.copytree(made.data / "data" / video / "origin", frames / video)
        shutil.copytree(made.runs[0] / video, maps / video)
    out = tmp_path / "plain.html"
    assert run(["report", str(maps), "--data", str(frames), "--out", str(out), "--workers", "1"]) == 0
    text = out.read_text()
    assert "made by other software" in text and "has masks" in text and "maps flicker %</button>" in text


def test_a_run_is_compared_with_those_it_was_made_from(made: World) -> None:
    stages = gather([open_run(path) for path in made.runs], open_dataset(made.data, "val"), None)
    assert find_steps(stages) == [(0, 1), (0, 2), (1, 2), (2, 3), (2, 4)]
    backwards = gather([open_run(path) for path in made.runs[::-1]], open_dataset(made.data, "val"), None)
    assert find_steps(backwards) == [(2, 0), (2, 1), (4, 2), (3, 2), (2, 3), (3, 4)]
    alone = gather([open_run(made.runs[place]) for place in (3, 0)], open_dataset(made.data, "val"), None)
    assert find_steps(alone) == [(0, 1)]


def test_the_legend_has_the_classes_of_the_truth_too(made: World, tmp_path: Path) -> None:
    sky = {name: (truth, np.full_like(truth, SKY)) for name, (truth, _) in world().items()}
    stages = gather([open_run(write_run(tmp_path / "sky", sky))], open_dataset(made.data), "4_house")
    classes = make_sheet(stages, 12, [], "4_house").block["classes"]
    assert sorted(classes) == sorted({SKY, *np.unique(sky["4_house"][0]).tolist()}) and len(classes) > 2


def test_equal_runs_do_not_differ(made: World, tmp_path: Path) -> None:
    again = shutil.copytree(made.runs[1], tmp_path / "again")
    manifest = json.loads((again / "run.json").read_text())
    manifest["about"]["model"] = "tiny"
    (again / "run.json").write_text(json.dumps(manifest))
    out = tmp_path / "x.html"
    here = ["--data", str(made.data), "--out", str(out), "--workers", "1"]
    assert run(["report", str(made.runs[1]), str(again), *here]) == 0
    text = out.read_text()
    assert "no difference" in text and "may be chance" not in text
    assert text.count("<dt>model</dt>") == 2 and text.count("<dt>model digest</dt>") == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("--out", "{run}/report.html"), "lies inside"),
        (("--out", "{root}/page.pdf"), "does not end in .html"),
        (("--out", "{root}/page"), "does not end in .html"),
        (("--out", "{data}/val.txt/x.html"), "lies (inside|below)"),
        (("--protocol", "none"), "no protocol 'none'"),
        (("--videos", "9"), "no video '9'"),
        (("--split", "test"), "no list"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    made: World, change: tuple[str, ...], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    places = {"root": made.root, "data": made.data, "run": made.runs[0]}
    command = words(made, made.root / "x.html", "--workers", 1)
    before = tree(made.root)
    assert run([*command, *(word.format(**places) for word in change)]) == 2
    assert re.search(sentence, " ".join(capfd.readouterr().err.split()))
    assert tree(made.root) == before


def test_runs_that_do_not_fit_are_named(made: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    here = ["--data", str(made.data), "--out", str(tmp_path / "x.html"), "--workers", "1"]
    one = str(made.runs[0])
    assert run(["report", one, one, *here]) == 2
    assert "listed twice" in capfd.readouterr().err
    part = shutil.copytree(made.runs[1], tmp_path / "part")
    shutil.rmtree(part / "2_flip")
    assert run(["report", one, str(part), *here]) == 2
    assert re.search(r"2_flip is missing in .*part", " ".join(capfd.readouterr().err.split()))
    assert run(["report", one, str(part), *here, "--videos", "3_fine"]) == 0
    assert not list(tmp_path.glob("*.tmp"))


def first_region(content: Any) -> Any:
    return next(region for region in content["facts"]["regions"] if region["questions"])


def spoil_probability(content: Any) -> None:
    first_region(content)["questions"][0]["answer"]["probability"] = math.nan


@pytest.mark.parametrize(
    ("place", "file", "change"),
    [
        (3, ".vsscli/done/1_split.json", spoil_probability),
        (3, ".vsscli/done/1_split.json", lambda content: first_region(content).update(region=5)),
        (3, ".vsscli/done/1_split.json", lambda content: first_region(content).update(candidates=5)),
        (2, ".vsscli/done/1_split.json", lambda content: content["facts"].update(ssim=[10**400, 1])),
        (2, ".vsscli/done/1_split.json", lambda content: content["facts"].update(margin=10**400)),
        (2, ".vsscli/done/1_split.json", lambda content: content["facts"].update(margin=math.inf)),
        (2, "run.json", lambda content: content.update(verb="\udc80x")),
        (2, "run.json", lambda content: content["identity"].update(method="\udc80x")),
    ],
)
def test_records_that_were_tampered_with_are_named(
    made: World, tmp_path: Path, capfd: pytest.CaptureFixture[str], place: int, file: str, change: Callable[[Any], None]
) -> None:
    spoiled = shutil.copytree(made.runs[place], tmp_path / "spoiled") / file
    content = json.loads(spoiled.read_text())
    change(content)
    spoiled.write_text(json.dumps(content))
    out = tmp_path / "x.html"
    assert (
        run(["report", str(tmp_path / "spoiled"), "--data", str(made.data), "--out", str(out), "--workers", "1"]) == 2
    )
    assert file in "".join(capfd.readouterr().err.split()) and not out.exists()


def test_pictures_in_a_folder(made: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pictures"
    command = ["show", str(made.runs[0]), "--data", str(made.data), "--out", str(out), "--workers", "1"]
    assert run(command) == 0
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [".vsscli-show.json", "1_split", "2_flip", "3_fine", "4_house", "5_both", HOSTILE]
    )
    first = tree(out)
    assert len(first) == 37 and run(command) == 0 and tree(out) == first, "again: the same"
    with Image.open(out / "2_flip" / "00000003.jpg") as picture:
        assert picture.width == 64 and picture.height > 48
    (out / "notes.txt").write_text("mine")
    capfd.readouterr()
    assert run(command) == 2
    assert "notes.txt, which is no video's pictures" in capfd.readouterr().err


def test_frames_of_the_user_are_never_written_over(
    made: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine, out = tmp_path / "mine", tmp_path / "out"
    shutil.copytree(made.data / "data" / "1_split" / "origin", mine / "1_split")
    command = ["show", str(made.runs[0]), "--data", str(made.data), "--workers", "1", "--videos", "1_split", "--out"]
    before = tree(mine)
    assert run([*command, str(mine)]) == 2
    assert "is not empty and was not made by vsscli show" in " ".join(capfd.readouterr().err.split())
    assert run([*command, str(out)]) == 0
    shutil.rmtree(out / "1_split")
    (out / "1_split").symlink_to(mine / "1_split")
    assert run([*command, str(out)]) == 2
    (out / "1_split").unlink()
    (out / "1_split").mkdir()
    (out / "1_split" / "00000001.jpg").symlink_to(next((mine / "1_split").iterdir()))
    assert run([*command, str(out)]) == 2
    assert capfd.readouterr().err.count("1_split, which is no video's pictures") == 2
    assert tree(mine) == before


def test_a_full_disk_leaves_no_part_of_a_picture(
    made: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["show", str(made.runs[0]), "--data", str(made.data), "--workers", "1", "--out", str(out)]
    with file_limit(1024):
        assert run(command) == 2
    assert "cannot be written" in " ".join(capfd.readouterr().err.split())
    assert [path.name for path in out.rglob("*") if path.is_file()] == [".vsscli-show.json"]


def test_a_film_of_one_video(made: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "film.mp4"
    command = ["show", str(made.runs[0]), "--data", str(made.data), "--out", str(out)]
    assert run(command) == 2
    assert re.search(r"one film, and these are 6 videos.*--videos 1_split", " ".join(capfd.readouterr().err.split()))
    assert run([*command, "--videos", "1_split", "--opacity", "1", "--fps", "10"]) == 0
    assert run([*command[:-1], str(tmp_path / "film.webm"), "--videos", "1_split"]) == 2
    capture = cv2.VideoCapture(str(out))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 6 and capture.get(cv2.CAP_PROP_FPS) == 10
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_film_of_a_film_runs_as_fast(tmp_path: Path) -> None:
    """Three seconds stay three: the frames of a file have its own rate."""
    with Film(tmp_path / "phone.mp4", 30.0) as film:
        for shade in range(9):
            film.add(np.full((48, 64, 3), 20 * shade, np.uint8))
    for frame in range(1, 10):
        path = tmp_path / "run" / "phone" / f"{frame:08d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("P", (64, 48)).save(path)
    out = tmp_path / "overlay.mp4"
    assert run(["show", str(tmp_path / "run"), "--data", str(tmp_path / "phone.mp4"), "--out", str(out)]) == 0
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FPS) == pytest.approx(30, abs=0.01)
