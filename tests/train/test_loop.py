"""The loop: a stop anywhere changes nothing, what is kept is what was scored, what does not fit is told."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.support import tree
from tests.train.small import BASE, LABEL_MAP, ONE, config_of, curve, entries, write_config
from vsscli.cli.main import run
from vsscli.train.folder import TrainingFolder
from vsscli.train.loop import Trainer, _statistics_kept
from vsscli.train.reading import read_config
from vsscli.train.session import Request, open_session


def train(config: Path, data: Path, out: Path, *more: str) -> int:
    return run(["train", str(config), "--data", str(data), "--out", str(out), "--device", "cpu", *more])


def weights(out: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(out / "model.safetensors")
    return found


def same_but_for_time(one: Path, other: Path) -> None:
    kept = [
        {name: content for name, content in tree(out).items() if ".vsscli" not in name and "train.json" not in name}
        for out in (one, other)
    ]
    assert kept[0].keys() == kept[1].keys()
    assert [name for name in kept[0] if kept[0][name] != kept[1][name]] == []


@pytest.mark.parametrize(
    ("stage", "kind"), [("segmenter", ""), ("tracker", "segmenter"), ("refiner", "online"), ("mpvss", "segmenter")]
)
def test_the_model_that_is_kept_scores_what_the_log_says(
    stage: str, kind: str, data: Path, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Validation is infer and score: the same numbers come out of the two verbs on the folder that is kept."""
    changes: dict[str, Any] = {"init": str(models / kind)} if kind else {}
    config = write_config(tmp_path / "c.yaml", stage, steps=2, **changes)
    assert train(config, data, tmp_path / "out") == 0
    assert "validation: mIoU" in capsys.readouterr().err
    said = curve(tmp_path / "out")[-1]["score"]
    last = tmp_path / "out" / "last"
    assert run(["infer", str(data), "--model", str(last), "--device", "cpu", "--out", str(tmp_path / "run")]) == 0
    told = ["--data", str(data), "--json", str(tmp_path / "score.json"), "--workers", "1"]
    assert run(["score", str(tmp_path / "run"), *told]) == 0
    score = json.loads((tmp_path / "score.json").read_text())
    assert {name: score[name] for name in ("miou", "wiou", "pixel_acc")} == pytest.approx(
        {name: said[name] for name in ("miou", "wiou", "pixel_acc")}, abs=1e-12
    )
    assert all(torch.equal(value, weights(last)[key]) for key, value in weights(tmp_path / "out").items())


def test_best_and_last_are_two_models(data: Path, tmp_path: Path) -> None:
    """A learning rate that ruins the model: the best is an early one, and stays when the training goes on."""
    config = write_config(tmp_path / "c.yaml", steps=6, validation={"every": 1})
    assert train(config, data, tmp_path / "out", "--set", "optimizer.lr=0.05") == 0
    scores = [entry["score"]["miou"] for entry in curve(tmp_path / "out")]
    best = max(scores)
    state = torch.load(tmp_path / "out" / ".vsscli" / "checkpoint.pt", weights_only=True)
    assert state["best"] == best and state["step"] == 6
    if best > scores[-1]:
        assert not torch.equal(*(weights(tmp_path / "out" / part)[_HEAD] for part in ("", "last")))
    else:
        same = (weights(tmp_path / "out" / part)[_HEAD] for part in ("", "last"))
        assert torch.equal(*same)


_HEAD = "segmenter.mask2former.class_predictor.weight"


