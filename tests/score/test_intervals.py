"""The bootstrap, against scoring resampled lists of videos one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.score.brute import CLASSES, Clip, make_clip
from tests.score.test_measures import count, rule_of
from vsscli.score.intervals import FEWEST, RESAMPLES, common, compare, intervals, resample
from vsscli.score.measures import measures
from vsscli.score.protocols import PROTOCOLS
from vsscli.score.reading import Counts


def clips(number: int, flicker: float = 0.1, frames: int = 18) -> list[Clip]:
    return [make_clip(seed, frames, flicker=flicker) for seed in range(number)]


def counts_of(videos: list[Clip], protocol: str = "vspw") -> Counts:
    rule = rule_of(protocol)
    return Counts("vspw", "val", rule, tuple(count(videos, rule)), (), (), "")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.sampled_from(sorted(PROTOCOLS)))
def test_a_resample_is_the_score_of_the_drawn_videos(drawn: list[int], protocol: str) -> None:
    rule = rule_of(protocol)
    videos = count([make_clip(0, 18), make_clip(1, 9), make_clip(2, 30), make_clip(3, 17)], rule)
    times = drawn[: len(videos)]
    listed = [video for video, n in zip(videos, times, strict=True) for _ in range(n)]
    wanted = measures(listed, rule.protocol, rule.lengths, CLASSES)
    got = resample(videos, rule, np.array([times, times], np.float64))
    for name, value in wanted.items():
        assert got[name].shape == (2,)
        assert got[name] == pytest.approx([np.nan if value is None else value] * 2, abs=1e-12, nan_ok=True), name


def test_intervals_are_the_percentiles_of_seeded_resamples() -> None:
    counts = counts_of(clips(7))
    block = intervals(counts, 3)
    assert block == intervals(counts, 3) != intervals(counts, 4)
    assert (block["seed"], block["videos"], block["resamples"], block["level"]) == (3, 7, RESAMPLES, 0.95)
    value = measures(counts.videos, counts.rule.protocol, (8, 16), CLASSES)
    for name, row in block["metrics"].items():
        assert row["low"] < value[name] < row["high"] and row["reason"] is None
    drawn = np.random.default_rng(3).multinomial(7, np.full(7, 1 / 7), RESAMPLES)
    one_by_one = [
        measures([v for v, n in zip(counts.videos, row, strict=True) for _ in range(n)], counts.rule.protocol, (), 124)
        for row in drawn
    ]
    low, high = np.percentile([row["miou"] or np.nan for row in one_by_one], [2.5, 97.5])
    assert block["metrics"]["miou"]["low"] == pytest.approx(low, abs=1e-12)
    assert block["metrics"]["miou"]["high"] == pytest.approx(high, abs=1e-12)


def test_the_interval_narrows_with_more_videos() -> None:
    few, many = (intervals(counts_of(clips(n)))["metrics"]["pixel_acc"] for n in (6, 48))
    assert 1.5 < (few["high"] - few["low"]) / (many["high"] - many["low"]) < 6


def test_too_few_videos_have_no_interval() -> None:
    block = intervals(counts_of(clips(FEWEST - 1)))
    assert all(row["low"] is row["high"] is None and "4 videos" in row["reason"] for row in block["metrics"].values())
    mixed = intervals(counts_of([*clips(2), *clips(4, frames=10)]))["metrics"]
    assert mixed["miou"]["low"] is not None and mixed["vc8"]["low"] is not None
    assert mixed["vc16"] == {
        "low": None,
        "high": None,
        "reason": f"2 videos with windows for VC16, of the {FEWEST} that an interval needs",
    }
    assert intervals(counts_of(clips(6), "mmseg"))["metrics"]["vc8"]["reason"].startswith("0 videos")


def better(videos: list[Clip], share: float) -> list[Clip]:
    """The same videos with ``share`` of the wrong pixels mended."""
    mended = []
    for seed, (stored, predicted) in enumerate(videos):
        fix = (np.random.default_rng(seed).random(stored.shape) < share) & (stored > 0) & (stored < 255)
        mended.append((stored, np.where(fix, stored - 1, predicted).astype(np.uint8)))
    return mended


def test_a_small_gain_everywhere_is_real() -> None:
    videos = clips(12)
    ours, theirs = counts_of(better(videos, 0.05)), counts_of(videos)
    row = compare(ours, theirs)["metrics"]["miou"]
    assert 0 < row["low"] < row["difference"] < row["high"] and row["difference"] == row["value"] - row["against"]
    alone = intervals(ours)["metrics"]["miou"]
    assert row["high"] - row["low"] < (alone["high"] - alone["low"]) / 2, "what makes videos hard cancels out"
    back = compare(theirs, ours)["metrics"]["miou"]
    assert (back["low"], back["high"]) == (-row["high"], -row["low"])


def test_gains_here_and_losses_there_may_be_chance() -> None:
    videos = clips(12)
    ours = counts_of(better(videos[:6], 0.1) + videos[6:])
    theirs = counts_of(videos[:6] + better(videos[6:], 0.1))
    row = compare(ours, theirs)["metrics"]["pixel_acc"]
    assert row["low"] < 0 < row["high"]


def test_a_run_against_itself() -> None:
    counts = counts_of(clips(6))
    block = compare(counts, counts)
    assert block["videos"] == 6 and block["left_out"] == 0
    assert all(row["difference"] == row["low"] == row["high"] == 0 for row in block["metrics"].values())


def test_only_videos_scored_alike_are_compared() -> None:
    full = counts_of(clips(7))
    cut = [full.videos[1], full.videos[2], *full.videos[3:]]
    object.__setattr__(cut[1], "missed", ("5",))
    whole = counts_of(clips(7))
    ours, theirs = common(whole, Counts("vspw", "val", full.rule, tuple(cut), (), (), ""))
    assert (
        [video.video for video in ours.videos] == [video.video for video in theirs.videos] == ["1", "3", "4", "5", "6"]
    )
    block = compare(whole, Counts("vspw", "val", full.rule, tuple(cut), (), (), ""))
    assert block["videos"] == 5 and block["left_out"] == 2 and block["metrics"]["miou"]["difference"] == 0
    nothing = compare(whole, Counts("vspw", "val", full.rule, (), (), (), ""))
    assert nothing["videos"] == 0 and nothing["metrics"]["miou"]["difference"] is None
    assert nothing["metrics"]["miou"]["reason"]
