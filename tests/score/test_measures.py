"""Every protocol against its definition written out plainly, and what must hold of any score."""

import math
from collections.abc import Collection, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.score.brute import CLASSES, Clip, confusion, expected, make_clip, windows
from vsscli.data.classes import vspw_classes
from vsscli.data.vspw import vspw_numbering
from vsscli.score.measures import class_rates, measures, sum_pixels
from vsscli.score.protocols import PROTOCOLS, STANDARD
from vsscli.score.tally import Rule, Tally, VideoCounts


def rule_of(protocol: str, lengths: Collection[int] = STANDARD, allow_void: bool = False) -> Rule:
    return Rule(PROTOCOLS[protocol], tuple(sorted(lengths)), vspw_classes(), vspw_numbering(), allow_void)


def count(clips: Sequence[Clip], rule: Rule) -> list[VideoCounts]:
    """The clips as videos ``0``, ``1`` ..., those too short for the protocol left out."""
    videos = []
    for name, (stored, predicted) in enumerate(clips):
        if len(stored) < rule.protocol.shortest:
            continue
        tally = Tally(str(name), len(stored), rule)
        for i, frame in enumerate(zip(stored, predicted, strict=True)):
            tally.add(str(i), *frame)
        videos.append(tally.counts())
    return videos


def score(clips: Sequence[Clip], protocol: str, lengths: Collection[int] = STANDARD) -> dict[str, float | None]:
    rule = rule_of(protocol, lengths)
    return measures(count(clips, rule), rule.protocol, rule.lengths, CLASSES)