def test_killed_and_resumed_it_gives_the_same_curve_and_the_same_bytes(data: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", steps=6, mvc={"patch": 8}, loss={"points": 64, "pixels": 1.0})
    assert train(config, data, tmp_path / "whole") == 0
    out = tmp_path / "out"
    command = [sys.executable, "-m", "vsscli", "train", str(config), "--data", str(data), "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*command, "--device", "cpu"], env=environment, stderr=subprocess.DEVNULL)
    deadline, log = time.monotonic() + 120, out / ".vsscli" / "log.jsonl"
    while process.poll() is None and (not log.exists() or len(log.read_bytes().splitlines()) < 3):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert train(config, data, out) == 0
    assert curve(out) == curve(tmp_path / "whole")
    assert [entry["step"] for entry in curve(out)] == [1, 2, 3, 4, 5, 6]
    same_but_for_time(out, tmp_path / "whole")
    assert not list(out.rglob("*.tmp"))
    before = curve(out)
    assert train(config, data, out) == 0  # finished: nothing is done again
    assert curve(out) == before


def test_killed_while_it_validates_only_the_validation_is_done_again(data: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", steps=5, save_every=100, validation={"every": 2})
    assert train(config, data, tmp_path / "whole") == 0
    out, entered = tmp_path / "out", tmp_path / "entered"
    stuck = (
        "import sys, time, pathlib; from vsscli.train.validate import Validator; from vsscli.cli.main import run\n"
        f"Validator.__call__ = lambda *_: (pathlib.Path({str(entered)!r}).touch(), time.sleep(600))\n"
        "run(sys.argv[1:])"
    )
    words = ["train", str(config), "--data", str(data), "--out", str(out), "--device", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", stuck, *words], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while process.poll() is None and not entered.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [entry["step"] for entry in curve(out)] == [1]
    with open_trainer(read_config(config), data, out) as session:
        assert session.done == 2 and session.trainer.due is not None
        reports = list(session.trainer.run())
    assert [report.step for report in reports] == [2, 3, 4, 5] and reports[0].score is not None
    assert curve(out) == curve(tmp_path / "whole")
    same_but_for_time(out, tmp_path / "whole")


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end_it_keeps_the_step_at_hand(asked: signal.Signals, data: Path, tmp_path: Path) -> None:
    """And goes on from there, with readers of its own too, which the signal reaches as well."""
    config = write_config(tmp_path / "c.yaml", steps=400, save_every=1000, validation={"split": None})
    out = tmp_path / "out"
    words = [str(config), "--data", str(data), "--out", str(out), "--device", "cpu", "--workers", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "vsscli", "train", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        deadline, log = time.monotonic() + 120, out / ".vsscli" / "log.jsonl"
        while process.poll() is None and (not log.exists() or len(log.read_bytes().splitlines()) < 3):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.killpg(process.pid, asked)
        said = process.communicate()[1]
    assert process.returncode == 128 + asked, said
    assert "stopping after this step, which is kept" in said and "Traceback" not in said
    done = len(curve(out))
    state = torch.load(out / ".vsscli" / "checkpoint.pt", weights_only=True)
    assert 3 <= done == state["step"] < 400 and weights(out)


def test_weights_that_are_gone_are_written_again(data: Path, tmp_path: Path) -> None:
    config, out = write_config(tmp_path / "c.yaml", steps=2), tmp_path / "out"
    assert train(config, data, out) == 0
    before = weights(out / "last")
    for place in (out, out / "last"):
        (place / "model.safetensors").unlink()
    assert train(config, data, out) == 0
    for place in (out, out / "last"):
        assert all(torch.equal(value, before[key]) for key, value in weights(place).items())


def test_a_validation_without_a_labelled_pixel_keeps_the_last(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "data"
    shutil.copytree(data, mine)
    (mine / "val.txt").write_text("1_a\n")
    (mine / "train.txt").write_text("2_b\n3_c\n")
    for path in (mine / "data" / "1_a" / "mask").iterdir():
        Image.fromarray(np.full_like(np.array(Image.open(path)), 255)).save(path)
    assert train(write_config(tmp_path / "c.yaml", steps=2), mine, tmp_path / "out") == 0
    assert "no pixel with a label in it, so no step is the best" in capsys.readouterr().err
    one, other = weights(tmp_path / "out"), weights(tmp_path / "out" / "last")
    assert all(torch.equal(value, other[key]) for key, value in one.items())


@pytest.mark.parametrize(("stage", "kind"), [("tracker", "segmenter"), ("refiner", "online")])
def test_a_video_without_masks_is_not_validated(
    stage: str, kind: str, data: Path, models: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "data"
    shutil.copytree(data, mine)
    (mine / "val.txt").write_text("1_a\n2_b\n")
    (mine / "train.txt").write_text("2_b\n3_c\n")
    config = write_config(tmp_path / "c.yaml", stage, steps=1, init=str(models / kind))
    shutil.rmtree(mine / "data" / "1_a" / "mask")
    assert train(config, mine, tmp_path / "out") == 0
    (mine / "val.txt").write_text("2_b\n")
    assert train(config, mine, tmp_path / "other") == 0
    assert curve(tmp_path / "out") == curve(tmp_path / "other")


def test_a_backbone_at_rate_zero_stays_as_it_is(data: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", steps=2, validation={"split": None}, norms="frozen")
    still, moved = (tmp_path / name for name in ("still", "moved"))
    for out, factor in ((still, 0), (moved, 1)):
        assert train(config, data, out, "--set", f"optimizer.backbone={factor}") == 0
    key = next(name for name in weights(still) if ".encoder." in name and name.endswith("convolution.weight"))
    with open_trainer(config_of(tmp_path, norms="frozen"), data, tmp_path / "new") as session:
        begun = session.trainer.stage.model.state_dict()[key]
    assert torch.equal(weights(still)[key], begun) and not torch.equal(weights(moved)[key], begun)
    assert {entry["rate"] for entry in curve(still)} == {0.001}


def open_trainer(config: Any, data: Path, out: Path) -> Any:
    return open_session(Request(config, data, out), ONE, LABEL_MAP)


def test_a_line_that_was_being_written_is_taken_out(tmp_path: Path) -> None:
    (tmp_path / ".vsscli").mkdir()
    folder = TrainingFolder(tmp_path)
    folder.log.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    folder.cut_log(2)
    assert folder.log.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_the_gradient_is_that_of_both_losses(data: Path, tmp_path: Path) -> None:
    """Back-propagated one after the other, the loss and the masked one add up: as with both at once."""
    config = config_of(tmp_path, mvc={"patch": 8, "weight": 0.5}, norms="frozen", validation={"split": None})
    with open_trainer(config, data, tmp_path / "out") as session:
        trainer: Trainer = session.trainer
        batch = next(iter(_batches(trainer)))
        trainer._backward(batch, batch.pixels, 4, 1.0, True)
        trainer._backward(batch, trainer._hide(batch.pixels, 4), 5, 0.5, True)
        one = [each.grad.clone() for _, each in trainer.stage.parameters_that_learn() if each.grad is not None]
        trainer.stage.zero_grad()
        clean = trainer.stage(batch.pixels, batch.targets, 0.0, 4)
        masked = trainer.stage(trainer._hide(batch.pixels, 4), batch.targets, 0.0, 5)
        both = sum(clean.values()) + 0.5 * sum(masked.values())
        torch.autograd.backward(both)
        other = [each.grad for _, each in trainer.stage.parameters_that_learn()]
        for mine, its in zip(one, other, strict=True):
            torch.testing.assert_close(mine, its, rtol=1e-4, atol=1e-6)
        assert not torch.isclose(sum(masked.values()), sum(clean.values()))


def _batches(trainer: Trainer) -> Any:
    from vsscli.train.batches import Share, batches

    return batches(trainer.samples, Share(trainer.config.batch), 0, 1, 0)


def test_hidden_patches_leave_the_statistics_alone(data: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, validation={"split": None})
    with open_trainer(config, data, tmp_path / "out") as session:
        stage = session.trainer.stage
        batch = next(iter(_batches(session.trainer)))
        before = {key: value.clone() for key, value in stage.state_dict().items() if "running" in key}
        with _statistics_kept(stage):
            stage(batch.pixels * 3, batch.targets, 0.0, 0)
        assert all(torch.equal(value, before[key]) for key, value in stage.state_dict().items() if key in before)
        stage(batch.pixels * 3, batch.targets, 0.0, 0)
        assert not all(torch.equal(value, before[key]) for key, value in stage.state_dict().items() if key in before)


def test_parts_of_a_batch_hold_the_same_clips(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path / "c.yaml", steps=1, batch=4, validation={"split": None})
    assert train(config, data, tmp_path / "out", "--set", "accumulate=2") == 0
    assert "1 step of 4 clips (2 x 2 at a time) of 2 frames" in capsys.readouterr().err
    assert not (tmp_path / "out" / "last").exists() and weights(tmp_path / "out")
    assert len(curve(tmp_path / "out")) == 1


def test_overfitting_needs_few_clips_and_no_validation(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path / "c.yaml", steps=40, batch=1, clip={"frames": 1})
    assert train(config, data, tmp_path / "out", "--overfit", "1", "--set", "optimizer.lr=0.003") == 0
    losses = [entry["loss"] for entry in curve(tmp_path / "out")]
    assert all("score" not in entry for entry in curve(tmp_path / "out"))
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    told = f"on 1 clip again and again the loss went from {losses[0]:.2f} (step 1) to {losses[-1]:.2f} (step 40)"
    assert told in capsys.readouterr().err
    assert train(config, data, tmp_path / "out", "--set", "optimizer.lr=0.003") == 2  # without --overfit: another one


def test_bf16_trains_on_a_cpu(data: Path, models: Path, tmp_path: Path) -> None:
    """On frames of twice the size of the other tests: where a 3x3 convolution of stride 2 meets a map one pixel wide,
    oneDNN on processors with AVX-512 BF16 takes its gradient from memory that nothing was written to."""
    sizes = {**BASE["input"], "short": [96], "crop": [64, 96]}
    for stage, kind in (("segmenter", ""), ("refiner", "online"), ("mpvss", "segmenter")):
        changes = {"init": str(models / kind)} if kind else {}
        config = write_config(
            tmp_path / "c.yaml", stage, steps=1, validation={"split": None}, amp="bf16", input=sizes, **changes
        )
        assert train(config, data, tmp_path / stage) == 0
        assert all(value.isfinite().all() for value in weights(tmp_path / stage).values() if value.is_floating_point())


def test_every_entry_is_written_down_and_reads_back(data: Path, tmp_path: Path) -> None:
    import yaml

    config = write_config(tmp_path / "c.yaml", steps=1, validation={"split": None})
    assert train(config, data, tmp_path / "out") == 0
    there = json.loads((tmp_path / "out" / "train.json").read_text())
    assert there.pop("overfit") is None and there.pop("init_digest") is None and len(there.pop("data_digest")) == 64
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(there))
    assert train(tmp_path / "again.yaml", data, tmp_path / "out") == 0
    assert entries()["batch"] == there["batch"]


def test_curves_for_tensorboard_are_those_of_the_log(data: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = write_config(tmp_path / "c.yaml", steps=2, validation={"every": 1})
    assert train(config, data, tmp_path / "out", "--tensorboard") == 0
    read = EventAccumulator(str(tmp_path / "out" / "tensorboard"))
    read.Reload()
    for name in ("total", "label", "mask", "dice"):
        points = [(point.step, point.value) for point in read.Scalars(f"loss/{name}")]
        said = [entry["loss"] if name == "total" else entry["terms"][name] for entry in curve(tmp_path / "out")]
        assert points == [(i + 1, pytest.approx(value, rel=1e-6)) for i, value in enumerate(said)]
    assert len(read.Scalars("validation/miou")) == 2
    assert read.Scalars("optimizer/rate")[0].value == pytest.approx(curve(tmp_path / "out")[0]["rate"])


def test_without_tensorboard_it_says_what_to_install(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    config = write_config(tmp_path / "c.yaml", steps=1)
    assert train(config, data, tmp_path / "out", "--tensorboard") == 2
    assert "pip install tensorboard" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
