"""The table over seeds says what the scores say."""

import json
from pathlib import Path

import pytest

from tests.experiments.seeds import main


def write(folder: Path, name: str, miou: float) -> None:
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    found = {"miou": miou, "pixel_acc": 0.9, "vc8": 0.8, "vc16": 0.7}
    (folder / "runs" / f"{name}.json").write_text(json.dumps(found))


def test_mean_range_and_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, (plain, masked) in enumerate(((0.5, 0.53), (0.6, 0.58))):
        write(tmp_path / str(seed), "offline", plain)
        write(tmp_path / str(seed), "offline-mvc", masked)
    write(tmp_path / "0", "online", 0.1)  # of one seed only: no row
    main([str(tmp_path / "0"), str(tmp_path / "1")])
    out = capsys.readouterr().out
    assert "| offline | 55.0 (50.0 to 60.0) | 90.0 (90.0 to 90.0) | 80.0 (80.0 to 80.0) | 70.0 (70.0 to 70.0) |" in out
    assert "| offline-mvc - offline | mIoU | +3.0, -2.0 | +0.5 | 7.1 |" in out
    assert "online |" not in out.replace("offline", "")
