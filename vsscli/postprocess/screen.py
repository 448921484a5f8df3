"""Decisions and what they are worth, as lines of text."""

from collections import Counter
from collections.abc import Sequence

from vsscli.columns import columns
from vsscli.postprocess.effect import Line
from vsscli.postprocess.facts import Told
from vsscli.words import plural

#: So many regions are shown, those of which most pixels change first.
SHOWN = 15


def decision_lines(regions: Sequence[Told]) -> list[str]:
    """What was asked and decided, counted; below it the largest changes, each with the ID that --reject takes."""
    asked = [region for region in regions if region.questions]
    lines = [f"{plural(len(regions), 'region')} of confusable classes, {len(asked)} asked about"]
    lines += [f"{count:>8,}  {fate}" for fate, count in Counter(map(_fate, asked)).most_common()]
    changed = sorted((r for r in asked if r.changed), key=lambda r: (-r.changed, r.video, r.region))
    if changed:
        of = f", the {SHOWN} largest of {len(changed)}" if len(changed) > SHOWN else ""
        lines += ["", f"changes{of} (--reject takes a region back):"]
        lines += columns(
            ["region", "was", "is now", "votes", ">pixels", ">of the video"],
            [_row(region) for region in changed[:SHOWN]],
        )
    return lines


def effect_lines(lines: Sequence[Line], videos: int) -> list[str]:
    """Pixels helped and hurt, and mIoU before and after, for every group."""
    rows = [
        [line.name, f"{line.helped:,}", f"{line.hurt:,}", _percent(line.before), _percent(line.after)] for line in lines
    ]
    heads = ["group", ">pixels helped", ">hurt", ">mIoU before %", ">after %"]
    return [f"compared with the masks of {plural(videos, 'video')}:", *columns(heads, rows)]


def _fate(region: Told) -> str:
    if region.decision is None:
        return f"unchanged: {region.why}"
    return "changed" if region.changed else "unchanged: the answers agree with it"


def _row(region: Told) -> list[str]:
    was = ", ".join(sorted(region.pixels, key=lambda name: -region.pixels[name])[:3])
    votes = ", ".join(f"{name} {weight:g}" for name, weight in region.votes.items())
    share = f"{100 * region.changed / max(region.of, 1):.1f}%"
    return [f"{region.video}/{region.region}", was, str(region.decision), votes, f"{region.changed:,}", share]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
