"""`answers.jsonl`: what survives a kill, other versions, broken lines, two processes."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support import tree
from vsscli.errors import RunError
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.question import Answer

ANSWER = Answer("k", "lake", 0.75, "A lake,\nI\u2028say: \u6e56 \ud800", "model-1", 500, 10, 1.25)


def fill(run: Path, count: int) -> AnswerStore:
    store = AnswerStore(run)
    for number in range(count):
        store.add(replace(ANSWER, key=f"k{number}"))
    return store


def test_what_is_added_is_there_for_whoever_opens_next(tmp_path: Path) -> None:
    fill(tmp_path, 3).add(replace(ANSWER, key="none", chosen=None, probability=None))
    store = AnswerStore(tmp_path)
    assert len(store) == 4
    assert store.get("k1") == replace(ANSWER, key="k1")
    assert store.get("none") == replace(ANSWER, key="none", chosen=None, probability=None)
    assert store.get("other") is None


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert AnswerStore(tmp_path / "run").get("k") is None
    assert not (tmp_path / "run").exists()


def test_a_second_answer_to_a_key_is_dropped(tmp_path: Path) -> None:
    store = fill(tmp_path, 1)
    store.add(replace(ANSWER, key="k0", chosen="sea"))
    assert AnswerStore(tmp_path).get("k0") == replace(ANSWER, key="k0")
    assert len(store.path.read_text().splitlines()) == 1


@settings(deadline=None, max_examples=25)
@example(share=0.998046875, junk=b"")
@given(share=st.floats(0, 1), junk=st.binary(max_size=20).filter(lambda junk: b"\n" not in junk))
def test_half_a_line_costs_itself_alone(tmp_path_factory: pytest.TempPathFactory, share: float, junk: bytes) -> None:
    run = tmp_path_factory.mktemp("run")
    path = fill(run, 4).path
    content = path.read_bytes()
    kept = content[: round(share * len(content))]
    path.write_bytes(kept + junk)
    *lines, rest = (kept + junk).split(b"\n")
    whole = len(lines) + (rest.strip(b" \t\r") in content.split(b"\n")[:-1])  # only the end of its line is missing
    store = AnswerStore(run)
    assert len(store) == whole
    assert path.read_bytes() == kept + junk  # looking repairs nothing
    store.add(replace(ANSWER, key="new"))
    again = AnswerStore(run)
    assert len(again) == whole + 1 and again.get("new") is not None
    assert all(json.loads(line) for line in path.read_text().splitlines() if line)


def test_what_another_process_added_is_not_lost(tmp_path: Path) -> None:
    one, two = AnswerStore(tmp_path), AnswerStore(tmp_path)
    one.add(replace(ANSWER, key="one"))
    two.add(replace(ANSWER, key="two"))
    one.add(replace(ANSWER, key="three"))
    assert len(AnswerStore(tmp_path)) == 3
    assert one.get("two") is not None


@pytest.mark.parametrize("schema", [0, 2, "1", 1.5])
def test_answers_of_another_version_are_refused(tmp_path: Path, schema: object) -> None:
    path = fill(tmp_path, 2).path
    path.write_text(path.read_text().replace('"schema": 1', f'"schema": {json.dumps(schema)}', 1))
    before = tree(tmp_path)
    with pytest.raises(RunError, match="schema"):
        AnswerStore(tmp_path)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "null",
        "[]",
        "lake",
        '{"schema": 1}',
        json.dumps({"schema": 1, **ANSWER.__dict__, "chosen": 7}),
        json.dumps({"schema": 1, **ANSWER.__dict__, "more": 1}),
        json.dumps({"schema": 1, **ANSWER.__dict__, "tokens_in": True}),
        "[" * 100_000,
    ],
)
def test_a_broken_line_inside_is_named(tmp_path: Path, line: str) -> None:
    path = fill(tmp_path, 2).path
    one, two = path.read_text().splitlines()
    path.write_text(f"{one}\n{line}\n{two}\n")
    with pytest.raises(RunError, match="line 2, is no answer"):
        AnswerStore(tmp_path)


HOLD = """
import sys
from pathlib import Path
from vsscli.postprocess.answers import AnswerStore
with AnswerStore(Path(sys.argv[1])).asking():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_process_asks_at_a_time_and_a_dead_one_is_no_obstacle(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None and holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match=rf"is being asked for by .*\.{holder.pid} "), AnswerStore(tmp_path).asking():
            pass
        holder.kill()
    with AnswerStore(tmp_path).asking():
        pass
