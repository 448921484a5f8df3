"""Asking a real server on loopback through the real client."""

from pathlib import Path

from tests.postprocess.server import Server, said
from tests.postprocess.support import profile_at, put, question
from vsscli.postprocess.answers import AnswerStore


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
