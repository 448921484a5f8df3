"""The engine's two doors over a cluster: the same work as on this machine, done by actors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from vsscli.engine.actors import TRIES, Crew, Killed
from vsscli.engine.cluster import Cluster
from vsscli.engine.counters import Counters, Slot
from vsscli.engine.ground import common_ground
from vsscli.engine.stage import Stage
from vsscli.engine.worker import Done, Worker
from vsscli.errors import DeviceError, VssError
from vsscli.runs.output import OutputRun

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Video:
    """A `Worker` in an actor, and what it counts."""

    def __init__(self, stage: Stage, run: OutputRun, device: str) -> None:
        self.values = [0.0] * 3
        self._worker = Worker(stage, run, device, Slot(self.values, 0))

    def __call__(self, video: str) -> Done:
        return self._worker.run(video)


class _Function:
    """A function in an actor, of numbered items. It counts nothing; its errors wait for their turn."""

    def __init__(self, function: Callable[[Any], Any], device: str) -> None:
        self.values = [0.0] * 3
        self._function = function

    def __call__(self, numbered: tuple[int, Any]) -> Any:
        try:
            return self._function(numbered[1])
        except VssError as error:
            return error


def produce_over(
    cluster: Cluster, stage: Stage, run: OutputRun, todo: Sequence[str], devices: Sequence[str], counters: Counters
) -> Iterator[tuple[str, Done]]:
    """The videos with what became of them, as they are finished. Raises as `vsscli.engine.produce` does."""
    places = [Path(place) for place in stage.places.values()]
    with common_ground([*(source.path for source in stage.inputs), *places], run) as ground:
        crew: Crew[str, Done] = Crew(cluster, ground, partial(partial, _Video, stage, run), devices, counters.put)
        try:
            with closing(crew.run(todo)) as results:
                for video, result in results:
                    killed = Done(f"Its worker was killed {TRIES} times (out of memory?): try fewer --workers.")
                    yield video, killed if isinstance(result, Killed) else result
        finally:
            run.sweep(crew.gone)


def map_over(
    cluster: Cluster,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    workers: int | None,
    inputs: Sequence[Path],
) -> Iterator[Result]:
    """``function`` of every item, in order. Raises as `vsscli.engine.map` does."""
    devices = cluster.devices("cpu", workers)
    early: dict[int, Any] = {}  # results that wait for their turn
    turn = 0
    with common_ground(inputs) as ground:
        crew: Crew[tuple[int, Item], Any] = Crew(cluster, ground, partial(partial, _Function, function), devices)
        with closing(crew.run(list(enumerate(items)))) as results:
            for (number, _), result in results:
                if isinstance(result, Killed):
                    result = DeviceError(f"A worker was killed {TRIES} times (out of memory?).", "Try fewer --workers.")
                early[number] = result
                while turn in early:
                    mine = early.pop(turn)
                    if isinstance(mine, VssError):
                        raise mine
                    yield mine
                    turn += 1
