"""What people read: numbers in percent, sentences that are true, nothing hidden without a word."""

from typing import Any

import pytest
from rich.console import Console

from tests.score.brute import make_clip
from tests.score.test_intervals import better, clips, counts_of
from vsscli.score import screen
from vsscli.score.intervals import compare, intervals
from vsscli.score.result import describe


def text(block: Any, width: int = 80) -> str:
    console = Console(width=width, markup=False)
    with console.capture() as captured:
        console.print(block)
    return captured.get()


def test_totals_in_percent() -> None:
    result = describe(counts_of(clips(7)))
    shown = text(screen.totals(result))
    assert f"mIoU {100 * result['miou']:15.2f}".split() == shown.splitlines()[1].split()[:2]
    assert "70 windows" in shown and "14 windows" in shown and "interval" not in shown
    result["intervals"] = intervals(counts_of(clips(7)))
    row = result["intervals"]["metrics"]["vc8"]
    assert f"{100 * row['low']:.2f} .. {100 * row['high']:.2f}" in text(screen.totals(result))
    assert screen.no_intervals(result) is None


def test_protocols_say_what_they_are() -> None:
    videos = [*clips(2), make_clip(1, 9)]
    dvis = describe(counts_of(videos, "dvis"))
    assert "not comparable" in " ".join(screen.title(dvis)) and "VC8+16" in text(screen.totals(dvis))
    assert "VC16" not in text(screen.totals(dvis)) + text(screen.videos(dvis)) and "vc16" in dvis
    assert "VC8+16" not in text(screen.totals(describe(counts_of(videos))))
    mmseg = describe(counts_of(videos, "mmseg"))
    assert "not part of this protocol" in text(screen.totals(mmseg))
    assert "in the truth or prediction" in text(screen.totals(mmseg))
    assert "1 video too short" in text(screen.totals(describe(counts_of(videos))))


def test_few_classes_are_all_shown_worst_first() -> None:
    result = describe(counts_of(clips(2)))
    counted = sorted((row for row in result["per_class"] if row["counted"]), key=lambda row: row["iou"])
    lines = text(screen.classes(result)).splitlines()[1:]
    assert [line.split()[0] for line in lines] == [row["name"] for row in counted]
    assert screen.hidden(result) is None


def test_many_classes_show_the_worst_and_the_best() -> None:
    result = describe(counts_of(clips(30, frames=2)))
    counted = sorted((row for row in result["per_class"] if row["counted"]), key=lambda row: (row["iou"], row["id"]))
    lines = text(screen.classes(result), 120).splitlines()
    assert len(lines) == 11 and lines[1].split()[0] == counted[0]["name"]
    assert counted[-1]["name"] in lines[1] and counted[-10]["name"] in lines[10]
    hidden = screen.hidden(result)
    assert hidden is not None and f"the other {len(counted) - 20} classes and each of the 30 videos" in hidden


@pytest.mark.parametrize("protocol", ["vspw", "dvis"])
def test_everything_fits_80_columns(protocol: str) -> None:
    counts = counts_of(clips(30), protocol)
    result = describe(counts)
    result["intervals"] = intervals(counts)
    result["against"] = compare(counts, counts)
    for block in (screen.totals(result), screen.classes(result), screen.comparison(result["against"])):
        assert text(block, 80).splitlines() == [line[:80] for line in text(block, 200).splitlines()]


def verdict(ours: Any, theirs: Any) -> str:
    return screen.verdict(compare(ours, theirs))


def test_the_verdict_is_one_true_sentence() -> None:
    videos = clips(12)
    base, up = counts_of(videos), counts_of(better(videos, 0.05))
    assert verdict(up, base).startswith("mIoU +") and "more than chance on these videos" in verdict(up, base)
    assert verdict(base, up).startswith("mIoU -") and "more than chance on these videos" in verdict(base, up)
    mixed = counts_of(better(videos[:6], 0.1) + videos[6:]), counts_of(videos[:6] + better(videos[6:], 0.1))
    assert "may be chance" in verdict(*mixed) and "includes 0" in verdict(*mixed)
    assert verdict(base, base) == "mIoU: no difference on any of the 12 videos."
    assert "cannot be told: 3 videos" in verdict(counts_of(better(videos[:3], 0.1)), counts_of(videos[:3]))
    void = counts_of([(videos[0][0] * 0, videos[0][1])])
    assert verdict(void, void) == "mIoU is not defined for both runs."


def test_the_comparison_marks_what_is_beyond_chance() -> None:
    videos = clips(12)
    table = text(screen.comparison(compare(counts_of(better(videos, 0.05)), counts_of(videos))))
    assert table.splitlines()[1].split()[-1] == "yes" and table.splitlines()[0].rstrip().endswith("beyond chance")
    few = text(screen.comparison(compare(counts_of(better(videos[:3], 0.1)), counts_of(videos[:3]))))
    assert few.splitlines()[1].split()[-1] == "-"
    base = counts_of(videos)
    assert text(screen.comparison(compare(base, base))).splitlines()[1].split()[-1] == "no"


def test_reasons_for_missing_intervals() -> None:
    counts = counts_of(clips(3), "mmseg")
    result = describe(counts)
    assert screen.no_intervals(result) is None
    result["intervals"] = intervals(counts)
    reason = screen.no_intervals(result)
    assert reason is not None and reason.count("3 videos") == 1 and "vc8" not in reason
