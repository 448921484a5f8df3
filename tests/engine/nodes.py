"""A Ray cluster of two nodes on loopback, in a process of its own, told what to do by lines on stdin."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef0123456789abcdef"

#: Ray then listens on 127.0.0.1 only, and tells nobody of its use.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}


@dataclass
class Nodes:
    """The cluster: its address, the environment that a command needs to reach it, and its process."""

    address: str
    environment: dict[str, str]
    process: "subprocess.Popen[str]"

    def tell(self, line: str) -> str:
        """``kill``: the second node dies as a machine does that loses its power; ``add``: another one comes."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def start(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        """A Python that is started with ``arguments``, in a session of its own."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            env={**self.environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@contextlib.contextmanager
def two_nodes(site: Path) -> Iterator[Nodes]:
    """One core each; ``site`` is where Python finds more modules.

    The cluster has a token; its files lie in a folder of a short name, as its sockets need.
    """
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    environment = {**os.environ, **LOOPBACK, "PYTHONPATH": f"{ROOT}:{site}", "HOME": folder, "RAY_TMPDIR": folder}
    environment["RAY_AUTH_TOKEN"] = TOKEN
    with subprocess.Popen(
        [sys.executable, __file__],
        env={**environment, "RAY_AUTH_MODE": "token"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Nodes(process.stdout.readline().strip(), environment, process)
        finally:
            process.communicate("", timeout=60)
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    from ray.cluster_utils import Cluster

    memory = {"object_store_memory": 80_000_000}
    head = {"num_cpus": 1, "include_dashboard": False, "include_log_monitor": False, **memory}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    second = cluster.add_node(num_cpus=1, **memory)
    print(cluster.address, flush=True)
    for line in sys.stdin:
        if line == "kill\n":
            cluster.remove_node(second, allow_graceful=False)
        else:
            second = cluster.add_node(num_cpus=1, **memory)
        print("done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
