"""What one must be able to trust: keys, money, kills, one request a question."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.postprocess.server import Request, Response, Server, error, said
from tests.postprocess.support import profile_at, put, question, questions
from tests.support import tree
from vsscli.errors import DataError, OptionError, RunError
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.ask import AskResult, ask
from vsscli.postprocess.profiles import OWN_KEY, Profile
from vsscli.postprocess.purse import Pace, Purse
from vsscli.postprocess.question import Question

LAKE = said('{"answer": "lake"}')
SECRET = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def remote(server: Server, folder: Path, **fields: Any) -> Profile:
    """A profile whose address looks like another machine's, so that it costs: the system takes 127.1 for 127.0.0.1."""
    profile = profile_at(server.url.replace("127.0.0.1", "127.1"), folder, **fields)
    assert profile.remote
    return profile


# Keys


def test_a_key_is_sent_and_stands_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The server says it again in an answer, as its model's name, in an error, in a refusal."""
    monkeypatch.setenv(OWN_KEY, SECRET)
    echo = said(f"Bearer {SECRET}: it is a lake", usage=False)
    replies = [
        replace(echo, body=echo.body.replace(b"loopback-model-1", SECRET.encode())),
        said(None, refusal=f"not with {SECRET}"),
        error(500, f"key {SECRET} failed"),
        error(401, f"Incorrect API key provided: {SECRET}"),
    ]
    seen: list[AskResult] = []
    with caplog.at_level("DEBUG"), Server(lambda request: replies[request.number]) as server:
        result = put(9, profile_at(server.url, tmp_path), tmp_path, progress=seen.append)
    assert [request.headers["authorization"] for request in server.requests] == [f"Bearer {SECRET}"] * 4
    assert result.stopped is not None and OWN_KEY in result.stopped
    assert (result.asked, result.refused, result.failed) == (2, 1, 2)
    assert SECRET not in repr((result, seen)) + "".join(capfd.readouterr())
    assert [r.name for r in caplog.records if SECRET in r.getMessage()] == []
    assert not any(SECRET.encode() in content for content in tree(tmp_path).values())


def test_the_account_at_openai_is_not_told_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, SECRET)
    with Server(LAKE) as server:
        put(1, profile_at(server.url, tmp_path), tmp_path)
    assert SECRET not in repr(server.requests[0])


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with Server(LAKE) as other:
        away = Response(b"", 308, {"Location": f"{other.url}/chat/completions"})
        with Server(away) as server:
            result = put(2, profile_at(server.url, tmp_path), tmp_path)
    assert result.stopped and len(server.requests) == 1 and not other.requests


def test_a_proxy_of_the_environment_does_not_see_what_stays_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(LAKE) as proxy, Server(LAKE) as server:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        result = put(1, profile_at(server.url, tmp_path), tmp_path)
    assert result.asked == 1 and len(server.requests) == 1 and not proxy.requests


# Money


def test_the_budget_is_never_passed(tmp_path: Path) -> None:
    """500 tokens in and 10 out at 1,000 USD per million: 0.51 USD each, but 0.6 and more are set aside."""
    with Server(LAKE) as server:
        profile = remote(server, tmp_path, price={"input": 1000, "output": 1000}, image_tokens=400, max_tokens=50)
        first = put(50, profile, tmp_path, budget=3.0, threads=4)
        assert 0 < first.usd <= 3.0 and first.stopped is not None and "--budget" in first.stopped
        assert first.usd == pytest.approx(0.51 * first.asked)
        assert len(server.requests) == first.asked == 5
        more = put(50, profile, tmp_path, budget=1.3, threads=4)
        assert (more.cached, more.asked) == (5, 2)
        rest = put(9, profile, tmp_path, budget=100.0)
    assert (rest.cached, rest.asked, rest.stopped) == (7, 2, None)


@pytest.mark.parametrize("lost", [said("lake", delay=1.0), replace(LAKE, cut=20)], ids=["late", "cut"])
def test_a_request_that_got_lost_is_taken_for_paid(lost: Response, tmp_path: Path) -> None:
    with Server(lost) as server:
        profile = remote(server, tmp_path, price={"input": 1000, "output": 1000}, max_tokens=50)
        result = put(2, profile, tmp_path, budget=1.0, timeout=0.3)
    assert result.failed == 2 and result.usd > 0


