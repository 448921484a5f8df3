"""Asking a real server on loopback through the real client."""

import json
from pathlib import Path

import pytest

from tests.postprocess.server import Request, Response, Server, error, said
from tests.postprocess.support import profile_at, put, question
from vsscli.errors import OptionError, RunError
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.parse import parse


def test_what_is_answered_is_not_asked_again(tmp_path: Path) -> None:
    with Server(said('{"answer": "lake"}')) as server:
        profile = profile_at(server.url, tmp_path)
        first = put(5, profile, tmp_path, threads=3)
        again = put(7, profile, tmp_path)
    assert (first.asked, first.cached, first.failed, first.unanswered, first.stopped) == (5, 0, 0, 0, None)
    assert (again.asked, again.cached) == (2, 5)
    assert len(server.requests) == 7
    answer = AnswerStore(tmp_path).get(question(3).key(profile.asked))
    assert answer is not None
    assert (answer.chosen, answer.model, answer.tokens_in, answer.tokens_out) == ("lake", "loopback-model-1", 500, 10)


def test_a_question_that_timed_out_counts_as_often_as_it_was_tried(tmp_path: Path) -> None:
    price = {"input": 100, "output": 200}
    with Server(said("lake", delay=1.5)) as server:
        profile = profile_at(server.url, tmp_path, retries=1, price=price, max_tokens=100)
        result = put(2, profile, tmp_path, timeout=0.3, budget=100)
    tokens_in, _ = profile.tokens(question())
    assert len(server.requests) == 4 and result.failed == 2
    assert result.usd == pytest.approx(4 * (100 * tokens_in + 200 * 100) / 1e6, rel=0.02)


def test_a_price_of_ones_own_holds_on_this_machine_too(tmp_path: Path) -> None:
    """It may pass on to somebody who is paid."""
    with Server(said("lake")) as server:
        profile = profile_at(server.url, tmp_path, price={"input": 100, "output": 200}, max_tokens=100)
        result = put(5, profile, tmp_path, budget=0.1)
    assert result.asked < 5 and result.stopped is not None and 0 < result.usd < 0.2
    assert profile_at(server.url, tmp_path).usd(1000, 1000) == 0


def test_a_key_does_not_travel_in_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_KEY", "sk-0123456789")
    price = {"input": 1, "output": 1}
    profile = profile_at("http://llm.example.org/v1", tmp_path, key="EXAMPLE_KEY", price=price)
    with pytest.raises(OptionError, match=r"EXAMPLE_KEY would go to http://llm.example.org/v1 in clear"):
        put(1, profile, tmp_path)


def test_half_a_character_a_giant_count_and_a_ramble_are_withstood(tmp_path: Path) -> None:
    body = json.loads(said("lake").body)
    body["choices"][0]["message"]["content"] = "lake \ud800"
    body["usage"] = {"prompt_tokens": 10**400, "completion_tokens": 1}
    with Server(Response(json.dumps(body).encode())) as server:
        profile = profile_at(server.url, tmp_path, price={"input": 1, "output": 1})
        assert put(1, profile, tmp_path).asked == 1
    answer = AnswerStore(tmp_path).get(question().key(profile.asked))
    assert answer is not None and answer.text == "lake ?" and answer.tokens_in < 10**9
    assert parse("is a lake " * 9999, ("sea", "lake")) is None
    assert parse(f"<think>{'is it a sea? ' * 999}</think> Lake.", ("sea", "lake")) == "lake"
    assert parse("<think>" * 99_999, ("sea", "lake")) is None


def test_a_model_that_takes_no_limit_fits_no_budget(tmp_path: Path) -> None:
    def refuse(request: Request) -> Response:
        limits = [name for name in ("max_tokens", "max_completion_tokens") if name in request.body]
        return error(400, f"Unsupported parameter: {limits[0]}", param=limits[0]) if limits else said("lake")

    with Server(refuse) as server:
        priced = profile_at(server.url, tmp_path, price={"input": 1, "output": 1})
        result = put(3, priced, tmp_path)
        assert result.asked == 0 and result.stopped is not None and "takes no limit" in result.stopped
        assert put(3, profile_at(server.url, tmp_path), tmp_path).asked == 3


def test_a_last_line_that_lacks_only_its_end_is_an_answer(tmp_path: Path) -> None:
    with Server(said("lake")) as server:
        profile = profile_at(server.url, tmp_path)
        put(2, profile, tmp_path)
        path = tmp_path / ".vsscli" / "answers.jsonl"
        path.write_bytes(path.read_bytes()[:-1])
        assert put(3, profile, tmp_path).asked == 1
    assert len(server.requests) == 3 and len(path.read_text().splitlines()) == 3
    assert len(AnswerStore(tmp_path)) == 3


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-0.1", "1.5"])
def test_a_probability_that_is_none_is_no_answer(tmp_path: Path, odd: str) -> None:
    with Server(said("lake")) as server:
        put(1, profile_at(server.url, tmp_path), tmp_path)
    path = tmp_path / ".vsscli" / "answers.jsonl"
    path.write_text(path.read_text().replace('"probability": null', f'"probability": {odd}'))
    with pytest.raises(RunError, match="line 1, is no answer"):
        AnswerStore(tmp_path)
