"""A Ray cluster: found, and asked what it has. Ray is an extra: it is imported when a cluster is asked for."""

import contextlib
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsscli.errors import DeviceError, OptionError

ENGINES = ("local", "ray")
_GUIDE = "See 'vsscli guide clusters'."


@dataclass(frozen=True)
class Node:
    """A machine of the cluster and what Ray may give away of it."""

    name: str
    host: str
    cpus: int
    gpus: int


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster that this process is connected to until it ends."""

    nodes: tuple[Node, ...]

    def devices(self, device: str = "cpu", workers: int | None = None, *, whole: bool = False) -> list[str]:
        """One entry per worker: ``cuda`` for each GPU, or ``cpu`` for each core; ``whole``: for each node.

        ``device``: auto (GPUs where there are any), cpu or cuda. ``workers``: so many, as far as they have room.
        Raises OptionError for another device, DeviceError where no node has one.
        """
        if device not in ("auto", "cpu", "cuda"):
            raise OptionError(
                f"--device {device} with --engine ray: Ray chooses the GPU of each worker.",
                "Give --device cuda, cpu or auto.",
            )
        gpus, cpus = (sum(getattr(node, kind) for node in self.nodes) for kind in ("gpus", "cpus"))
        if gpus and device != "cpu":
            return ["cuda"] * min(workers or gpus, gpus)
        kind, count = ("GPU", gpus) if device == "cuda" else ("CPU", cpus)
        if not count:
            raise DeviceError(
                f"No node of the Ray cluster has a {kind} to give away.",
                f"Start its nodes with ray start --num-{kind.lower()}s N, or choose another --device.",
            )
        return ["cpu"] * min(workers or (len(self.fit("cpu")) if whole else cpus), cpus)

    def fit(self, device: str) -> tuple[Node, ...]:
        """The nodes where a worker on ``device`` can be."""
        return tuple(node for node in self.nodes if (node.gpus if device == "cuda" else node.cpus))

    def share(self, devices: Sequence[str]) -> int:
        """The cores that each of the workers on ``devices`` may take of its node."""
        nodes = self.fit(devices[0])
        least = min(node.cpus for node in nodes)
        return max(min(1, least), least // -(-len(devices) // len(nodes)))


def find_cluster(engine: str, address: str | None) -> Cluster | None:
    """What ``--engine`` and ``--address`` ask for: None for ``local``, or the cluster, connected.

    ``address``: HOST:PORT of its head; None: the cluster that this machine belongs to. OptionError for what is no
    engine, where Ray is not installed, or no cluster answers.
    """
    if engine not in ENGINES:
        raise OptionError(f"--engine {engine!r} is no engine.", f"Choose one of {', '.join(ENGINES)}.")
    if engine == "local":
        if address is not None:
            raise OptionError(f"--address {address} is for --engine ray.", "Add --engine ray, or leave it out.")
        return None
    _prepare(address)
    try:
        import ray
    except ImportError:
        raise OptionError(
            "--engine ray needs Ray, which is not installed.",
            "pip install '.[ray]' in the checkout, or pip install ray.",
        ) from None
    try:
        with _hushed():
            if not ray.is_initialized():  # a verb before this one may have done it
                ray.init(address=address or "auto", logging_level=logging.CRITICAL, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        where = f"at {address}" if address else "on this machine"
        raise OptionError(
            f"No Ray cluster answers {where}: {_first_line(error)}.",
            f"Start one with ray start, and give every machine the cluster's token. {_GUIDE}",
        ) from None
    # Where a worker or a node dies, Ray's driver prints that on stdout, which is data, whatever it was told of logs.
    ray._private.worker.print_to_stdstream = lambda *arguments, **options: None
    return Cluster(alive(ray))


def alive(ray: Any) -> tuple[Node, ...]:
    """The nodes that are there now."""

    def read(node: dict[str, Any]) -> Node:
        cpus, gpus = (int(node["Resources"].get(kind, 0)) for kind in ("CPU", "GPU"))
        return Node(node["NodeID"], node["NodeManagerHostname"], cpus, gpus)

    return tuple(read(node) for node in ray.nodes() if node["Alive"])


def _prepare(address: str | None) -> None:
    """What must stand in the environment before Ray is imported; OptionError where nobody listens at ``address``.

    Ray itself tries for minutes, and reads a token unasked only for clusters that it finds by itself.
    """
    if address is not None:
        host, colon, port = address.rpartition(":")
        if not colon or not port.isdigit() or not 0 < int(port) < 65536 or "/" in host:
            raise OptionError(
                f"--address {address} is not HOST:PORT.", f"The port is that of ray start --head. {_GUIDE}"
            )
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
        except OSError as error:
            reason = error.strerror or str(error)
            raise OptionError(
                f"No Ray cluster answers at {address}: {reason}.",
                f"Start one with ray start --head --port {port}. {_GUIDE}",
            ) from None
    place = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    if "RAY_AUTH_TOKEN" in os.environ or place.is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns of a change to come
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "4")  # seconds that a wrong token is tried


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Ray's compiled parts write to stderr past every logger while they connect; what is wrong is raised as well."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0].rstrip(".")
