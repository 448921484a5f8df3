"""Compiled functions work wherever numba's cache can, or cannot, be written."""

import errno

import numpy as np
import pytest
from numba.core import caching
from numpy.typing import NDArray

from vsscli.maps.compiled import compiled


def double(values: NDArray[np.int64]) -> int:
    """Twice the sum."""
    total = 0
    for value in values:
        total += 2 * value
    return total


VALUES = np.arange(5)


def test_compiles_and_keeps_the_name() -> None:
    function = compiled(double)
    assert function(VALUES) == 20
    assert (function.__name__, function.__doc__) == ("double", "Twice the sum.")


def test_no_folder_for_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])
    assert compiled(double)(VALUES) == 20


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_cache_that_cannot_be_saved(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    calls = []

    def refuse(*arguments: object) -> None:
        calls.append(1)
        raise OSError(number, "refused")

    monkeypatch.setattr(caching.IndexDataCacheFile, "load", lambda *arguments: None)
    monkeypatch.setattr(caching.IndexDataCacheFile, "save", refuse)
    function = compiled(double)
    assert [function(VALUES), function(VALUES)] == [20, 20]
    assert calls == [1], "the cache is tried once"
