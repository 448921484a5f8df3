"""The tiny LLaVA, trained once for all tests and all processes that run them."""

import fcntl
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a LLaVA that knows a sea from a river from a lake."""
    from tests.postprocess.tiny_llava import make_tiny_llava

    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # of all workers
    folder, done = base / "tiny-llava", base / "tiny-llava.done"
    with (base / "tiny-llava.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make_tiny_llava(folder)
            done.touch()
    return folder
