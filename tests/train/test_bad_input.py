"""Every mistake of a training has its sentence: exit code 2, nothing lost, nothing half-written."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.support import tree
from tests.train.small import LABEL_MAP, ONE, config_of, curve, flownet_weights, write_config
from vsscli.cli.main import run
from vsscli.errors import DeviceError, RunError
from vsscli.models.source import resolve_source
from vsscli.resources import resource_folder
from vsscli.train.config import TrainConfig
from vsscli.train.explained import explained
from vsscli.train.masking import Mvc, hidden
from vsscli.train.processes import Processes
from vsscli.train.reading import read_config
from vsscli.train.session import Request, _check_processes, open_session


@pytest.fixture
def told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Trains with changes, expects exit code 2, gives what was said; the data stay as they are."""

    def train(stage: str = "segmenter", *, data: Path = data, more: tuple[str, ...] = (), **changes: Any) -> str:
        config = write_config(tmp_path / "c.yaml", stage, **changes)
        before = tree(data) if data.is_dir() else {}
        out = tmp_path / "out"
        words = ["train", str(config), "--data", str(data), "--out", str(out), "--device", "cpu", *more]
        capsys.readouterr()
        assert run(words) == 2
        assert not before or tree(data) == before
        said = " ".join(capsys.readouterr().err.split())
        assert "error: " in said and "Traceback" not in said
        return said

    return train


def copy(data: Path, tmp_path: Path) -> Path:
    shutil.copytree(data, tmp_path / "data")
    return tmp_path / "data"


def test_an_unknown_key(told: Any, tmp_path: Path) -> None:
    assert "learning_rate is not an entry of a training" in told(learning_rate=3)
    assert "'steps' is no key=value" in told(more=("--set", "steps"))
    assert not (tmp_path / "out").exists()


def test_a_clip_with_too_few_frames(told: Any, tmp_path: Path) -> None:
    said = told(clip={"frames": 6})
    assert "Video 2_b has 5 frames with masks, and a clip has 6." in said and "clip.frames" in said
    assert "--set clip.short_videos=hold" in said
    assert not (tmp_path / "out").exists()


