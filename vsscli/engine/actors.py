"""Work over a Ray cluster: actors that hold an opened stage take one item after the other; what dies is replaced."""

import contextlib
import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

from vsscli.engine.cluster import Cluster, alive
from vsscli.engine.ground import Ground
from vsscli.errors import DeviceError, RunError, VssError
from vsscli.processes import is_alive, machine, stamp

Item = TypeVar("Item")
Result = TypeVar("Result")
ItemIn = TypeVar("ItemIn", contravariant=True)
ResultOut = TypeVar("ResultOut", covariant=True)

TRIES = 3  # how often an item may take an actor or its node with it
PATIENCE = 60.0  # seconds to wait for a cluster without room
_HINT = "See 'vsscli guide clusters'."


class Work(Protocol[ItemIn, ResultOut]):
    """What an actor does; ``values`` are those of a `vsscli.engine.counters.Slot`."""

    values: list[float]

    def __call__(self, item: ItemIn, /) -> ResultOut: ...


class Killed:
    """In place of a result: the item took `TRIES` actors with it."""


@dataclass(frozen=True)
class Told(Generic[Result]):
    """What an actor answers: a result or an error, and the warnings on the way."""

    result: Result | None
    error: VssError | None
    warnings: tuple[str, ...]


class Actor(Generic[Item, Result]):
    """Lives in a process on some node. ``make`` is called there, once."""

    def __init__(self, ground: Ground, make: Callable[[], Work[Item, Result]]) -> None:
        self._missing = ground.missing()
        self._work = make()
        self._warnings = _Warnings()
        logging.getLogger("vsscli").addHandler(self._warnings)

    def hello(self) -> tuple[str, str, str | None]:
        """(host, stamp of the process, what is missing here)."""
        return socket.gethostname(), stamp(), self._missing

    def run(self, item: Item) -> Told[Result]:
        try:
            result, error = self._work(item), None
        except VssError as caught:
            result, error = None, caught
        return Told(result, error, self._warnings.take())

    def values(self) -> list[float]:
        return self._work.values


