"""What a verb says at its end."""

from pathlib import Path

import pytest
import typer

from vsscli.cli.talk import finish
from vsscli.engine import Outcome


@pytest.mark.parametrize("done", [[], ["c"]])
def test_a_failed_video_is_a_line_and_the_others_are_named_where_there_are_some(
    done: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = Outcome(before=done, failed={"a": "Bad:\n  mat1 and\n mat2", "b": "Worse."}, asked=3)
    with pytest.raises(typer.Exit):
        finish(outcome, Path("out"), "infer")
    lines = capsys.readouterr().err.splitlines()
    assert lines[-3:-1] == ["  a: Bad: mat1 and mat2", "  b: Worse."]
    assert lines[-1].startswith("The others are finished") == bool(done)
    assert lines[-1].lower().endswith("mend these and repeat the command.")
