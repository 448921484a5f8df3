"""Somebody else's code kept in its place: it ends no command, and what it prints is talk, not data."""

import contextlib
import sys
import threading
from collections.abc import Iterator

from vsscli.errors import ModelError, VssError

_lock = threading.Lock()
_inside = 0
_restore = contextlib.ExitStack()


@contextlib.contextmanager
def outside(what: str, passed: tuple[type[BaseException], ...] = (VssError,)) -> Iterator[None]:
    """A block that runs such code, in any thread. ModelError ``<what>: <error>`` for all it raises but ``passed``.

    SystemExit counts as an error: else the command would end with its code, and nothing done.
    """
    try:
        with _stdout_is_talk():
            yield
    except passed:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(f"{what}: {_tell(error)}.", "Mend or remove it.") from None


def _tell(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it calls sys.exit({'' if error.code is None else error.code})"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__


@contextlib.contextmanager
def _stdout_is_talk() -> Iterator[None]:
    """Threads may be inside at the same time: the last to leave puts stdout back."""
    global _inside
    with _lock:
        if not _inside:
            _restore.enter_context(contextlib.redirect_stdout(sys.stderr))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _restore.close()
