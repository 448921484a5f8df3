"""Several processes, and memory: what only shows in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.train.small import LABEL_MAP, ONE, curve, write_config
from vsscli.errors import OptionError
from vsscli.train.config import TrainConfig
from vsscli.train.processes import Processes
from vsscli.train.reading import read_config
from vsscli.train.session import Request, _check_processes, open_session

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def test_two_processes_train_one_model(data: Path, tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "c.yaml", steps=3, batch=4, accumulate=2, mvc={"patch": 8}, validation={"every": 3}
    )
    out = tmp_path / "out"
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*started, "-m", "tests.train.two_processes", str(config), str(data), str(out)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[dict[str, Any]] = [json.loads((tmp_path / f"out.{rank}.json").read_text()) for rank in range(2)]
    assert found[0]["weights"] == found[1]["weights"]
    assert "steps of 4 clips (2 processes, 2 x 1 at a time each) of 2 frames" in found[0]["told"][1]
    losses = [[report["loss"] for report in each["reports"]] for each in found]
    alone = write_config(tmp_path / "a.yaml", steps=3, batch=4, accumulate=4, mvc={"patch": 8}, validation={"every": 3})
    with open_session(Request(read_config(alone), data, tmp_path / "alone"), ONE, LABEL_MAP) as session:
        reports = list(session.trainer.run())
    assert losses[0] == losses[1] == pytest.approx([report.loss for report in reports], rel=1e-4)
    assert [each["masked"] for each in found[0]["reports"]] == pytest.approx([r.masked for r in reports], rel=1e-4)
    assert found[0]["reports"][-1]["score"] == found[1]["reports"][-1]["score"] is not None
    assert [entry["step"] for entry in curve(out)] == [1, 2, 3]


def test_when_one_process_ends_the_others_say_so(data: Path, tmp_path: Path) -> None:
    """The first meets a folder of something else, while the second waits for it: a sentence from each."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    config = write_config(tmp_path / "c.yaml", steps=1, validation={"split": None})
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    words = ["train", str(config), "--data", str(data), "--out", str(tmp_path / "out"), "--device", "cpu"]
    done = subprocess.run([*started, "-m", "vsscli", *words], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode != 0 and "is not empty and is no training" in done.stderr
    ours = [line for line in done.stderr.splitlines() if "[rank" in line]
    assert not [line for line in ours if "Traceback" in line], done.stderr[-3000:]


def test_a_batch_that_cannot_be_shared_is_told() -> None:
    config = TrainConfig("segmenter", 1, 6, accumulate=2)
    _check_processes(config, Processes(0, 3, ONE.device))
    with pytest.raises(OptionError, match="6 clips cannot be shared by 2 processes in 2 parts"):
        _check_processes(config, Processes(0, 2, ONE.device))
    with pytest.raises(OptionError, match="fp16 is for GPUs"):
        _check_processes(TrainConfig("segmenter", 1, 1, amp="fp16"), ONE)


def test_mvc_takes_no_memory(tmp_path: Path) -> None:
    """What is taken beyond plain steps; both losses at once take many times that.

    Differences of peaks, because what of the libraries lies in memory before the first step is the system's choice.
    """
    command = [sys.executable, "-W", "ignore", "-m", "tests.train.memory", str(tmp_path)]
    # What is freed goes back to the system at once, so that the peak is of what was held.
    given_back = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(command, env={**ENVIRONMENT, **given_back}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    peak = dict(map(json.loads, done.stdout.splitlines()))
    assert peak["mvc"] <= 1.05 * peak["plain"]
    assert peak["joint"] - peak["plain"] > 8 * (peak["mvc"] - peak["plain"]), peak
