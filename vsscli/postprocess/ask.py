"""Asking: what is not answered yet goes to the model, within a budget, until there is a reason to stop."""

import contextlib
import math
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from vsscli.errors import OptionError
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.client import Asker, NoReplyError, StopAskingError, open_asker, read_key
from vsscli.postprocess.profiles import Profile
from vsscli.postprocess.purse import Pace, Purse
from vsscli.postprocess.question import Answer, Question

BUDGET = 5.0  # US dollars
IN_A_ROW = 5  # failures after which the others would fail too
GRACE = 10.0  # seconds for answers that are on their way when the user interrupts: they are paid for


@dataclass(frozen=True)
class AskResult:
    """What became of the questions that were drawn.

    ``asked`` got an answer now, ``abstained`` of them one that names no class, ``refused`` of these because the model
    would not; ``cached`` had one; ``failed`` were sent and came back with none; ``unanswered`` are these and the ones
    that were not sent any more. ``stopped`` says why no more are drawn, None where all were; ``failure`` is what the
    last failure said; ``models`` are what the responses call themselves.
    """

    asked: int = 0
    cached: int = 0
    failed: int = 0
    unanswered: int = 0
    usd: float = 0.0
    stopped: str | None = None
    notes: tuple[str, ...] = ()
    abstained: int = 0
    refused: int = 0
    failure: str | None = None
    models: tuple[str, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0


Progress = Callable[[AskResult], None]


def check(profile: Profile, budget: float = BUDGET) -> None:
    """Whether ``profile`` can be asked at all, told before hours of other work; contacts nothing but this machine.

    OptionError: no budget, no key, no price known for a remote model, nobody listening at an address of this machine.
    """
    if not (budget > 0 and math.isfinite(budget)):
        raise OptionError(
            f"--budget {budget:g} lets nothing be asked.",
            "Give dollars above 0; --offline uses the answers that are there, --dry-run counts what would be asked.",
        )
    if profile.local is not None:
        return
    read_key(profile)
    if profile.usd(0, 0) is None:
        raise OptionError(
            f"What {profile.model} at {profile.base_url} costs is not known, so no budget can hold.",
            "Give its price in a file, --prices FILE (of the form of prompts/prices.yaml; 0 where it costs nothing).",
        )
    if not profile.remote:
        _check_listening(profile)


def _check_listening(profile: Profile) -> None:
    parts = urlsplit(profile.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((str(parts.hostname), port), timeout=5).close()
    except OSError as error:
        raise OptionError(
            f"No server answers at {profile.base_url} ({error.strerror or error}).",
            "Start one, such as 'transformers serve MODEL', or name its address with --base-url.",
        ) from None


def ask(
    questions: Iterable[Question],
    profile: Profile,
    store: AnswerStore,
    *,
    budget: float = BUDGET,
    threads: int = 4,
    rate: float | None = None,
    timeout: float = 60.0,
    progress: Progress | None = None,
) -> AskResult:
    """Asks ``profile`` what ``store`` has no answer to; every answer is on the disk before it counts.

    ``questions`` are drawn one by one as threads get free, and no more once there is a reason to stop: the budget
    (US dollars; what a request may cost at most is set aside before it is sent), a refused key, an account without
    credit, a model that is not there or takes no images, `IN_A_ROW` failures in a row. ``rate`` is requests a minute,
    ``timeout`` seconds for one try; ``progress`` is called after every question with the result so far. Raises
    OptionError as `check` does, RunError while another process asks for the same run, DiskError.
    """
    check(profile, budget)
    if rate is not None and not rate > 0:
        raise OptionError(f"--rate {rate:g} lets nothing be asked.", "Give questions a minute, above 0.")
    with store.asking(), contextlib.closing(open_asker(profile, timeout)) as asker:
        workers = min(threads, asker.threads or threads)
        return _Round(profile, store, asker, Purse(budget), Pace(rate), progress).run(questions, workers)


class _Round:
    """One call of `ask`: what its threads share."""

    def __init__(
        self, profile: Profile, store: AnswerStore, asker: Asker, purse: Purse, pace: Pace, progress: Progress | None
    ) -> None:
        self._profile, self._store, self._asker = profile, store, asker
        self._purse, self._pace, self._progress = purse, pace, progress
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._result = AskResult()
        self._in_a_row = 0
        self._error: BaseException | None = None

    def run(self, questions: Iterable[Question], threads: int) -> AskResult:
        slots = threading.Semaphore(threads)
        drawn: set[str] = set()
        twins: list[str] = []  # of questions in progress: the same picture and words, asked once
        try:
            for question in questions:
                key = question.key(self._profile.asked)
                if self._store.get(key) is not None:
                    self._count(cached=1)
                elif key in drawn:
                    twins.append(key)
                elif self._may_ask(question, slots):
                    drawn.add(key)
                    threading.Thread(target=self._one, args=(question, key, slots), daemon=True).start()
                if self._stop.is_set():
                    break
            _wait_for_all(slots, threads, None)
        except BaseException:
            self._stop.set()
            _wait_for_all(slots, threads, GRACE)
            raise
        if self._error is not None:
            raise self._error
        for key in twins:
            answered = self._store.get(key) is not None
            self._count(cached=int(answered), unanswered=int(not answered))
        return replace(self._result, usd=self._purse.spent, notes=tuple(self._asker.notes))

    def _may_ask(self, question: Question, slots: threading.Semaphore) -> bool:
        """Waits for a free thread and sets the money aside; False where nothing is asked any more."""
        slots.acquire()
        if not self._stop.is_set():
            if self._purse.set_aside(self._reserve(question)):
                return True
            self._halt(
                f"The --budget of this call is used up ({self._purse.spent:.2f} USD spent, the rest set aside for "
                "tries). The same command asks what is left, and may spend as much again."
            )
        slots.release()
        self._count(unanswered=1)
        return False

    def _most(self, question: Question) -> float:
        """The dollars that a request takes at most."""
        tokens_in, _ = self._profile.tokens(question)
        return self._profile.usd(tokens_in, self._profile.max_tokens) or 0.0

    def _reserve(self, question: Question) -> float:
        """The dollars that a question takes at most: every try of it may be paid for."""
        return self._most(question) * (1 + self._profile.retries)

    def _one(self, question: Question, key: str, slots: threading.Semaphore) -> None:
        most = self._most(question)
        cost = 0.0
        try:
            self._pace.wait(self._stop)
            if self._stop.is_set():
                self._count(unanswered=1)
                return
            cost = most  # until the answer tells better
            cost = self._ask(question, key)
        except NoReplyError as error:
            cost = most * error.billed
            self._fail(error)
        except StopAskingError as error:
            cost = 0.0
            self._count(failed=1, unanswered=1)
            self._halt(str(error))
        except BaseException as error:
            self._error = self._error or error
            self._stop.set()
        finally:
            self._purse.settle(self._reserve(question), cost)
            slots.release()

    def _ask(self, question: Question, key: str) -> float:
        """Asks, keeps the answer and counts it; what it cost."""
        started = time.perf_counter()
        reply = self._asker.ask(question)
        seconds = round(time.perf_counter() - started, 3)
        self._store.add(
            Answer(
                key,
                reply.chosen,
                reply.probability,
                reply.text,
                reply.model,
                reply.tokens_in,
                reply.tokens_out,
                seconds,
            )
        )
        with self._lock:
            self._in_a_row = 0
            models = tuple(sorted({*self._result.models, reply.model}))
            self._result = replace(self._result, models=models)
        abstained = int(reply.chosen is None)
        self._count(
            asked=1,
            abstained=abstained,
            refused=int(reply.refused),
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
        )
        return self._profile.usd(reply.tokens_in, reply.tokens_out) or 0.0

    def _fail(self, error: NoReplyError) -> None:
        with self._lock:
            self._in_a_row += 1
            too_many = self._in_a_row >= IN_A_ROW
            self._result = replace(self._result, failure=str(error))
        self._count(failed=1, unanswered=1)
        if too_many:
            self._halt(f"{IN_A_ROW} questions in a row failed, the last one so: {error}.")

    def _halt(self, reason: str) -> None:
        with self._lock:
            if self._result.stopped is None:
                self._result = replace(self._result, stopped=reason)
        self._stop.set()

    def _count(self, **more: int) -> None:
        with self._lock:
            now = self._result
            self._result = replace(now, **{name: getattr(now, name) + count for name, count in more.items()})
            if self._progress is not None:
                self._progress(replace(self._result, usd=self._purse.spent))


def _wait_for_all(slots: threading.Semaphore, threads: int, seconds: float | None) -> None:
    """Until every thread is free, or so many seconds are over: a thread that hangs dies with the process."""
    end = None if seconds is None else time.monotonic() + seconds
    for _ in range(threads):
        if not slots.acquire(timeout=None if end is None else max(end - time.monotonic(), 0.0)):
            return
