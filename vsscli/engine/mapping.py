"""The door for those who only read: a function of every item, in order, over processes of this machine or a cluster."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from vsscli.engine.cluster import Cluster
from vsscli.engine.pool import Pool, cores, end_workers
from vsscli.engine.progress import Progress, Status
from vsscli.engine.remote import map_over
from vsscli.errors import DeviceError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_items(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int | None = None,
    title: str | None = None,
    cluster: Cluster | None = None,
    inputs: Sequence[Path] = (),
) -> Iterator[Result]:
    """``function`` of every item, in order, spread over ``workers`` processes (default: one a core).

    For those who only read. This process is one of the workers: it need not start first, which takes longer than many
    a short job. With a ``cluster`` all workers are on its nodes, which must see the ``inputs``. ``function`` and items
    must be picklable unless ``workers`` is 1. The first exception is raised; DeviceError when a worker is killed (over
    a cluster: again and again). ``title`` shows progress on stderr.
    """
    done = 0
    if cluster is not None:
        results = map_over(cluster, function, items, workers, inputs)
    else:
        results = _results(function, items, min(workers or cores(), len(items)))
    with Progress(title or "", len(items) if title else 0, lambda: Status(done, done, 0)):
        for result in results:
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
