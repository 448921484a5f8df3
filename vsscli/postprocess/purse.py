"""What may be spent, and how fast: checked before each request."""

import threading
import time


class Purse:
    """A budget in dollars that threads share: what a request may cost at most is set aside before it is made."""

    def __init__(self, budget: float) -> None:
        self._budget = budget
        self._spent = self._aside = 0.0
        self._waiting = 0
        self._changed = threading.Condition()

    @property
    def spent(self) -> float:
        with self._changed:
            return self._spent

    def set_aside(self, most: float) -> bool:
        """Sets ``most`` dollars aside; False where they are not there.

        Waits while requests in progress may yet turn out cheaper than what was set aside for them.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting == 0 or self._fits(most))
            if not self._fits(most):
                return False
            self._aside += most
            self._waiting += 1
            return True

    def settle(self, most: float, cost: float) -> None:
        """A request for which ``most`` was set aside has cost ``cost``."""
        with self._changed:
            self._aside -= most
            self._waiting -= 1
            self._spent += cost
            if self._waiting == 0:
                self._aside = 0.0  # without what rounding left
            self._changed.notify_all()

    def _fits(self, most: float) -> bool:
        return self._spent + self._aside + most <= self._budget


class Pace:
    """At most ``rate`` requests a minute, evenly spread; None for no limit."""

    def __init__(self, rate: float | None) -> None:
        self._gap = 60.0 / rate if rate else 0.0
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Returns when the next request may go, or when ``stop`` is set."""
        with self._lock:
            at = max(self._next, time.monotonic())
            self._next = at + self._gap
        stop.wait(max(at - time.monotonic(), 0.0))
