"""Tests run beside each other: torch's threads would mostly wait for one another, many times longer than they work."""

from pathlib import Path

import pytest
import torch

from tests.infer.recorded import copy_clip


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clip A of the recordings as a plain folder."""
    return copy_clip(tmp_path_factory.mktemp("clip") / "v", "clipA")
