"""Counters that workers write and the parent reads, without locks: a killed worker cannot leave one held."""

from collections.abc import Sequence
from typing import Any

from vsscli.engine.pool import spawn
from vsscli.errors import DeviceError


class Counters:
    """One slot per worker: frames so far, frames of the running video, frames of it done; fractions count."""

    def __init__(self, workers: int) -> None:
        """DeviceError where the system gives no memory that processes can share."""
        context = spawn()
        try:
            self._next = context.Value("i", 0)
            self._values = context.RawArray("d", 3 * max(workers, 1))
        except OSError as error:
            raise DeviceError(
                f"There is no room for shared memory in /dev/shm or TMPDIR ({error.strerror or error}).",
                "Make room there, or raise the limits of this shell (ulimit -f, ulimit -n), and repeat the command.",
            ) from None

    def claim(self) -> int:
        """The number of a worker that starts: 0, 1, ..."""
        with self._next.get_lock():
            number: int = self._next.value
            self._next.value = number + 1
        return number

    def slot(self, number: int) -> "Slot":
        return Slot(self._values, number % (len(self._values) // 3))

    def put(self, number: int, values: Sequence[float]) -> None:
        """Writes the slot of a worker that cannot do it itself: it is on another machine."""
        self._values[3 * number : 3 * number + 3] = list(values)

    def read(self) -> tuple[int, float]:
        """(frames so far, videos' worth of running work)."""
        values = list(self._values)
        share = sum(done / total for total, done in zip(values[1::3], values[2::3], strict=True) if total)
        return int(sum(values[0::3]) + 1e-6), share


class Slot:
    """The counters of one worker."""

    def __init__(self, values: Any, number: int) -> None:
        self._values, self._at = values, 3 * number

    def begin(self, frames: int) -> None:
        self._values[self._at + 2] = 0
        self._values[self._at + 1] = frames

    def frame(self, part: float = 1.0) -> None:
        self._values[self._at] += part
        self._values[self._at + 2] += part

    def end(self) -> None:
        self._values[self._at + 1] = 0
        self._values[self._at + 2] = 0