def test_a_server_that_hangs_does_not_pass_the_budget(tmp_path: Path) -> None:
    """Every try of a question may be paid for, so for every one of them money is set aside before the first."""
    with Server(said("lake", delay=1.0)) as server:
        profile = remote(server, tmp_path, price={"input": 1000, "output": 1000}, max_tokens=50, retries=2)
        result = put(4, profile, tmp_path, budget=1.5, timeout=0.2, threads=4)
    assert 0 < result.usd <= 1.5 and result.stopped is not None and "--budget" in result.stopped
    assert "may spend as much again" in result.stopped and "--timeout" in (result.failure or "")


def test_errors_and_this_machine_cost_nothing(tmp_path: Path) -> None:
    with Server(error(500, "oops")) as server:
        failed = put(2, remote(server, tmp_path, price={"input": 1000, "output": 1000}), tmp_path)
    with Server(LAKE) as server:
        local = put(20, profile_at(server.url, tmp_path), tmp_path, budget=0.000001)
    assert failed.usd == 0.0
    assert (local.asked, local.usd, local.stopped) == (20, 0.0, None)


def test_without_a_known_price_nobody_is_asked(tmp_path: Path) -> None:
    with Server(LAKE) as server:
        profile = remote(server, tmp_path)
        with pytest.raises(OptionError, match="not known"):
            put(1, profile, tmp_path)
        with pytest.raises(OptionError, match="--budget"):
            put(1, profile_at(server.url, tmp_path), tmp_path, budget=0)
    assert not server.requests and not (tmp_path / ".vsscli").exists()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 1)), max_size=30), st.floats(0.1, 5))
def test_a_purse_never_gives_more_than_it_holds(requests: list[tuple[float, float]], budget: float) -> None:
    purse = Purse(budget)
    threads = []
    for most, share in requests:
        if not purse.set_aside(most):
            continue
        thread = threading.Thread(target=purse.settle, args=(most, most * share))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    assert purse.spent <= budget * (1 + 1e-9)


# Order, threads, pace


def test_threads_ask_at_once_and_no_more_of_them_than_told(tmp_path: Path) -> None:
    barrier = threading.Barrier(3, timeout=20)
    now, most, lock = 0, 0, threading.Lock()

    def script(_: Request) -> Response:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        barrier.wait()  # opens only when three are here
        with lock:
            now -= 1
        return LAKE

    with Server(script) as server:
        result = put(9, profile_at(server.url, tmp_path), tmp_path, threads=3)
    assert (result.asked, most) == (9, 3)


def test_questions_are_drawn_as_they_are_asked(tmp_path: Path) -> None:
    drawn = []

    def draw() -> Iterator[Question]:
        for one in questions(20):
            drawn.append(len(server.requests))
            yield one

    with Server(LAKE) as server:
        ask(draw(), profile_at(server.url, tmp_path), AnswerStore(tmp_path), threads=2)
    assert all(number - sent <= 4 for number, sent in enumerate(drawn))


def test_the_same_picture_is_asked_about_once(tmp_path: Path) -> None:
    twins = [question(1), replace(question(1), video="other", frame="00000009"), question(2), question(1)]
    with Server(lambda request: replace(LAKE, delay=0.2)) as server:
        result = ask(twins, profile_at(server.url, tmp_path), AnswerStore(tmp_path), threads=4)
    assert (result.asked, result.cached, len(server.requests)) == (2, 2, 2)


def test_the_pace_spreads_requests_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(round(timeout or 0.0, 6))
            return False

    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    for rate in (30.0, None):
        pace = Pace(rate)
        for _ in range(4):
            pace.wait(Stop())
    assert waits == [0.0, 2.0, 4.0, 6.0, 0.0, 0.0, 0.0, 0.0]


def test_progress_counts_up(tmp_path: Path) -> None:
    seen: list[AskResult] = []
    with Server(LAKE) as server:
        put(5, profile_at(server.url, tmp_path), tmp_path, progress=seen.append)
    assert [result.asked for result in seen] == [1, 2, 3, 4, 5]


