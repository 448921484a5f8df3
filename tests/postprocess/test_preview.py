"""The folder of a dry run."""

import json
from pathlib import Path

import pytest

from tests.postprocess.support import question
from vsscli.errors import RunError
from vsscli.postprocess.preview import preview_folder, write_preview


def test_questions_with_their_images(tmp_path: Path) -> None:
    folder = preview_folder(tmp_path / "out")
    assert folder == tmp_path / "out.questions"
    passed = list(write_preview(folder, (question(n) for n in range(3))))
    assert passed == [question(n) for n in range(3)]
    lines = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]
    assert [line["video"] for line in lines] == ["0_a", "1_a", "2_a"]
    for n, line in enumerate(lines):
        assert (folder / line["image"]).read_bytes() == question(n).image
        assert line["text"] == question(n).text and line["candidates"] == list(question(n).candidates)
    assert {path.name for path in tmp_path.iterdir()} == {"out.questions"}


def test_the_next_dry_run_takes_its_place(tmp_path: Path) -> None:
    folder = preview_folder(tmp_path / "out")
    list(write_preview(folder, [question(1)]))
    list(write_preview(preview_folder(tmp_path / "out"), [question(2)]))
    assert sorted(path.name for path in folder.iterdir()) == ["2_a", "questions.jsonl"]


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    folder = preview_folder(tmp_path / "out")
    list(write_preview(folder, [question(1)]))
    broken = iter(write_preview(folder, [question(2), question(3)]))
    next(broken)
    del broken
    assert sorted(path.name for path in folder.iterdir()) == ["1_a", "questions.jsonl"]
    assert {path.name for path in tmp_path.iterdir()} == {"out.questions"}


def test_what_is_there_of_others_stays(tmp_path: Path) -> None:
    (tmp_path / "out.questions").mkdir()
    assert preview_folder(tmp_path / "out")
    (tmp_path / "out.questions" / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match=r"out.questions/thesis.tex was not written by a dry run"):
        preview_folder(tmp_path / "out")
    (tmp_path / "b.questions").write_text("mine")
    with pytest.raises(RunError, match=r"b.questions was not written by a dry run"):
        preview_folder(tmp_path / "b")
    list(write_preview(preview_folder(tmp_path / "c"), [question(1)]))
    (tmp_path / "c.questions" / "1_a" / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match=r"c.questions/1_a/mine.txt was not written"):
        preview_folder(tmp_path / "c")


@pytest.mark.parametrize("name", ["labels.csv", "notes/a.jpg", "1_a/mine.jpg"])
def test_what_was_put_beside_the_questions_stays(name: str, tmp_path: Path) -> None:
    """Whoever looks at questions may note there what they are."""
    folder = preview_folder(tmp_path / "out")
    list(write_preview(folder, [question(1)]))
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    with pytest.raises(RunError, match=f"{name} was not written by a dry run"):
        preview_folder(tmp_path / "out")