def test_a_clip_longer_than_a_video_holds_its_last_frame(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path / "c.yaml", steps=1, validation={"split": None}, clip={"frames": 6})
    words = ["train", str(config), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert run([*words, "--set", "clip.short_videos=hold"]) == 0
    assert "3 videos (1 shorter than a clip: their last frame is held)" in capsys.readouterr().err


def test_a_class_outside_the_table(told: Any, data: Path, tmp_path: Path) -> None:
    mine = copy(data, tmp_path)
    for path in (mine / "data" / "2_b" / "mask").iterdir():
        stored = np.array(Image.open(path))
        stored[5:9] = 200
        Image.fromarray(stored).save(path)
    said = told(data=mine, steps=3, validation={"split": None})
    assert "Video 2_b, frame" in said and "the value 200" in said and "table of 124 classes" in said
    config = write_config(tmp_path / "c.yaml", steps=3, odd_masks="void", validation={"split": None})
    assert run(["train", str(config), "--data", str(mine), "--out", str(tmp_path / "void"), "--device", "cpu"]) == 0


def test_masks_and_frames_that_do_not_fit(told: Any, data: Path, tmp_path: Path) -> None:
    mine = copy(data, tmp_path)
    for path in (mine / "data" / "1_a" / "mask").iterdir():
        Image.open(path).crop((0, 0, 32, 32)).save(path)
    assert "the frame is 64x48, its mask 32x32" in told(data=mine, steps=3, validation={"split": None})
    for path in (mine / "data" / "1_a" / "origin").iterdir():
        path.write_bytes(b"no picture")
    assert "this frame is no image that can be decoded" in told(data=mine, steps=3, validation={"split": None})


def test_data_without_masks(told: Any, data: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain" / "video"
    plain.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(plain / "1.png")
    assert "has no masks to learn from" in told(data=plain.parent)
    mine = copy(data, tmp_path)
    shutil.rmtree(mine / "data" / "1_a" / "mask")
    assert "Video 1_a has 0 frames with masks" in told(data=mine)
    assert "absent" in told(data=tmp_path / "absent")


def test_a_loss_that_is_not_finite_stops_and_names_the_frames(told: Any, tmp_path: Path) -> None:
    """The step before it is kept, and a calmer training may begin anew elsewhere."""
    said = told(
        steps=8, optimizer={"lr": 1e25, "backbone": 1.0, "clip_norm": 1e9, "warmup": 0}, validation={"split": None}
    )
    assert "The loss of step 2 is nan" in said and "2_b (00000003," in said.replace("1_a", "2_b").replace("3_c", "2_b")
    assert "optimizer.lr" in said
    assert [entry["step"] for entry in curve(tmp_path / "out")] == [1]


def test_a_gradient_that_is_not_finite_stops_too(told: Any, tmp_path: Path) -> None:
    said = told(loss={"points": 64, "identity": 1e38}, clip={"frames": 2}, validation={"split": None})
    assert re.search(r"The (gradient|loss) of step 1 is (inf|nan)", said)
    assert curve(tmp_path / "out") == []


def test_memory_that_does_not_suffice(told: Any) -> None:
    said = told(loss={"points": 10**12}, validation={"split": None})
    assert "2 x 2 frames at a time does not fit into the memory" in said
    assert "accumulate=2" in said and "input.crop=[21, 32]" in said


@given(
    st.integers(1, 24),
    st.integers(1, 24),
    st.integers(1, 4),
    st.sampled_from(["input.crop=null", "input.crop=[30, 41]", "input.crop_range=[30, 60]"]),
)
@settings(deadline=None)
def test_what_is_advised_against_a_full_memory_can_be_typed(batch: int, parts: int, world: int, size: str) -> None:
    """By a shell, and the training takes it."""
    assume(batch % (parts * world) == 0)
    file = resource_folder("pipelines") / "configs/dvis/r50-segmenter.yaml"
    changes = [f"batch={batch}", f"accumulate={parts}", "amp=none", size]
    with pytest.raises(DeviceError) as found, explained(read_config(file, changes), world):
        raise MemoryError
    advice = re.findall(r"--set (\S+=\d+|'[^']+')", found.value.hint or "")
    assert len(advice) == 1 + (batch // world > parts)
    for option in advice:
        config = read_config(file, [*changes, *shlex.split(option)])
        _check_processes(config, Processes(0, world, ONE.device))
        assert config.accumulate > parts or (config.input.crop or config.input.crop_range) is not None


def test_a_reader_that_is_lost_is_told() -> None:
    with pytest.raises(DeviceError, match="reads clips was ended from outside"), explained(_CONFIG, 1):
        raise RuntimeError("DataLoader worker (pid 3) is killed by signal: Killed.")
    with pytest.raises(RuntimeError, match="^another$"), explained(_CONFIG, 1):
        raise RuntimeError("another")


_CONFIG = TrainConfig("segmenter", 1, 2)


def test_memory_that_does_not_suffice_elsewhere(
    told: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the model goes to its device, and where a sound checkpoint is read: it is not called damaged."""
    quiet: dict[str, Any] = {"steps": 1, "validation": {"split": None}}
    with monkeypatch.context() as patch:
        patch.setattr(torch.nn.Module, "to", _no_memory)
        assert "does not fit into the memory" in told(**quiet)
    config = write_config(tmp_path / "c.yaml", **quiet)
    assert run(["train", str(config), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    for place in ("torch.load", "torch.optim.Optimizer.load_state_dict"):
        with monkeypatch.context() as patch:
            patch.setattr(place, _no_memory)
            assert "does not fit into the memory" in told(**quiet)


def _no_memory(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def test_processes_that_cannot_meet(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    said = told()
    assert "WORLD_SIZE says 4 processes" in said and "torchrun" in said


def test_more_classes_than_queries(told: Any) -> None:
    assert "classes, and the model 2 queries" in told(more=("--set", "model.queries=2"))


def test_a_model_of_another_stage(told: Any, models: Path) -> None:
    assert "is a segmenter, and a refiner is trained" in told("refiner", init=str(models / "segmenter"))


def test_a_checkpoint_of_another_training(told: Any, data: Path, models: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", steps=1, validation={"split": None})
    out = tmp_path / "out"
    assert run(["train", str(config), "--data", str(data), "--out", str(out), "--device", "cpu"]) == 0
    before = tree(out)
    quiet = {"steps": 1, "validation": {"split": None}}
    assert 'holds another training: its stage is "segmenter"' in told(
        "tracker", init=str(models / "segmenter"), **quiet
    )
    assert "its optimizer.lr is 0.001, not 0.5" in told(**quiet, more=("--set", "optimizer.lr=0.5"))
    (out / ".vsscli" / "checkpoint.pt").write_bytes(b"broken")
    assert "checkpoint.pt cannot be read" in told(**quiet)
    assert tree(out).keys() == before.keys()
    (out / "train.json").write_text("[")
    assert "is not empty and is no training" in told(**quiet)


def test_a_model_without_its_checkpoint_stays(told: Any, data: Path, tmp_path: Path) -> None:
    """Copied, or tidied up: neither another training nor the same one begins upon it."""
    out = tmp_path / "out"
    quiet: dict[str, Any] = {"steps": 1, "validation": {"split": None}}
    config = write_config(tmp_path / "c.yaml", **quiet)
    assert run(["train", str(config), "--data", str(data), "--out", str(out), "--device", "cpu"]) == 0
    (out / ".vsscli" / "log.jsonl").unlink()
    assert run(["train", str(config), "--data", str(data), "--out", str(out), "--device", "cpu"]) == 0
    shutil.rmtree(out / ".vsscli")
    before = tree(out)
    assert "holds a trained model, and no checkpoint to go on from" in told(**quiet)
    assert "holds another training: its steps is 1, not 2" in told(steps=2, validation={"split": None})
    assert 'holds another training: its init is "random"' in told(init=str(out), **quiet)
    assert tree(out) == before
    shutil.rmtree(out)
    box = resolve_source("tiny")
    shutil.copytree(box, out)
    assert "holds another training" in told(init=str(out), model={}, **quiet)
    assert tree(out) == tree(box)


def test_places_that_cannot_be(told: Any, data: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    assert "is a file" in told()
    (tmp_path / "out").unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert "is no training" in told()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_changed_model_to_start_from(told: Any, data: Path, models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "segmenter", tmp_path / "init")
    changes = {"init": str(tmp_path / "init"), "steps": 1, "validation": {"split": None}}
    config = write_config(tmp_path / "c.yaml", "tracker", **changes)
    assert run(["train", str(config), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    found = json.loads((tmp_path / "init" / "config.json").read_text())
    (tmp_path / "init" / "config.json").write_text(json.dumps(found | {"converted": {"by": "someone"}}))
    assert "the model that it starts from (init) has changed" in told("tracker", **changes)


def test_a_flownet_that_is_none_and_one_that_changed(told: Any, data: Path, models: Path, tmp_path: Path) -> None:
    path = tmp_path / "flownet.pth"
    quiet = {"steps": 1, "validation": {"split": None}, "init": str(models / "segmenter"), "flownet": str(path)}
    assert f"The checkpoint {path} is not there" in told("mpvss", **quiet)
    path.write_bytes(b"<html>")
    assert "is a web page, not a checkpoint" in told("mpvss", **quiet)
    torch.save({"conv1.0.conv.weight": torch.zeros(2)}, path)
    said = told("mpvss", **quiet)
    assert "conv1.0.conv.weight is [2] and must be [8, 6, 7, 7]; conv1.0.conv.bias is missing" in said
    assert not (tmp_path / "out").exists()
    torch.save(flownet_weights(), path)
    config = write_config(tmp_path / "c.yaml", "mpvss", **quiet)
    assert run(["train", str(config), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    torch.save({name: 2 * value for name, value in flownet_weights().items()}, path)
    assert "the file flownet has changed" in told("mpvss", **quiet)


def test_other_data(told: Any, data: Path, tmp_path: Path) -> None:
    quiet: dict[str, Any] = {"steps": 1, "validation": {"split": None}}
    config = write_config(tmp_path / "c.yaml", **quiet)
    assert run(["train", str(config), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    mine = copy(data, tmp_path)
    (mine / "train.txt").write_text("1_a\n2_b\n")
    assert "its videos or their labelled frames have changed" in told(data=mine, **quiet)


def test_numbers_without_sense(told: Any, tmp_path: Path) -> None:
    for change, said in {
        "optimizer.lr=-1": "optimizer.lr is -1.0, and must be above 0",
        "optimizer.weight_decay=-1": "optimizer.weight_decay is negative",
        "loss.cosine=-2": "loss.cosine is negative",
        "input.cap=-3": "input.cap is -3, and must be above 0",
        "validation.frames=0": "validation.frames is 0, and must be above 0",
        "seed=8796093022208": "seed is 8796093022208, and the largest is 2147483647",
        "input={crop: null, crop_range: [50, 10]}": "input.crop_range goes from a number to a smaller one",
        "validation=null": "--set validation.split=null",
    }.items():
        assert said in told(more=("--set", change)), change
    assert "validation.split is empty" in told(more=("--set", "validation.split=''"))
    assert not (tmp_path / "out").exists()


def test_frames_too_small_for_the_network(told: Any) -> None:
    assert "frames are too small for this network" in told(steps=1, more=("--set", "input.test_short=1"))


def test_a_rate_that_ruins_the_model_is_told_in_validation(told: Any) -> None:
    said = told(
        steps=1,
        validation={"every": 1},
        optimizer={"lr": 1e25, "backbone": 1.0, "clip_norm": 1e9, "warmup": 0},
    )
    assert "After step 1 the model's scores are not finite. Lower optimizer.lr" in said


def test_a_training_without_a_step_gives_way(told: Any, data: Path, tmp_path: Path) -> None:
    """What ended before its first checkpoint cannot be gone on with, so a corrected one takes its place."""
    loss = {"points": 64, "identity": 1e38}
    told(loss=loss, clip={"frames": 2})
    assert (tmp_path / "out" / "last").is_dir()
    config = write_config(tmp_path / "c.yaml", steps=1, validation={"split": None})
    out = tmp_path / "out"
    assert run(["train", str(config), "--data", str(data), "--out", str(out), "--device", "cpu"]) == 0
    assert not (out / "last").exists() and [entry["step"] for entry in curve(out)] == [1]


def test_a_checkpoint_or_a_log_that_was_spoilt(told: Any, data: Path, tmp_path: Path) -> None:
    quiet: dict[str, Any] = {"steps": 1, "validation": {"split": None}}
    config = write_config(tmp_path / "c.yaml", **quiet)
    words = ["train", str(config), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert run(words) == 0
    place = tmp_path / "out" / ".vsscli"
    log = (place / "log.jsonl").read_bytes()
    (place / "log.jsonl").write_bytes(log + b'\xff\xfe\n{"step": "x"}\n[]\n')
    assert run(words) == 0 and (place / "log.jsonl").read_bytes() == log
    for wrong in ([1], {}, {"step": 1, "model": {}, "heads": {}, "best": 0.0, "best_step": 0}):
        torch.save(wrong, place / "checkpoint.pt")
        assert "does not fit this training" in told(**quiet)


def test_a_disk_that_takes_a_part_of_the_checkpoint(data: Path, tmp_path: Path) -> None:
    """A limit on the size of files, between that of the weights and that of the checkpoint."""
    config = write_config(tmp_path / "c.yaml", steps=1, validation={"split": None})
    command = f"ulimit -f 450; exec {sys.executable} -m vsscli train {config} --data {data} --device cpu"
    done = subprocess.run(
        ["bash", "-c", f"{command} --out {tmp_path / 'out'}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "checkpoint.pt cannot be written" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and not list((tmp_path / "out").rglob("*.tmp"))


def test_weights_to_start_from_that_are_not_finite(told: Any, models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "segmenter", tmp_path / "init")
    weights = load_file(tmp_path / "init" / "model.safetensors")
    name = next(key for key, value in weights.items() if value.is_floating_point())
    save_file(weights | {name: torch.full_like(weights[name], float("nan"))}, tmp_path / "init" / "model.safetensors")
    said = told("tracker", init=str(tmp_path / "init"))
    assert f"its weight {name} is not finite" in said and not (tmp_path / "out").exists()


def test_nothing_to_learn_and_nothing_to_score(told: Any, data: Path, tmp_path: Path) -> None:
    mine = copy(data, tmp_path)
    (mine / "val.txt").write_text("1_a\n")
    (mine / "train.txt").write_text("2_b\n3_c\n")
    for video in ("2_b", "3_c"):
        for path in (mine / "data" / video / "mask").iterdir():
            Image.fromarray(np.full_like(np.array(Image.open(path)), 255)).save(path)
    assert "None of the first 2 clips has a pixel with a label" in told(data=mine, validation={"split": None})
    shutil.rmtree(mine / "data" / "1_a" / "mask")
    said = told(data=mine)
    assert "No frame of the split val has a mask" in said and "validation.split=null" in said


def test_other_classes_than_vspws(told: Any, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = copy(data, tmp_path)
    (mine / "label_num_dic_final.json").write_text(json.dumps({"others": "0", "wall": "1", "sky": "2"}))
    said = told(data=mine)
    assert "gives the number 2 to 'sky', which is VSPW's ceiling" in said and "VSPW's 124 classes" in said
    assert run(["data", "check", str(mine)]) == 1
    assert "which is VSPW's ceiling" in " ".join(capsys.readouterr().out.split())
    (mine / "label_num_dic_final.json").write_text("{")  # broken, and not needed
    config = write_config(tmp_path / "c.yaml", steps=1, validation={"split": None})
    assert run(["train", str(config), "--data", str(mine), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0


def test_a_model_to_start_from_that_is_not_there(told: Any) -> None:
    said = told("tracker", init="models/tiny-identities")
    assert "init: There is no model folder models/tiny-identities." in said and "--set init=FOLDER" in said


def test_a_training_that_kept_no_model_yet(told: Any, data: Path, tmp_path: Path, capsys: Any) -> None:
    told(loss={"points": 64, "identity": 1e38}, clip={"frames": 2}, validation={"split": None})
    words = ["infer", str(data), "--model", str(tmp_path / "out"), "--out", str(tmp_path / "run")]
    assert run(words) == 2
    assert "has no weights yet: its training ended before one was kept" in " ".join(capsys.readouterr().err.split())


def test_places_inside_the_dataset(told: Any, data: Path, tmp_path: Path) -> None:
    mine = copy(data, tmp_path)
    config = write_config(tmp_path / "c.yaml")
    before = tree(mine)
    assert run(["train", str(config), "--data", str(mine), "--out", str(mine / "data" / "model")]) == 2
    assert tree(mine) == before


def test_a_patch_larger_than_the_frame_costs_no_memory() -> None:
    found = hidden(Mvc(patch=10**12), 2, 6, 8, torch.Generator().manual_seed(0))
    assert found.shape == (2, 6, 8) and all(len(frame.unique()) == 1 for frame in found)


def test_a_base_that_is_no_name(tmp_path: Path, told: Any) -> None:
    assert "is no other file" in told(base="a\0b")


def test_two_processes_with_one_output(data: Path, tmp_path: Path) -> None:
    request = Request(config_of(tmp_path, validation={"split": None}), data, tmp_path / "out")
    with open_session(request, ONE, LABEL_MAP) as session:
        next(session.trainer.run())
        with (
            pytest.raises(RunError, match="is being trained by another process"),
            open_session(request, ONE, LABEL_MAP),
        ):
            pass
        assert len(curve(tmp_path / "out")) == 1
    with open_session(request, ONE, LABEL_MAP) as session:
        assert session.done == 1
