"""Progress on stderr: a bar on a terminal, a plain line now and then elsewhere."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from vsscli.words import clock, speed

PLAIN_INTERVAL = 15.0  # seconds between lines in a log file


def show_warnings() -> None:
    """Warnings of the logger ``vsscli`` go to stderr, in this process, as ``warning: ...``."""
    log = logging.getLogger("vsscli")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("warning: %(message)s"))
        log.addHandler(handler)


class Status(NamedTuple):
    """How far a command is: ``share`` counts the running videos by their frames."""

    done: int
    share: float
    frames: int


class Progress:
    """Shows ``read()`` (a `Status`) until the block ends. ``step`` names what ``Status.frames`` counts."""

    def __init__(self, title: str, total: int, read: Callable[[], Status], step: str = "frames") -> None:
        self._title, self._total, self._read, self._step = title, total, read, step
        self._stop = threading.Event()
        self._started = time.monotonic()
        self._first: tuple[float, float] | None = None  # when the first work was seen, and how much it was
        self._last = (0.0, 0.0)  # when the share was last seen to grow, and what it was
        self._thread = threading.Thread(target=self._bar if sys.stderr.isatty() else self._lines, daemon=True)

    def __enter__(self) -> Self:
        if self._total > 0:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def text(self, status: Status) -> str:
        """``12/343 videos, 812 frames, 12.3 frames/s, 0:41:10 left``."""
        elapsed = max(time.monotonic() - self._started, 1e-6)
        parts = [f"{status.done}/{self._total} videos"]
        if status.frames:
            noun = self._step.partition(" ")[0]  # of "frames over all views"
            parts += [f"{status.frames} {self._step}", speed(status.frames, elapsed, noun)]
        if status.share > 0 and self._first is None:
            self._first = elapsed, status.share
        if self._first is not None and self._first[1] < status.share < self._total:
            # From the first work on: what it took to load a model is not to be multiplied.
            pace = (status.share - self._first[1]) / max(elapsed - self._first[0], 1e-6)
            left = int((self._total - status.share) / pace)
            if status.share != self._last[1]:
                self._last = elapsed, status.share
            if 0 < left >= elapsed - self._last[0]:  # else work that is not counted is being done, and nobody knows
                parts.append(f"{clock(left)} left")
        return ", ".join(parts)

    def _lines(self) -> None:
        last = ""
        while not self._stop.wait(PLAIN_INTERVAL):
            line = f"{self._title}: {self.text(self._read())}"
            if line != last:
                with contextlib.suppress(OSError):  # a stderr that takes nothing more stops no work
                    print(line, file=sys.stderr, flush=True)
            last = line

    def _bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[text]}"))
        with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(self._title, total=self._total, text="")
            while not self._stop.wait(0.2):
                status = self._read()
                bar.update(task, completed=status.share, text=self.text(status))
