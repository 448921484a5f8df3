"""``--explain``: what the choice is worth, against ``vsscli score`` and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.ensemble.test_flow_ssim import FRAMES, command, place
from vsscli.cli.main import run as vsscli
from vsscli.data.camvid import camvid_classes
from vsscli.data.open import open_dataset
from vsscli.ensemble.choice import Choice, choose
from vsscli.ensemble.explain import check_explainable, count_video, miou, summarise
from vsscli.errors import RunError
from vsscli.runs.manifest import Manifest, describe_classes
from vsscli.runs.run import Run, open_run

__all__ = ["place"]


def score(run: Path, data: Path, result: Path) -> float:
    assert vsscli(["score", str(run), "--data", str(data), "--json", str(result), "--workers", "1"]) == 0
    return float(json.loads(result.read_text())["miou"])


def test_the_ways_are_what_score_says_of_them(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(place, "--explain", "--json", place / "x.json", runs="r0 r1 r2") == 0
    shown = capsys.readouterr().out
    result = json.loads((place / "x.json").read_text())
    ways = {way["name"]: way for way in result["explain"]["ways"]}
    assert ways["flow-ssim"]["miou"] == pytest.approx(score(place / "out", place / "data", place / "s.json"), abs=1e-12)
    for run in ("r0", "r1", "r2"):
        expected = score(place / run, place / "data", place / f"{run}.json")
        assert ways[f"{run} throughout"]["miou"] == pytest.approx(expected, abs=1e-12)
        of_videos = json.loads((place / f"{run}.json").read_text())["per_video"]
        mine = [row[int(run[1])] for row in result["explain"]["miou"]]
        np.testing.assert_allclose(mine, [row["miou"] for row in of_videos], atol=1e-12)
    assert result["explain"]["videos"] == sorted(FRAMES)
    assert result["explain"]["hits"] == 3 and ways["best run of each video"] == {
        **ways["flow-ssim"],
        "name": "best run of each video",
    }
    assert [video["chosen"] for video in result["videos"]] == [0, 1, 0]
    assert "the chosen run is the best of its video in 3 of 3" in shown and "(chance: 50%)" in shown


def test_json_on_stdout_leaves_nothing_else_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(place, "--json", "-") == 0
    shown = capsys.readouterr()
    result = json.loads(shown.out)
    assert result["explain"] is None and result["runs"] == ["r0", "r1"] and "mean SSIM" in shown.err
    assert set(result["videos"][0]) == {"video", "chosen", "why", "ssim", "ineligible", "margin"}


def counts(*runs: tuple[int, int, int]) -> NDArray[np.int64]:
    """(hits, truth, predicted) of one class for each run."""
    found = np.zeros((len(runs), 3, 256), np.int64)
    found[:, :, 7] = runs
    return found


def choice(video: str, *ssim: float) -> Choice:
    return choose(video, 9, ssim, [True] * len(ssim))


def test_a_summary_worked_out_by_hand() -> None:
    videos = [choice("a", 0.9, 0.8), choice("b", 0.9, 0.7), choice("c", 0.5, 0.6)]
    pixels = [counts((5, 10, 5), (10, 10, 10)), counts((10, 10, 10), (5, 10, 5)), counts((0, 20, 20), (20, 20, 20))]
    found = summarise(videos, pixels, ["x", "y"])
    assert found.miou == ((0.5, 1.0), (1.0, 0.5), (0.0, 1.0))
    ways = {way.name: (way.miou, way.per_video) for way in found.ways}
    assert ways == {
        "flow-ssim": (35 / 40, 2.5 / 3),
        "best single run: y": (35 / 40, 2.5 / 3),
        "random choice (expected)": (50 / (80 + 70 - 50), 4 / 6),
        "best run of each video": (1, 1),
        "x throughout": (15 / (40 + 35 - 15), 0.5),
        "y throughout": (35 / 40, 2.5 / 3),
    }
    assert (found.hits, found.agreement, found.compared) == (2, 2 / 3, 3)


def test_comparisons_without_an_order_are_left_out() -> None:
    same, tie = counts((5, 10, 5), (5, 10, 5)), choice("b", 0.5, 0.5)
    nothing = choose("c", 1, None, [True, True])
    found = summarise([choice("a", 0.9, 0.8), tie, nothing], [same, counts((1, 2, 1), (2, 2, 2)), same], ["x", "y"])
    assert found.agreement is None and found.compared == 0


def test_void_counts_nowhere_and_classes_out_of_the_truth_count_in_no_mean(place: Path) -> None:
    found = count_video(open_dataset(place / "data"), [open_run(place / "r0")], "a")
    assert found.shape == (1, 3, 256) and found[0, 1].sum() == found[0, 2].sum() == FRAMES["a"] * (64 * 80 - 3)
    assert miou(np.zeros((3, 256), np.int64)) == 0
    both = counts((5, 10, 10))[0]
    both[2, 9] = 50  # predicted, not in the truth
    assert miou(both) == 5 / 15


def test_other_classes_are_refused(place: Path) -> None:
    other = Run(place / "r0", Manifest("test", {}, describe_classes(camvid_classes())))
    with pytest.raises(RunError, match="holds the classes of camvid"):
        check_explainable(open_dataset(place / "data"), [open_run(place / "r1"), other], ["a"])
