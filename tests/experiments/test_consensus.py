"""The vote over time is what it is said to be."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.experiments.consensus import consensus, main, weighted_vote
from tests.support import make_vspw
from vsscli.cli.main import run
from vsscli.maps.vote import vote


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_equal_weights_are_a_vote(count: int, seed: int) -> None:
    maps = list(np.random.default_rng(seed).integers(0, 4, (count, 5, 7), np.uint8))
    voted = weighted_vote(maps, [np.ones((5, 7), np.float32)] * count)
    assert (voted == vote(maps)).all()


def test_a_heavier_vote_wins_and_nobody_is_outvoted_by_nothing() -> None:
    one, two = np.full((2, 2), 1, np.uint8), np.full((2, 2), 2, np.uint8)
    light, heavy = np.full((2, 2), 0.5, np.float32), np.full((2, 2), 0.6, np.float32)
    assert (weighted_vote([one, two, two], [light * 2, heavy, heavy]) == 2).all()
    assert (weighted_vote([one, two], [light, light]) == 1).all()


@pytest.mark.parametrize("k", [1, 2, 3])
@settings(deadline=None)
@given(st.integers(1, 7))
def test_a_still_scene_outvotes_a_flicker(k: int, length: int) -> None:
    frame = np.random.default_rng(0).integers(0, 255, (32, 40), np.uint8)
    labels = [np.full((32, 40), 5, np.uint8) for _ in range(length)]
    if length > 2:
        labels[1][:] = 9
    found = list(consensus(iter([(frame, values) for values in labels]), k))
    assert len(found) == length
    assert all((values == 5).all() for values in found)


def test_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_vspw(tmp_path / "data", {"1_a": (4, 48, 64), "2_b": (3, 48, 64)})
    assert (
        run(["infer", str(data), "--model", "oracle:flicker=0.3", "--workers", "1", "--out", str(tmp_path / "r")]) == 0
    )
    capsys.readouterr()
    main([str(tmp_path / "x"), str(tmp_path / "r"), "--data", str(data), "-k", "1", "--workers", "1"])
    rows = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in rows[2:]] == ["| r", "| r, k = 1"]
