"""The entry point: runs a verb, turns errors into sentences and exit codes.

0 = done; 1 = finished, but some videos failed or something was found; 2 = the request was wrong; 130 = Ctrl-C.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from typing import Any, TextIO, cast

from vsscli.cli.app import app
from vsscli.cli.talk import discard, say, visible
from vsscli.errors import OptionError, VssError


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code; prints, never raises for a user's mistake."""
    _replace_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a path that is no UTF-8 must not end in a traceback
            stream.reconfigure(errors="backslashreplace")
    stdout, guarded = sys.stdout, Stdout(sys.stdout)
    sys.stdout = cast(TextIO, guarded)
    try:
        code = _run(arguments)
    finally:
        sys.stdout = stdout
    return max(code, _empty(guarded))


def _run(arguments: Sequence[str] | None) -> int:
    code = 0
    try:
        app(args=None if arguments is None else list(arguments), prog_name="vsscli")
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 0
    except VssError as error:
        _complain(error)
        return 2
    except KeyboardInterrupt:
        code = 130
    if code in (130, 143):
        say("Interrupted. What is finished stays; the same command continues.")
    return code


def _complain(error: VssError) -> None:
    say(f"error: {visible(error.message)}")
    if error.hint:
        say(f"       {visible(error.hint)}")


class Stdout:
    """A stdout that raises OptionError when what it leads to takes no more; a closed pipe stays a BrokenPipeError."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.refused = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._refusals():
            return self._stream.write(text)

    def flush(self) -> None:
        with self._refusals():
            self._stream.flush()

    def end(self) -> None:
        """Writes out what is still held back; what is refused goes nowhere, else Python complains at its end."""
        try:
            self.flush()
        except (BrokenPipeError, OptionError):
            discard(self._stream)
            raise

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            self.refused = True
            reason = error.strerror or str(error)
            hint = "What went into files stays. Send stdout elsewhere, and repeat the command."
            raise OptionError(f"stdout cannot be written: {reason}.", hint) from None


def _empty(stdout: Stdout) -> int:
    """Ends ``stdout``: 0 when all was taken, else an exit code, with a sentence unless there was one before."""
    told = stdout.refused
    try:
        stdout.end()
    except BrokenPipeError:  # whoever closed the pipe had read enough
        return 1
    except VssError as error:
        if not told:
            _complain(error)
        return 2
    return 0


def _replace_closed() -> None:
    """Closed streams are opened on nothing: else the next file opened would take their place, and what is printed."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def main() -> None:
    """The console script ``vsscli``."""
    sys.exit(run())


if __name__ == "__main__":
    main()
