"""Reading ahead, so that the network never waits for a decoder."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def read_ahead(items: Iterable[Item], count: int) -> Iterator[Item]:
    """The items in order, up to ``count`` of them made in a thread before they are asked for.

    An exception of ``items`` is raised where its item would have come.
    """
    ready: queue.Queue[tuple[Item | None, BaseException | None, bool]] = queue.Queue(count)
    stopped = threading.Event()

    def put(entry: tuple[Item | None, BaseException | None, bool]) -> bool:
        while not stopped.is_set():
            try:
                ready.put(entry, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for item in items:
                if not put((item, None, False)):
                    return
            put((None, None, True))
        except BaseException as error:
            put((None, error, True))

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    try:
        while True:
            item, error, last = ready.get()
            if error is not None:
                raise error
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()


def frame_threads(count: int, device: str) -> ThreadPoolExecutor:
    """``count`` threads for frames; on a CPU each computes on one core.

    torch tells a new thread only at its first parallel operation, and a matrix product before that runs on all cores:
    its sums are then made in another order.
    """
    return ThreadPoolExecutor(count, "frames", _one_core if device == "cpu" else None)


def _one_core() -> None:
    import torch

    torch.set_num_threads(1)


def in_order(pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int) -> Iterator[Result]:
    """``function`` of every item, in order, at most ``ahead`` of them running or waiting in ``pool``."""
    waiting: list[Future[Result]] = []
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= ahead:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        for future in waiting:
            future.cancel()
