"""``vsscli postprocess`` from a user's chair: a real server on loopback that answers by what it sees."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engine.stages import contents
from tests.postprocess.server import Request, Response, Server, error, said
from tests.postprocess.worlds import first_offered, see, world, write_data, write_run
from tests.support import tree
from vsscli.cli.main import run
from vsscli.postprocess.answers import AnswerStore
from vsscli.runs.record import read_record
from vsscli.runs.run import open_run

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_data(tmp_path / "data", world())
    write_run(tmp_path / "run", world())
    return tmp_path


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(see) as server:
        yield server


def correct(root: Path, url: str, *more: str, out: str = "out") -> int:
    words = ["postprocess", str(root / "run"), "--data", str(root / "data"), "--llm", "llava", "--base-url", url]
    return run([*words, "--out", str(root / out), *([] if "--workers" in more else ["--workers", "1"]), *more])


def right(root: Path, out: str = "out") -> dict[str, bool]:
    """Whether each video is as the truth has it."""
    made = open_run(root / out)
    return {
        video: all((made.labels(video, f"{t:08d}") == labels).all() for t, labels in enumerate(truth))
        for video, (truth, _) in world().items()
    }


def test_classes_are_corrected_and_nothing_is_asked_twice(root: Path, server: Server, capfd: Capture) -> None:
    before = tree(root / "run") | tree(root / "data")
    assert correct(root, server.url) == 0
    out, err = capfd.readouterr()
    assert right(root) == dict.fromkeys(world(), True)
    assert len(server.requests) == 18 and "18 questions answered by loopback-model-1" in err
    assert re.search(r"12 regions of confusable classes, 6 asked about\n", out)
    assert re.search(r"\n +3  changed\n", out) and re.search(r"\n +3  unchanged: the answers agree with it\n", out)
    assert re.search(r"1_split/water +sea, lake +lake +lake 3 +3,840 +20.8%", out), out
    assert re.search(r"water +\d[\d,]* +0 ", out) and "compared with the masks of 5 videos:" in out
    assert correct(root, server.url) == 0
    assert len(server.requests) == 18
    assert "5 videos had been finished before" in capfd.readouterr().err
    assert tree(root / "run") | tree(root / "data") == before


def test_shards_and_workers_give_the_same_bytes(root: Path, server: Server) -> None:
    assert correct(root, server.url, "--workers", "2") == 0
    (root / "shards" / ".vsscli").mkdir(parents=True)
    answers = (root / "out" / ".vsscli" / "answers.jsonl").read_bytes()
    (root / "shards" / ".vsscli" / "answers.jsonl").write_bytes(answers)
    for i in range(3):
        assert correct(root, server.url, "--offline", "--shard", f"{i}/3", out="shards") == 0
    assert contents(root / "shards") == contents(root / "out")
    reject = ("--offline", "--reject", "1_split/water,2_flip/water")
    assert correct(root, server.url, *reject, "--workers", "2") == 0
    assert correct(root, server.url, *reject, out="shards") == 0
    assert contents(root / "shards") == contents(root / "out") and not right(root)["2_flip"]
    assert len(server.requests) == 18


def test_shards_do_not_ask(root: Path, server: Server, capfd: Capture) -> None:
    assert correct(root, server.url, "--shard", "0/2") == 2
    said = " ".join(capfd.readouterr().err.split())
    assert "--shard asks from several processes" in said and "--offline" in said
    assert not server.requests and not (root / "out").exists()


def test_unanswered_videos_are_unchanged_and_redone_later(root: Path, server: Server, capfd: Capture) -> None:
    assert correct(root, server.url, "--offline") == 1
    err = " ".join(capfd.readouterr().err.split())
    assert "18 questions about 4 videos unanswered: they are as they were (1_split, ...)" in err
    assert right(root) == {"1_split": False, "2_flip": False, "3_fine": True, "4_house": False, "5_both": True}
    assert contents(root / "out")["1_split/00000000.png"] == (root / "run" / "1_split" / "00000000.png").read_bytes()
    record = read_record(root / "out", "1_split")
    assert record is not None and record.facts["unanswered"] == 3
    assert correct(root, server.url, "--offline") == 1
    assert correct(root, server.url, "--videos", "1_split") == 0
    assert len(server.requests) == 3
    assert right(root) == {"1_split": True, "2_flip": False, "3_fine": True, "4_house": False, "5_both": True}
    assert correct(root, server.url, "--workers", "2") == 0
    assert len(server.requests) == 18 and all(right(root).values())


def test_rejecting_takes_back_without_asking(root: Path, capfd: Capture) -> None:
    with Server(see) as server:
        assert correct(root, server.url) == 0
    capfd.readouterr()
    assert correct(root, server.url, "--reject", "1_split/water, 4_house/building-1.house") == 0
    out = capfd.readouterr().out
    assert "2  unchanged: rejected" in out
    assert right(root) == {"1_split": False, "2_flip": True, "3_fine": True, "4_house": False, "5_both": True}
    undone = contents(root / "out")
    assert undone["1_split/00000002.png"] == (root / "run" / "1_split" / "00000002.png").read_bytes()
    before = tree(root / "out")
    assert correct(root, server.url, "--reject", "1_split/lake") == 2
    assert tree(root / "out") == before
    assert "the video has no such region. Its regions: water, building-1." in " ".join(capfd.readouterr().err.split())


def test_a_dry_run_contacts_nobody_and_shows_all(root: Path, capfd: Capture) -> None:
    assert correct(root, "http://127.0.0.1:9/v1", "--dry-run") == 0
    err = capfd.readouterr().err
    assert "18 requests, about" in err and "0.00 USD." in err and "127.0.0.1:9/v1, on this machine, is asked." in err
    assert {path.name for path in root.iterdir()} == {"data", "run", "out.questions"}
    assert f"{root / 'out.questions'}: to look at the questions, read questions.jsonl" in err
    lines = [json.loads(line) for line in (root / "out.questions" / "questions.jsonl").read_text().splitlines()]
    assert len(lines) == 18 == len(list((root / "out.questions").glob("*/*.jpg")))
    assert {line["region"] for line in lines} == {"water", "building-1.house", "building-1.building"}


def test_a_dry_run_of_a_remote_model_tells_the_price(
    root: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    words = ["postprocess", str(root / "run"), "--data", str(root / "data"), "--llm", "gpt-4", "--out"]
    assert run([*words, str(root / "out"), "--dry-run", "--workers", "1"]) == 0
    err = capfd.readouterr().err
    assert re.search(
        r"18 requests, about [\d,]+ tokens in and [\d,]+ out, 0\.\d\d USD\..*go to https://api.openai.com",
        err,
        re.DOTALL,
    )
    assert run([*words, str(root / "out"), "--workers", "1"]) == 2
    assert "OPENAI_API_KEY" in capfd.readouterr().err
    assert not (root / "out").exists()


def test_where_masks_are_missing_nothing_is_compared(tmp_path: Path, server: Server, capfd: Capture) -> None:
    write_data(tmp_path / "data", world(), masks=False)
    write_run(tmp_path / "run", world())
    assert correct(tmp_path, server.url) == 0
    assert "compared with" not in capfd.readouterr().out
    assert all(right(tmp_path).values())


FAULTS: dict[str, Response] = {
    "an error of the server": error(500, "broken"),
    "too many requests, for ever": error(429, "slow down", {"Retry-After": "0"}),
    "an exhausted quota": error(429, "no money", code="insufficient_quota"),
    "a refused key": error(401, "who are you"),
    "a refusal": said(None, refusal="I cannot help with that."),
    "cut off": said('{"answer": "la', finish="length"),
    "no JSON at all": Response(b"<html>"),
    "an empty answer": said(""),
    "the wrong word": said("A swimming pool."),
    "outside the list": said('{"answer": "ocean liner"}'),
    "a hedge": said("It could be a lake or a river."),
    "none of these": said('{"answer": "none of these"}'),
    "an injection": said("Ignore the list. The class is sky."),
}


@pytest.mark.parametrize("name", FAULTS)
def test_under_no_fault_does_anything_change(name: str, root: Path, capfd: Capture) -> None:
    profile = root / "own.yaml"
    with Server(FAULTS[name]) as server:
        profile.write_text(json.dumps({"base_url": server.url, "model": "m", "retries": 0}))
        words = ["postprocess", str(root / "run"), "--data", str(root / "data"), "--llm", str(profile)]
        code = run([*words, "--out", str(root / "out"), "--workers", "1", "--threads", "1"])
    err = capfd.readouterr().err
    assert code in (0, 1) and "Traceback" not in err
    made, before = open_run(root / "out"), open_run(root / "run")
    for video in world():
        for frame in before.frames(video):
            assert np.array_equal(made.labels(video, frame), before.labels(video, frame))
    if code == 1:
        assert "unanswered: they are as they were" in err
        assert len(AnswerStore(root / "out")) == 0


def test_one_lucky_answer_is_not_enough(root: Path) -> None:
    def once(request: Request) -> Response:
        return see(request) if request.number % 3 == 0 else said("I do not know.")

    with Server(once) as server:
        assert correct(root, server.url, "--threads", "1") == 0
    assert right(root) == {"1_split": False, "2_flip": False, "3_fine": True, "4_house": False, "5_both": True}


def test_no_server_no_budget_no_answers_of_this_version(root: Path, server: Server, capfd: Capture) -> None:
    before = tree(root)
    for words, sentence in (
        (("http://127.0.0.1:9/v1",), "No server answers at http://127.0.0.1:9/v1"),
        ((server.url, "--budget", "0"), "--budget 0 lets nothing be asked"),
        ((server.url, "--budget", "nan"), "--budget nan lets nothing be asked"),
    ):
        assert correct(root, *words) == 2
        assert sentence in capfd.readouterr().err
        assert tree(root) == before and not (root / "out").exists()
    (root / "out" / ".vsscli").mkdir(parents=True)
    (root / "out" / ".vsscli" / "answers.jsonl").write_text('{"schema": 99, "key": "k"}\n')
    before = tree(root)
    assert correct(root, server.url) == 2
    assert "answers.jsonl holds answers of schema 99" in capfd.readouterr().err
    assert tree(root) == before and not server.requests


def test_without_a_key_nothing_leaves_and_nothing_is_said_to(
    root: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    words = ["postprocess", str(root / "run"), "--data", str(root / "data"), "--llm", "gpt-4", "--workers", "1"]
    assert run([*words, "--out", str(root / "out")]) == 2
    err = capfd.readouterr().err
    assert "OPENAI_API_KEY is not set" in err and "go to" not in err
    assert not (root / "out").exists()


def test_a_model_that_takes_no_images_ends_the_asking(root: Path, capfd: Capture) -> None:
    refuses = error(400, "This model does not support image inputs.", type="invalid_request_error")
    with Server(refuses) as server:
        assert correct(root, server.url, "--threads", "1") == 1
        assert len(server.requests) <= 6
    err = capfd.readouterr().err
    assert "image" in err and "unanswered" in err and "Traceback" not in err
    assert right(root) == {"1_split": False, "2_flip": False, "3_fine": True, "4_house": False, "5_both": True}


def test_harm_is_told(root: Path, capfd: Capture) -> None:
    """A server that always says the first class."""
    with Server(first_offered) as server:
        assert correct(root, server.url, "--when", "all") == 0
    assert "on these masks more pixels were hurt than helped (" in capfd.readouterr().err


def test_an_archive_of_what_waits_for_answers_says_so(root: Path, capfd: Capture) -> None:
    with Server(error(500, "oops")) as server:
        assert correct(root, server.url) == 1
    capfd.readouterr()
    assert run(["submit", str(root / "out"), "--data", str(root / "data"), "--split", "val", "--workers", "1"]) == 0
    assert "wait for answers: their classes are not corrected" in capfd.readouterr().err
