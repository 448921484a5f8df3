"""``transformers serve`` on loopback: a server of the OpenAI protocol that is not ours."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START = "from transformers.cli.transformers import main; main()"


@contextmanager
def served(model: Path, log: Path) -> Iterator[str]:
    """The address under which ``model`` is served until the block ends; what the server says goes to ``log``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [str(model), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    command = [sys.executable, "-W", "ignore", "-c", START, "serve", *options]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        for _ in range(1200):
            if process.poll() is not None or _is_up(port):
                break
            time.sleep(0.25)
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def _is_up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
