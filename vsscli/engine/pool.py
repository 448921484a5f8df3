"""Worker processes: spawned, deaf to Ctrl-C (the parent decides), gone when their parent is gone."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from typing import Any, ParamSpec, TypeVar

from vsscli.engine.progress import show_warnings

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
