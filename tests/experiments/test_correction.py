"""The experiment runs, finds what answers that are always right repair, and counts as told."""

from pathlib import Path

import pytest

from tests.experiments.correction import KINDS, main


def test_it_runs_on_a_small_world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--waters", "8", "--lands", "1", "--frames", "4", "--size", "48", "64", "--workers", "1", "--right", "1"]
    found = main([str(tmp_path / "x"), *words])
    shown = capsys.readouterr().out
    assert "| whole | 2 |" in shown and "| none | 3 | 0 | 0 | 0 | 0 | 0 |" in shown and "| all | 9 |" in shown
    for when, fates in found.items():
        assert all(fate.hurt == 0 for fate in fates)
        for kind in KINDS:
            these = [fate for fate in fates if fate.kind == kind]
            repaired = [fate.repaired == fate.injected > 0 for fate in these]
            if kind == "none" or (kind == "whole" and when == "mixed"):
                assert not any(fate.changed for fate in these)
            elif kind != "flicker":
                assert all(repaired), "what always looks wrong is always asked about"
    assert any(fate.repaired for fate in found["mixed"] if fate.kind == "flicker")
