"""Progress where stderr is no terminal."""

import time

import pytest

from vsscli.engine import progress
from vsscli.engine.progress import Progress, Status


def test_a_line_that_tells_nothing_new_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PLAIN_INTERVAL", 0.001)
    done = 0
    with Progress("synth", 8, lambda: Status(done, done, 0)):
        for done in (0, 1):  # noqa: B007 (read by the lambda)
            time.sleep(0.2)
    assert capsys.readouterr().err.splitlines() == ["synth: 0/8 videos", "synth: 1/8 videos"]
