"""The engine's door for those who only read."""

import os
import time
from collections.abc import Iterator

import pytest

from vsscli import engine
from vsscli.errors import DataError, DeviceError


def where(seconds: float) -> int:
    """The process that ran this."""
    time.sleep(seconds)
    return os.getpid()


def square(number: int) -> int:
    if number == 13:
        raise DataError("thirteen", "take another")
    return number * number


def die_elsewhere(parent: int) -> int:
    """Kills its process unless that is ``parent``."""
    if os.getpid() != parent:
        os._exit(1)
    time.sleep(0.05)
    return 0


@pytest.mark.parametrize("workers", [1, 2, 3, None])
@pytest.mark.parametrize("count", [0, 1, 2, 11])
def test_results_in_order(workers: int | None, count: int) -> None:
    assert list(engine.map(square, range(count), workers=workers)) == [n * n for n in range(count)]


def test_this_process_is_one_of_the_workers() -> None:
    began = time.monotonic()
    pids = list(engine.map(where, [0.1] * 60, workers=2))
    assert len(set(pids)) == 2 and os.getpid() in pids
    assert pids.count(os.getpid()) >= 10 and time.monotonic() > began
    assert set(engine.map(where, [0.0] * 5, workers=1)) == {os.getpid()}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_error_is_raised_in_its_turn(workers: int) -> None:
    results: Iterator[int] = engine.map(square, [3, 4, 13, 5, 13], workers=workers)
    assert [next(results), next(results)] == [9, 16]
    with pytest.raises(DataError, match="thirteen") as caught:
        next(results)
    assert caught.value.hint == "take another"


def test_a_killed_worker_is_one_sentence() -> None:
    with pytest.raises(DeviceError, match="worker process was killed"):
        list(engine.map(die_elsewhere, [os.getpid()] * 200, workers=2))


def test_a_consumer_may_stop_early() -> None:
    results = engine.map(square, range(1000, 1500), workers=2)
    assert next(results) == 1_000_000
    results.close()  # type: ignore[attr-defined]