class _Warnings(logging.Handler):
    """Keeps warnings until they are taken: the user sits at another machine."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record.getMessage())

    def take(self) -> tuple[str, ...]:
        kept, self._kept = tuple(self._kept), []
        return kept


@dataclass
class _Hand(Generic[Item]):
    """An actor as this process sees it: the ``number`` of its device, what it is at (None: it starts)."""

    number: int
    actor: Any
    item: Item | None = None
    tries: int = 0  # of the item
    host: str = ""
    stamp: str = ""
    asked: Any = None  # a question for its progress that is on its way


@dataclass
class Crew(Generic[Item, Result]):
    """The actors of one command, one for each of ``devices``.

    ``make`` gives what an actor needs to make its work, from its device. ``note`` gets the progress values of the actor
    of that number. ``gone`` collects the stamps of processes that ended before their item did.
    """

    cluster: Cluster
    ground: Ground
    make: Callable[[str], Callable[[], Work[Item, Result]]]
    devices: Sequence[str]
    note: Callable[[int, Sequence[float]], None] = lambda number, values: None
    gone: list[str] = field(default_factory=list)
    _stillborn: int = 0  # actors in a row that died before they said a word
    _busy: dict[Any, _Hand[Item]] = field(default_factory=dict)  # by the answer that is awaited

    def run(self, items: Sequence[Item]) -> Generator[tuple[Item, Result | Killed], None, None]:
        """Each item with its result, as they come. The first VssError of the work is raised.

        RunError when a node lacks what it needs, told before anything is done; DeviceError when no node is left.
        """
        import ray

        self._look(ray)
        waiting = deque((item, 1) for item in items)
        heard = time.monotonic()
        try:
            for number in range(min(len(self.devices), len(items))):
                self._hire(ray, number)
            while self._busy and (waiting or any(hand.item is not None for hand in self._busy.values())):
                done, _ = ray.wait(list(self._busy), timeout=1.0)
                for answer in done:
                    hand, heard = self._busy.pop(answer), time.monotonic()
                    item = hand.item
                    try:
                        told = self._hear(ray, hand, answer)
                    except ray.exceptions.RayActorError as error:
                        self._lose(hand, error)
                        if item is not None:
                            if hand.tries < TRIES:
                                waiting.append((item, hand.tries + 1))
                            else:
                                yield item, Killed()
                        if waiting:
                            self._hire(ray, hand.number)
                        continue
                    self._give(ray, hand, waiting)
                    if item is not None and told is not None:
                        yield item, cast(Result, told.result)
                self._ask_progress(ray)
                if not any(hand.stamp for hand in self._busy.values()):
                    heard = self._wait_for_room(ray, heard)
        finally:
            self._end(ray)

    def _look(self, ray: Any) -> None:
        """Whether the nodes have what they need, before any of them starts."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

        nodes = self.cluster.fit(self.devices[0])
        look = ray.remote(Ground.missing)
        asked = [
            look.options(num_cpus=0, max_retries=0, scheduling_strategy=On(node.name, soft=False)).remote(self.ground)
            for node in nodes
        ]
        reasons = []
        for node, answer in zip(nodes, asked, strict=True):
            try:
                _require(node.host, ray.get(answer))
            except ray.exceptions.RayTaskError as error:
                raise _no_start(error) from None
            except ray.exceptions.RayError as error:  # it went away: it gets no work
                reasons.append(error)
        if len(reasons) == len(nodes):
            raise _no_start(reasons[0])

    def _hire(self, ray: Any, number: int) -> None:
        device = self.devices[number]
        resources = {"num_cpus": self.cluster.share(self.devices), "num_gpus": int(device == "cuda")}
        kind = ray.remote(concurrency_groups={"progress": 1})(Actor)  # progress is told while an item is worked on
        actor = kind.options(**resources, scheduling_strategy="SPREAD", max_restarts=0, max_task_retries=0).remote(
            self.ground, self.make(device)
        )
        self._busy[actor.hello.remote()] = _Hand(number, actor)

    def _hear(self, ray: Any, hand: _Hand[Item], answer: Any) -> Told[Result] | None:
        """What the actor answered; None for its hello."""
        if hand.item is None:
            hand.host, hand.stamp, missing = ray.get(answer)
            _require(hand.host, missing)
            return None
        told: Told[Result] = ray.get(answer)
        for warning in told.warnings:
            logging.getLogger("vsscli").warning("%s", warning)
        if told.error is not None:
            raise told.error
        return told

    def _give(self, ray: Any, hand: _Hand[Item], waiting: deque[tuple[Item, int]]) -> None:
        """The next item, or leave: what it holds may be of use to others."""
        if not waiting:
            with contextlib.suppress(ray.exceptions.RayError):
                self.note(hand.number, ray.get(hand.actor.values.remote()))
                ray.kill(hand.actor)
            return
        hand.item, hand.tries = waiting.popleft()
        self._busy[hand.actor.run.remote(hand.item)] = hand

    def _lose(self, hand: _Hand[Item], error: Exception) -> None:
        if hand.stamp:
            self.gone.append(hand.stamp)
            self._stillborn = 0
            return
        self._stillborn += 1
        if "creation task" in str(error) or self._stillborn >= TRIES * len(self.devices):
            raise _no_start(error) from None

    def _ask_progress(self, ray: Any) -> None:
        for hand in self._busy.values():
            if hand.asked is not None and ray.wait([hand.asked], timeout=0)[0]:
                with contextlib.suppress(ray.exceptions.RayError):
                    self.note(hand.number, ray.get(hand.asked))
                hand.asked = None
            if hand.asked is None and hand.item is not None:
                hand.asked = hand.actor.values.options(concurrency_group="progress").remote()

    def _wait_for_room(self, ray: Any, heard: float) -> float:
        """While no actor is there: a warning where the cluster is busy, DeviceError where it has no such node."""
        if time.monotonic() - heard < PATIENCE:
            return heard
        if not Cluster(alive(ray)).fit(self.devices[0]):
            raise DeviceError(
                "The Ray cluster has no node left for this.", "What is finished stays: start nodes again."
            )
        logging.getLogger("vsscli").warning("still waiting: others have all that the Ray cluster could give")
        return time.monotonic()

    def _end(self, ray: Any) -> None:
        """Ends the actors that are there, and waits for those of this machine to be gone."""
        for hand in self._busy.values():
            with contextlib.suppress(ray.exceptions.RayError):
                ray.kill(hand.actor)
            if hand.stamp:
                self.gone.append(hand.stamp)
        until = time.monotonic() + 5
        mine = [int(name.rpartition(".")[2]) for name in self.gone if name.rpartition(".")[0] == machine()]
        while any(map(is_alive, mine)) and time.monotonic() < until:
            time.sleep(0.05)


def _require(host: str, missing: str | None) -> None:
    if missing is not None:
        raise RunError(
            f"Node {host} of the Ray cluster {missing}.", f"All nodes need the same disk at the same place. {_HINT}"
        )


def _no_start(error: Exception) -> DeviceError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return DeviceError(
        f"A worker on the Ray cluster does not start: {lines[-1].rstrip('.') if lines else type(error).__name__}.",
        f"Every node needs the same vsscli, and the token that the cluster has (or none). {_HINT}",
    )
