"""Progress where stderr is no terminal."""

import errno
import time

import pytest

from vsscli.engine import progress
from vsscli.engine.counters import Counters
from vsscli.engine.progress import Progress, Status
from vsscli.errors import DeviceError
from vsscli.words import speed


def test_a_line_that_tells_nothing_new_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PLAIN_INTERVAL", 0.001)
    done = 0
    with Progress("synth", 8, lambda: Status(done, done, 0)):
        for done in (0, 1):  # noqa: B007 (read by the lambda)
            time.sleep(0.2)
    assert capsys.readouterr().err.splitlines() == ["synth: 0/8 videos", "synth: 1/8 videos"]


def test_no_time_is_promised_while_nothing_that_counts_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pass that ends a video counts no frames."""
    now = 0.0
    monkeypatch.setattr("vsscli.engine.progress.time.monotonic", lambda: now)
    shown = Progress("infer", 1, lambda: Status(0, 0.0, 0))
    for now, share, left in ((1.0, 0.1, None), (5.0, 0.5, "0:00:05 left"), (9.5, 0.95, None), (30.0, 0.95, None)):  # noqa: B007
        text = shown.text(Status(0, share, 10))
        assert text.endswith(left) if left else "left" not in text
    slow = Progress("infer", 10, lambda: Status(0, 0.0, 0))
    now = 31.0
    slow.text(Status(0, 0.1, 10))
    now = 35.0
    assert "left" in slow.text(Status(0, 0.5, 10))
    now = 43.0
    assert "left" in slow.text(Status(0, 0.5, 10)), "a frame may take its time"


def test_no_shared_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under ``ulimit -f 3``."""

    def refuse(size: int) -> None:
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr("multiprocessing.heap.BufferWrapper", refuse)
    with pytest.raises(DeviceError, match=r"no room for shared memory .* \(File too large\)"):
        Counters(1)


def test_a_speed_is_of_frames_whatever_they_are_counted_over() -> None:
    shown = Progress("infer", 2, lambda: Status(0, 0.0, 0), "frames over all views")
    text = shown.text(Status(0, 0.0, 40))
    assert "40 frames over all views, " in text and text.endswith(" frames/s")


@pytest.mark.parametrize(
    ("count", "seconds", "told"), [(40, 4, "10.0 frames/s"), (0, 5, "0.2 frames/s"), (12, 2509.7, "209 s each")]
)
def test_a_slow_network_is_told_in_seconds(count: int, seconds: float, told: str) -> None:
    assert speed(count, seconds) == told
    assert speed(count, seconds, "answers") == told.replace("frames", "answers")
