"""Which run is chosen, and that its record tells so."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsscli.ensemble.choice import HIGHEST, NO_WINDOW, NONE_ELIGIBLE, ONE_FRAME, ONLY_ONE, choose, read_choice
from vsscli.errors import RunError
from vsscli.runs.record import Record, write_record

MEANS = st.floats(-1, 1, allow_subnormal=False)


@given(st.lists(st.tuples(MEANS, st.booleans()), min_size=1, max_size=6))
def test_the_highest_eligible_mean_wins(runs: list[tuple[float, bool]]) -> None:
    ssim, eligible = tuple(mean for mean, _ in runs), [able for _, able in runs]
    choice = choose("v", 5, ssim, eligible)
    able = [mean for mean, good in runs if good]
    assert choice.ssim == ssim and choice.ineligible == tuple(i for i, good in enumerate(eligible) if not good)
    if not able:
        assert (choice.chosen, choice.why, choice.margin) == (0, NONE_ELIGIBLE, None)
        return
    assert eligible[choice.chosen] and ssim[choice.chosen] == max(able)
    first = next(i for i, (mean, good) in enumerate(runs) if good and mean == max(able))
    assert choice.chosen == first, "among equals the first listed"
    others = [mean for i, (mean, good) in enumerate(runs) if good and i != choice.chosen]
    assert choice.margin == (max(able) - max(others) if others else None)


@given(st.lists(MEANS, min_size=2, max_size=6, unique=True), st.data())
def test_without_ties_the_order_of_the_runs_means_nothing(means: list[float], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(means))))
    here = choose("v", 5, tuple(means), [True] * len(means))
    there = choose("v", 5, tuple(means[i] for i in order), [True] * len(means))
    assert order[there.chosen] == here.chosen and there.margin == here.margin


@pytest.mark.parametrize(
    ("frames", "ssim", "eligible", "chosen", "why"),
    [
        (3, (0.9, 0.8), [True, True], 0, HIGHEST),
        (3, (1.0, 0.8), [False, True], 1, ONLY_ONE),
        (3, (1.0, 0.8, 0.9), [False, True, True], 2, HIGHEST),
        (3, (1.0, 1.0), [False, False], 0, NONE_ELIGIBLE),
        (3, None, [False, True], 1, NO_WINDOW),
        (1, None, [False, True], 0, ONE_FRAME),
        (3, (0.7,), [True], 0, HIGHEST),
    ],
)
def test_why(frames: int, ssim: tuple[float, ...] | None, eligible: list[bool], chosen: int, why: str) -> None:
    choice = choose("v", frames, ssim, eligible)
    assert (choice.chosen, choice.why, choice.ssim) == (chosen, why, ssim)


def record(run: Path, facts: object) -> Path:
    write_record(run, Record("v", ("1",), "0", facts=facts))  # type: ignore[arg-type]
    return run


@given(st.integers(1, 4), st.data())
def test_a_record_gives_the_choice_back(runs: int, data: st.DataObject) -> None:
    eligible = data.draw(st.lists(st.booleans(), min_size=runs, max_size=runs))
    ssim = data.draw(st.none() | st.lists(MEANS, min_size=runs, max_size=runs).map(tuple))
    choice = choose("v", data.draw(st.integers(1, 3)), ssim, eligible)
    with TemporaryDirectory() as folder:
        assert read_choice(record(Path(folder), choice.facts()), "v", runs) == choice


GOOD = choose("v", 3, (0.25, 0.5), [True, True]).facts()


@pytest.mark.parametrize(
    "facts",
    [
        {},
        None,
        [],
        {**GOOD, "chosen": 2},
        {**GOOD, "chosen": "1"},
        {**GOOD, "chosen": True},
        {**GOOD, "ssim": [0.5]},
        {**GOOD, "ssim": 0.5},
        {**GOOD, "ssim": ["x", 0.1]},
        {**GOOD, "margin": "wide"},
        {**GOOD, "ineligible": [5]},
        {**GOOD, "ineligible": [[]]},
        {key: GOOD[key] for key in GOOD if key != "why"},
    ],
)
def test_a_record_that_tells_no_choice_is_named(tmp_path: Path, facts: object) -> None:
    with pytest.raises(RunError, match=r"v\.json: this record does not tell which run was chosen"):
        read_choice(record(tmp_path, facts), "v", 2)
    with pytest.raises(RunError, match="does not tell"):
        read_choice(tmp_path, "other", 2)
