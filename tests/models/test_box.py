"""The models in the box: small, loaded strictly, worth something in the world they know, and honest about it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.train.small import make_data, write_model
from vsscli.cli.main import run
from vsscli.data.world import write_world
from vsscli.errors import VssError
from vsscli.models.box import BOX, boxed_card, boxed_models, caution, find_boxed
from vsscli.models.box.pack import MOST_BYTES, pack
from vsscli.models.card import describe_model
from vsscli.models.source import resolve_source

VERSIONS = sorted({folder.name for folder in boxed_models().values()})


def test_all_are_there_and_a_name_is_its_newest_version() -> None:
    assert {"tiny", "tiny-mvc", "tiny-mpvss"} <= set(boxed_models())
    for name, folder in boxed_models().items():
        assert find_boxed(name) == resolve_source(name) == folder
        assert int(folder.name.rpartition("-")[2]) >= int(find_boxed(name).name.rpartition("-")[2])  # type: ignore[union-attr]
    assert find_boxed("tiny-0") is None and find_boxed("models/tiny") is None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_box_is_small_and_says_where_it_comes_from(version: str) -> None:
    folder, card = BOX / version, boxed_card(BOX / version)
    weights = load_file(folder / "model.safetensors")
    assert (folder / "model.safetensors").stat().st_size <= MOST_BYTES
    assert {str(value.dtype) for value in weights.values()} <= {"torch.float16", "torch.int64"}
    assert card["seed"] == json.loads((folder / "train.json").read_text())["seed"]
    assert card["trained_on"]["seed"] != card["scored_on"]["seed"]
    assert card["scored_on"]["size"][0] == 480
    assert 0 < card["miou"] < card["vc8"] < 1
    assert (card["key_interval"] is not None) == describe_model(version).carries


@pytest.mark.parametrize("version", VERSIONS)
def test_it_knows_its_world_and_says_that_it_knows_no_other(
    version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two short videos of a world that nothing was trained or chosen on: most pixels are right."""
    counts = {"train": 0, "val": 2, "test": 0}
    places = tuple(boxed_card(BOX / version)["places"])
    write_world(tmp_path / "w", seed=77, videos=counts, frames=2, size=(240, 424), places=places)
    arguments = [str(tmp_path / "w"), "--model", version, "--device", "cpu", "--out", str(tmp_path / "run")]
    assert run(["infer", *arguments]) == 0
    assert f"{version} has seen nothing but generated videos" in capsys.readouterr().err
    score = ["--data", str(tmp_path / "w"), "--json", str(tmp_path / "s.json"), "--workers", "1"]
    assert run(["score", str(tmp_path / "run"), *score]) == 0
    assert json.loads((tmp_path / "s.json").read_text())["pixel_acc"] > 0.75


def test_other_models_need_no_caution() -> None:
    assert caution("models/tiny-offline") is None


def trained(folder: Path, kind: str, seed: int) -> Path:
    """A folder as a training leaves it."""
    write_model(folder, kind)
    (folder / "preprocessor_config.json").write_text("{}")
    (folder / "train.json").write_text(json.dumps({"seed": seed}))
    return folder


def test_the_packer_halves_and_refuses_what_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = trained(tmp_path / "model", "segmenter", 0)
    size = pack(folder, tmp_path / "box" / "x-1", {"seed": 0})
    before, after = (load_file(place / "model.safetensors") for place in (folder, tmp_path / "box" / "x-1"))
    assert before.keys() == after.keys()
    for name, value in before.items():
        half = value.half() if value.is_floating_point() else value
        assert torch.equal(after[name], half)
    assert size == sum(value.numel() * value.element_size() for value in after.values())
    monkeypatch.setattr("vsscli.models.box.pack.MOST_BYTES", size - 1)
    with pytest.raises(VssError, match="the box takes 3"):
        pack(folder, tmp_path / "box" / "x-2", {})
    (folder / "train.json").unlink()
    monkeypatch.undo()
    with pytest.raises(VssError, match=r"lacks train\.json"):
        pack(folder, tmp_path / "box" / "x-2", {})
    assert not (tmp_path / "box" / "x-2").exists()


def test_the_packer_writes_a_card_from_what_was_made(tmp_path: Path) -> None:
    """From the command line, as ``pipelines/tiny.sh`` calls it."""
    folder = trained(tmp_path / "model", "online", 3)
    for name, seed in (("world", 1), ("unseen", 900)):
        counts = {"train": 1, "val": 0}
        write_world(tmp_path / name, seed=seed, videos=counts, frames=1, size=(24, 40), places=("lake",))
    (tmp_path / "score.json").write_text(json.dumps({"miou": 0.5, "vc8": 0.9, "vc16": 0.8}))
    places = [f"--{name}={tmp_path / name}" for name in ("world", "unseen")]
    more = [*places, f"--score={tmp_path / 'score.json'}", "--name", "y-2", f"--box={tmp_path}", "--key-interval=5"]
    subprocess.run([sys.executable, "-m", "vsscli.models.box.pack", str(folder), *more], check=True)
    card = boxed_card(tmp_path / "y-2")
    assert (card["seed"], card["places"], card["miou"], card["key_interval"]) == (3, ["lake"], 0.5, 5)
    assert (card["trained_on"]["seed"], card["scored_on"]["seed"]) == (1, 900)


def test_a_training_that_starts_from_the_box_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "stage: refiner\ninit: tiny\nsteps: 1\nbatch: 1\nclip: {frames: 2}\nvalidation: {split: null}\n"
        "loss: {points: 16}\ninput: {short: [32], crop: [32, 32]}\n"
    )
    arguments = ["--data", str(make_data(tmp_path / "data")), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert run(["train", str(config), *arguments]) == 0
    assert "has seen nothing but generated videos" in capsys.readouterr().err