@st.composite
def some_clips(draw: st.DrawFn) -> list[Clip]:
    """One to four videos of 1 to 21 frames."""
    return [
        make_clip(
            draw(st.integers(0, 2**32)),
            draw(st.integers(1, 21)),
            (draw(st.integers(3, 6)), draw(st.integers(4, 11))),
            draw(st.integers(1, 6)),
            draw(st.sampled_from([0.0, 0.03, 0.2, 1.0])),
            draw(st.booleans()),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]


def close(ours: dict[str, float | None], theirs: dict[str, float | None]) -> bool:
    assert ours.keys() == theirs.keys()
    return all(
        a is b or (a is not None and b is not None and math.isclose(a, b, rel_tol=0, abs_tol=1e-12))
        for a, b in zip(ours.values(), theirs.values(), strict=True)
    )


@settings(max_examples=200, deadline=None)
@given(some_clips(), st.sampled_from(sorted(PROTOCOLS)), st.sets(st.integers(1, 22), max_size=3))
def test_every_protocol_is_its_definition(clips: list[Clip], protocol: str, extra: set[int]) -> None:
    lengths = sorted({*STANDARD, *extra})
    assert close(score(clips, protocol, lengths), expected(clips, protocol, lengths))


@pytest.mark.parametrize("protocol", ["vspw", "cffm", "dvis"])
@pytest.mark.parametrize("length", [1, 2, 16, 17, 18])
def test_windows_around_the_length_of_the_video(protocol: str, length: int) -> None:
    clips = [make_clip(3, 17), make_clip(4, 20)]
    got = score(clips, protocol, {*STANDARD, length})[f"vc{length}"]
    assert got is not None
    assert got == pytest.approx(expected(clips, protocol, [length])[f"vc{length}"], abs=1e-12)
    rule = rule_of(protocol, {*STANDARD, length})
    assert [len(video.windows[length]) for video in count(clips, rule)] == [max(17 - length, 0), 20 - length]


def test_the_last_bit() -> None:
    """float64 sums depend on their order: window by window and video by video, for DVIS++ length by length."""
    clips = [make_clip(seed, 12 + 3 * seed, flicker=0.1) for seed in range(9)]
    eight, sixteen = windows(clips, 8), windows(clips, 16)
    vspw, dvis = score(clips, "vspw"), score(clips, "dvis")
    assert [vspw["vc8"], vspw["vc16"]] == [np.nanmean(eight), np.nanmean(sixteen)]
    assert [dvis["vc8"], dvis["vc16"]] == [np.nanmean(eight), np.nanmean(eight + sixteen)]
    by_video = [value for clip in clips for n in (8, 16) for value in windows([clip], n)]
    assert np.nanmean(by_video) != dvis["vc16"], "another order of the same numbers can be told"
    table = confusion(clips)[:, :CLASSES].astype(float)
    hits, true = np.diag(table), table.sum(axis=1)
    with np.errstate(invalid="ignore"):
        iou = hits / (true + table.sum(axis=0) - hits)
    assert vspw["miou"] == np.nansum(iou * (true > 0)) / (true > 0).sum()
    assert vspw["wiou"] == ((true / true.sum())[true > 0] * iou[true > 0]).sum()
    assert score(clips, "mmseg")["miou"] == np.nanmean(iou)


def perfect(clips: list[Clip]) -> list[Clip]:
    """Predictions that are the truth (any class where the truth is void)."""
    return [
        (stored, np.where((stored < 1) | (stored > CLASSES), 1, stored).astype(np.uint8) - 1) for stored, _ in clips
    ]


@settings(max_examples=60, deadline=None)
@given(some_clips(), st.sampled_from(sorted(PROTOCOLS)))
def test_the_truth_scores_one(clips: list[Clip], protocol: str) -> None:
    void_free = [(np.clip(stored, 1, CLASSES), predicted) for stored, predicted in clips]
    for name, value in score(perfect(void_free), protocol).items():
        assert value is None or value == pytest.approx(1.0, abs=1e-12), name
    for name, value in score(perfect(clips), protocol).items():
        assert name.startswith("vc") or value is None or value == pytest.approx(1.0, abs=1e-12), name


@settings(max_examples=60, deadline=None)
@given(some_clips(), st.sampled_from(sorted(PROTOCOLS)), st.integers(0, 2**32))
def test_new_numbers_for_the_classes_change_nothing_else(clips: list[Clip], protocol: str, seed: int) -> None:
    new = np.random.default_rng(seed).permutation(CLASSES)
    stored_as = np.arange(256, dtype=np.uint8)
    stored_as[1 : CLASSES + 1] = new + 1
    moved = [(stored_as[stored], new.astype(np.uint8)[predicted]) for stored, predicted in clips]
    assert close(score(moved, protocol), score(clips, protocol))
    before, after = (class_rates(pixels_of(c, protocol), PROTOCOLS[protocol]) for c in (clips, moved))
    assert np.array_equal(after.iou[new], before.iou, equal_nan=True)
    assert np.array_equal(after.counted[new], before.counted)


def pixels_of(clips: list[Clip], protocol: str) -> NDArray[np.int64]:
    return sum_pixels(count(clips, rule_of(protocol)), CLASSES)


@settings(max_examples=60, deadline=None)
@given(some_clips(), st.sampled_from(sorted(PROTOCOLS)))
def test_scores_lie_between_0_and_1(clips: list[Clip], protocol: str) -> None:
    result = score(clips, protocol)
    assert all(value is None or 0 <= value <= 1 for value in result.values())
    assert list(result) == ["miou", "wiou", "pixel_acc", "class_acc", "vc8", "vc16"]


def test_a_class_predicted_but_not_in_the_truth() -> None:
    stored = np.full((1, 2, 2), 5, np.uint8)
    predicted = np.array([[[4, 4], [4, 9]]], np.uint8)
    assert score([(stored, predicted)], "vspw")["miou"] == 0.75
    assert score([(stored, predicted)], "mmseg")["miou"] == 0.375


def test_nothing_labelled() -> None:
    clip = np.zeros((20, 3, 3), np.uint8), np.zeros((20, 3, 3), np.uint8)
    assert score([clip], "vspw") == {
        **dict.fromkeys(("miou", "wiou", "pixel_acc", "class_acc")),
        "vc8": 1.0,
        "vc16": 1.0,
    }
    assert set(score([clip], "mmseg").values()) == {None}
    assert set(score([], "vspw").values()) == {None}


def test_dvis_pools_the_windows_of_8_and_16() -> None:
    clips = [make_clip(1, 12), make_clip(2, 20)]
    vspw, dvis = score(clips, "vspw"), score(clips, "dvis")
    rule = rule_of("vspw")
    eight, sixteen = (sum(len(video.windows[n]) for video in count(clips, rule)) for n in (8, 16))
    assert dvis["vc8"] == vspw["vc8"] and vspw["vc8"] is not None and vspw["vc16"] is not None
    pooled = (eight * vspw["vc8"] + sixteen * vspw["vc16"]) / (eight + sixteen)
    assert dvis["vc16"] == pytest.approx(pooled, abs=1e-14) and dvis["vc16"] != vspw["vc16"]


def test_voids_are_two_values_unless_merged() -> None:
    stored = np.full((20, 1, 4), 6, np.uint8)
    stored[:, 0, :2] = np.where(np.arange(20) // 4 % 2, 0, 255)[:, None]
    predicted = np.full((20, 1, 4), 5, np.uint8)
    predicted[9, 0, 0] = 9
    clips = [(stored, predicted)]
    assert score(clips, "vspw")["vc8"] == 1.0, "the flicker lies where the truth changes its kind of void"
    merged = score(clips, "cffm")["vc8"]
    assert merged is not None and merged < 1.0