def test_an_error_where_questions_are_made_is_raised_and_answers_stay(tmp_path: Path) -> None:
    def broken() -> Iterator[Question]:
        yield from questions(3)
        raise DataError("a frame is broken")

    with Server(LAKE) as server, pytest.raises(DataError):
        ask(broken(), profile_at(server.url, tmp_path), AnswerStore(tmp_path), threads=2)
    assert 1 <= len(AnswerStore(tmp_path)) == len(server.requests)


def test_a_disk_that_refuses_stops_the_asking(tmp_path: Path) -> None:
    with Server(LAKE) as server:
        profile = profile_at(server.url, tmp_path)
        (tmp_path / ".vsscli" / "answers.jsonl").mkdir(parents=True)
        with pytest.raises(RunError, match=r"answers.jsonl"):
            put(9, profile, tmp_path)
    assert len(server.requests) <= 1


def test_a_pace_of_nothing_is_refused(tmp_path: Path) -> None:
    with Server(LAKE) as server, pytest.raises(OptionError, match="--rate"):
        put(1, profile_at(server.url, tmp_path), tmp_path, rate=0)


def test_a_trivial_key_does_not_spoil_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OWN_KEY, "a")
    with Server(said("It is a lake.")) as server:
        profile = profile_at(server.url, tmp_path)
        put(1, profile, tmp_path)
    answer = AnswerStore(tmp_path).get(question(0).key(profile.asked))
    assert answer is not None and answer.text == "It is a lake."


def test_an_interrupt_does_not_wait_for_a_server_that_hangs(tmp_path: Path) -> None:
    hangs, over = threading.Event(), threading.Event()

    def script(request: Request) -> Response:
        if request.number == 2:
            hangs.set()
            over.wait(120)
        return LAKE

    with Server(script) as server:
        profile_at(server.url, tmp_path)
        command = [sys.executable, "-c", ASK.replace("threads=", "timeout=600.0, threads="), str(tmp_path), "9", "1"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment) as process:
            assert hangs.wait(60)
            process.send_signal(signal.SIGINT)
            _, talk = process.communicate(timeout=100)
        over.set()
    assert b"KeyboardInterrupt" in talk and process.returncode != 0
    assert len(AnswerStore(tmp_path)) == 2


ASK = """
import sys
from pathlib import Path
from tests.postprocess.support import put
from vsscli.postprocess.profiles import load_profile
run = Path(sys.argv[1])
result = put(int(sys.argv[2]), load_profile(str(run / "own.yaml")), run, threads=int(sys.argv[3]))
print(result.asked, result.cached)
"""


@pytest.mark.parametrize("threads", [1, 3])
def test_after_a_kill_no_answered_question_is_asked_again(tmp_path: Path, threads: int) -> None:
    """Killed while requests are on their way; the server counts how often it answered each question."""
    reached, killed = threading.Event(), threading.Event()
    answered: Counter[str] = Counter()

    def script(request: Request) -> Response:
        if request.number >= 7 and not killed.is_set():
            reached.set()
            killed.wait(60)
            return LAKE  # nobody hears it
        answered[request.image] += 1
        return LAKE

    with Server(script) as server:
        profile_at(server.url, tmp_path)
        command = [sys.executable, "-c", ASK, str(tmp_path), "20", str(threads)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert reached.wait(60)
            wait_for_lines(tmp_path / ".vsscli" / "answers.jsonl", 7)
            process.kill()
        killed.set()
        done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert done.stdout == b"13 7\n"
    assert len(answered) == 20 and set(answered.values()) == {1}
    assert len(server.requests) <= 20 + threads
    lines = (tmp_path / ".vsscli" / "answers.jsonl").read_text().split("\n")
    assert len({json.loads(line)["key"] for line in lines if line}) == 20


def wait_for_lines(path: Path, count: int) -> None:
    """Until the answers that the server has given are on the disk: other threads may be about to write them."""
    while not path.is_file() or path.read_bytes().count(b"\n") < count:
        time.sleep(0.01)
