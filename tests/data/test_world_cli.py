"""``data synth`` on the command line."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from vsscli.cli.synth import parse_size, synth
from vsscli.data.open import open_dataset
from vsscli.errors import OptionError

SMALL = ["--train", "1", "--val", "0", "--test", "1", "--frames", "2", "--workers", "1"]


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(synth)
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_a_world_is_made_and_found_again(tmp_path: Path) -> None:
    out = tmp_path / "w"
    code, text = run(str(out), *SMALL, "--size", "64x36")
    assert code == 0
    assert "2 videos, 4 frames" in text
    assert f"made in {out}" in text
    (name,) = open_dataset(out, "train").names()
    video = open_dataset(out, "train").video(name)
    assert video.image_size(video.frames[0]) == (36, 64)
    code, text = run(str(out), *SMALL, "--size", "64x36")
    assert code == 0
    assert f"are there already in {out}" in text


def test_help_has_an_example_and_says_which_way_round_a_size_is() -> None:
    code, text = run("--help")
    assert code == 0
    assert "vsscli data synth" in text
    assert "WIDTHxHEIGHT" in text


def test_mistakes_are_option_errors(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no video"):
        run(str(tmp_path / "w"), "--train", "0", "--val", "0", "--test", "0")
    assert run(str(tmp_path / "w"), "--workers", "0")[0] == 2
    assert not (tmp_path / "w").exists()


def test_sizes() -> None:
    assert parse_size("854x480") == parse_size(" 854X480 ") == (480, 854)
    for text in ("", "x", "480", "854x", "x480", "854*480", "-8x9", "8.5x9", "8x9x7", "²x9"):
        with pytest.raises(OptionError, match="is no size"):
            parse_size(text)
