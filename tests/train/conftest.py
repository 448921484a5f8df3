"""One core per operation, and data that all tests of this room share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.train.small import make_data, write_model


@pytest.fixture(autouse=True)
def _one_core() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("train") / "data")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models ``segmenter``, ``online`` and ``offline``."""
    folder = tmp_path_factory.mktemp("models")
    for kind in ("segmenter", "online", "offline"):
        write_model(folder / kind, kind)
    return folder
