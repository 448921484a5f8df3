"""What all tests of training share."""

from pathlib import Path

import pytest

from tests.one_core import one_core
from tests.train.small import make_data, write_model

__all__ = ["one_core"]


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
