"""The experiment runs on a small world, and its table says what it should."""

from pathlib import Path

import pytest

from tests.experiments.key_frames import main
from tests.models.mpvss.cases import write_random
from tests.support import make_vspw


def test_it_runs_on_a_small_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_vspw(tmp_path / "data", {"1_a": (11, 32, 48)})
    model = write_random(tmp_path / "model")
    main([str(tmp_path / "x"), "--model", str(model), "--data", str(data), "--size", "native"])
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[2:] if line[0] == "|"]
    assert [line[:2] for line in lines[1:4]] == [["2", "MPVSS' flow"], ["2", "farneback"], ["2", "zero"]]
    assert [line[0] for line in lines] == ["1", *["2"] * 3, *["5"] * 3, *["10"] * 3]
    every, own, flow, copy = (float(line[-1]) for line in lines[:4])
    assert flow == copy == pytest.approx(every / 2, rel=0.01) and every / 2 < own
