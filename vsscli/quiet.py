"""Keeps ``transformers`` and the hub's client from talking."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps ``transformers`` from talking on stderr; its errors are raised as ever."""
    from transformers.utils import logging as its

    level, bars = its.get_verbosity(), its.is_progress_bar_enabled()
    its.set_verbosity(logging.CRITICAL)
    its.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"transformers\b")
            yield
    finally:
        its.set_verbosity(level)
        if bars:
            its.enable_progress_bar()


@contextmanager
def quiet_hub() -> Iterator[None]:
    """Keeps the hub's client from talking on stderr of every request that failed; its progress bars stay."""
    from huggingface_hub.utils import logging as hub

    level = hub.get_verbosity()
    hub.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        hub.set_verbosity(level)
