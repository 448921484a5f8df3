"""Decisions and what they are worth, as lines of text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vsscli.columns import columns
from vsscli.postprocess.effect import Line
from vsscli.runs.record import Record

#: So many regions are shown, those of which most pixels change first.
SHOWN = 15


def decision_lines(records: Sequence[Record]) -> list[str]:
    """What was asked and decided, counted; below it the largest changes, each with the ID that --reject takes."""
    regions = [(record, region) for record in records for region in record.facts["regions"]]
    asked = [(record, region) for record, region in regions if region["questions"]]
    lines = [f"{_count(regions, 'region')}, {len(asked)} asked about, in {_count(records, 'video')}"]
    reasons = Counter("changed" if region["decision"] else region["why"] for _, region in asked)
    lines += [f"{count:>8,}  {reason}" for reason, count in reasons.most_common()]
    changed = [(record, region) for record, region in asked if region["decision"]]
    changed.sort(key=lambda pair: (-pair[1]["changed"], pair[0].video, pair[1]["region"]))
    if changed:
        of = f", the {SHOWN} largest of {len(changed)}" if len(changed) > SHOWN else ""
        lines += ["", f"changes{of} (--reject takes a region back):"]
        rows = [_row(record, region) for record, region in changed[:SHOWN]]
        lines += columns(["region", "was", "is now", "votes", ">pixels", ">of the video"], rows)
    return lines


def effect_lines(lines: Sequence[Line], videos: int) -> list[str]:
    """Pixels helped and hurt, and mIoU before and after, for every group."""
    rows = [
        [line.name, f"{line.helped:,}", f"{line.hurt:,}", _percent(line.before), _percent(line.after)] for line in lines
    ]
    heads = ["group", ">pixels helped", ">hurt", ">mIoU before %", ">after %"]
    return [f"compared with the masks of {videos:,} video{'s' * (videos != 1)}:", *columns(heads, rows)]


def _row(record: Record, region: Mapping[str, Any]) -> list[str]:
    was = ", ".join(sorted(region["pixels"], key=lambda name: -region["pixels"][name])[:3])
    votes = ", ".join(f"{name} {weight:g}" for name, weight in region["votes"].items())
    share = region["changed"] / max(record.facts["pixels"], 1)
    name = f"{record.video}/{region['region']}"
    return [name, was, region["decision"], votes, f"{region['changed']:,}", f"{100 * share:.1f}%"]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def _count(items: Sequence[object], noun: str) -> str:
    return f"{len(items):,} {noun}{'s' * (len(items) != 1)}"
