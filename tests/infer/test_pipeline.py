"""Reading ahead and working in order."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsscli.infer.pipeline import in_order, read_ahead


@given(st.lists(st.integers()), st.integers(1, 5))
def test_everything_comes_in_order(items: list[int], ahead: int) -> None:
    assert list(read_ahead(iter(items), ahead)) == items
    with ThreadPoolExecutor(3) as pool:
        assert list(in_order(pool, lambda item: -item, items, ahead)) == [-item for item in items]


def test_an_error_comes_where_its_item_would_have() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    found = read_ahead(items(), 3)
    assert next(found) == 1
    with pytest.raises(ValueError, match="the second"):
        next(found)


def test_no_more_is_made_than_asked_for() -> None:
    made = []

    def items() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    found = read_ahead(items(), 3)
    assert next(found) == 0
    time.sleep(0.3)
    assert len(made) <= 6
    found.close()  # type: ignore[attr-defined]
    assert not any(thread.name == "reader" for thread in threading.enumerate())
