"""Worker processes: spawned, deaf to Ctrl-C (the parent decides), gone when their parent is gone."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext
from typing import Any, ParamSpec, TypeVar

from vsscli.engine.progress import Progress, Status, show_warnings
from vsscli.errors import DeviceError

Item = TypeVar("Item")
Result = TypeVar("Result")
P = ParamSpec("P")


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spawn() -> SpawnContext:
    """Fork copies threads' locks and CUDA's state: spawn everywhere."""
    return multiprocessing.get_context("spawn")


class Pool(ProcessPoolExecutor):
    """``workers`` processes, each of which calls ``then(*arguments)`` before its first task."""

    def __init__(self, workers: int, then: Callable[..., None] | None = None, *arguments: Any) -> None:
        super().__init__(workers, spawn(), _start_worker, (os.getpid(), then, *arguments))

    def submit(self, function: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs) -> "Future[Result]":
        """Gives out a task. Starts a worker where none is idle, which Ctrl-C must not cut in two."""
        with _interrupts_wait():
            return super().submit(function, *args, **kwargs)


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Ctrl-C takes effect when the block ends. A process started inside never hears of one, from its first moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: caught.append(number))  # other threads hear it still
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # processes inherit it
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if caught and callable(handler):
        handler(signal.SIGINT, None)


def _start_worker(parent: int, then: Callable[..., None] | None, *arguments: Any) -> None:
    """The first thing a worker does. ``parent`` may be gone by now: another has adopted this process then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    show_warnings()
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    if then is not None:
        then(*arguments)


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def end_workers() -> None:
    """Ends the workers at once; what they were writing is swept by whoever comes next."""
    for process in multiprocessing.active_children():
        process.terminate()
    for process in multiprocessing.active_children():
        process.join(5)


def map_items(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int | None = None, title: str | None = None
) -> Iterator[Result]:
    """``function`` of every item, in order, spread over ``workers`` processes (default: one a core).

    For those who only read. This process is one of the workers: it need not start first, which takes longer than many
    a short job. ``function`` and items must be picklable unless ``workers`` is 1. The first exception is raised;
    DeviceError when a worker is killed. ``title`` shows progress on stderr.
    """
    done = 0
    with Progress(title or "", len(items) if title else 0, lambda: Status(done, done, 0)):
        for result in _results(function, items, min(workers or cores(), len(items))):
            done += 1
            yield result


def _results(function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    if workers <= 1:
        yield from (function(item) for item in items)
        return
    others = workers - 1
    pool = Pool(others)
    try:
        futures: list[Future[Result]] = []  # of the items that were given out, in order
        for i in range(len(items)):
            last = min(len(items), i + 8 * workers)  # results wait for their turn: a few, not all
            while True:
                waiting = sum(not future.done() for future in futures[i:])
                given = len(futures)
                # Towards the end fewer wait for the others: what is theirs already this process cannot take.
                ahead = (3 if len(items) - given > 4 * workers else 2) * others
                futures += [pool.submit(function, item) for item in items[given : min(last, given + ahead - waiting)]]
                if futures[i].done() or len(futures) == last:
                    break
                futures.append(_do_here(function, items[len(futures)]))
            yield futures[i].result()
            futures[i] = Future()  # lets go of the result
        pool.shutdown()
    except BrokenProcessPool:
        raise DeviceError("A worker process was killed (out of memory?).", "Try fewer --workers.") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        end_workers()


def _do_here(function: Callable[[Item], Result], item: Item) -> Future[Result]:
    future: Future[Result] = Future()
    try:
        future.set_result(function(item))
    except Exception as error:
        future.set_exception(error)
    return future
