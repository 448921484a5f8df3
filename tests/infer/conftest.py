"""Tests run beside each other: torch's threads would mostly wait for one another, many times longer than they work."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
