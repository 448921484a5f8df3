"""The experiment runs, says the same again, and counts as told."""

from pathlib import Path

import numpy as np
import pytest

from tests.experiments.choice import MODELS, agreement, main, percent


def test_it_runs_on_a_small_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(tmp_path / "x"), *["--videos", "2", "--frames", "4", "--size", "48", "64", "--workers", "1"]]
    main(words)
    shown = capsys.readouterr().out
    assert "2 videos" in shown and "Under 20 random numberings" in shown
    rows = [line.split(" | ") for line in shown.splitlines() if line.startswith("| none |")]
    assert [float(cell.strip(" |")) for cell in rows[0][1:2]] == [100.0], "the model without errors has none"
    assert all(f"| {name} |" in shown for name in MODELS)
    main(words)
    assert capsys.readouterr().out == shown


def test_agreement_by_hand() -> None:
    truth = np.array([[0.5, 0.6, 0.6], [0.9, 0.1, 0.2]])
    ssim = np.array([[0.1, 0.2, 0.3], [0.5, 0.5, 0.4]])
    found = agreement(ssim, truth, [(0, 1), (0, 2), (1, 2)])
    assert found.tolist() == [[2, 2], [1, 3]], "what mIoU does not order is left out, a tie of SSIM is no agreement"
    assert percent(found) == "60" and percent(found[:, [0, 0]] * 0) == "-"
    assert percent(found, interval=True) == "60 (33 to 100)"
