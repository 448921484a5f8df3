"""Machine code from Python functions: compiled at their first call, kept on disk where that is possible."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """``function`` compiled by numba; it releases the GIL while it runs.

    The machine code is cached beside the source, or in the user's cache folder. Where neither can be written, or the
    disk is full, the function is compiled again in every process, a second or two each, and works as well.
    Compiled functions may not call one another: each is an entry from Python.
    """
    try:
        call: Callable[..., Any] = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba found no folder for its cache
        call = njit(nogil=True)(function)

    @wraps(function)
    def run(*arguments: Any) -> Any:
        nonlocal call
        try:
            return call(*arguments)
        except OSError:  # the functions do arithmetic: only the cache touches files
            call = njit(nogil=True)(function)
            return call(*arguments)

    return run  # type: ignore[return-value]
