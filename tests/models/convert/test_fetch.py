"""Checkpoints on the hub, and a hub that is not there."""

import time
from pathlib import Path

import huggingface_hub.constants
import pytest

from vsscli.errors import ModelError
from vsscli.models.convert.fetch import fetch_checkpoint


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, empty, of a hub that refuses every connection."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    pages = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", pages)
    return tmp_path


def test_a_path_is_itself() -> None:
    assert fetch_checkpoint("a/b.pth") == Path("a/b.pth")


def test_a_hub_that_refuses_is_asked_once_and_silently(
    no_hub: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with pytest.raises(ModelError, match=r"hf://org/name/x\.pth cannot be had from the hub \(.*refused"):
        fetch_checkpoint("hf://org/name/x.pth")
    assert not waits and capfd.readouterr() == ("", "")


def test_what_is_in_the_cache_needs_no_hub(no_hub: Path) -> None:
    sha = "0123456789" * 4
    folder = no_hub / "models--org--name" / "snapshots" / sha
    folder.mkdir(parents=True)
    (no_hub / "models--org--name" / "refs").mkdir()
    (no_hub / "models--org--name" / "refs" / "main").write_text(sha)
    (folder / "x.pth").touch()
    assert fetch_checkpoint("hf://org/name/x.pth") == folder / "x.pth"


def test_the_word_for_a_file_is_none() -> None:
    with pytest.raises(ModelError, match="FILE stands for the name of a file") as caught:
        fetch_checkpoint("hf://org/name/FILE")
    assert "https://huggingface.co/org/name/tree/main" in caught.value.hint
