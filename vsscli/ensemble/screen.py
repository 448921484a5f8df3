"""Choices and explanations as lines of text, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from vsscli.columns import columns
from vsscli.ensemble.choice import HIGHEST, Choice
from vsscli.ensemble.explain import Explanation

#: So many videos are shown, those with the thinnest margins first.
SHOWN = 10


def choice_lines(choices: Sequence[Choice], names: Sequence[str]) -> list[str]:
    """Who won how often, where the margin is thin, and where SSIM did not decide."""
    rows = []
    for i, name in enumerate(names):
        means = [choice.ssim[i] for choice in choices if choice.ssim is not None]
        mean = f"{sum(means) / len(means):.4f}" if means else "-"
        rows.append([name, str(sum(choice.chosen == i for choice in choices)), mean])
    lines = columns(["run", ">chosen", ">mean SSIM"], rows)
    thin = sorted((c for c in choices if c.margin is not None), key=lambda c: (c.margin, c.video))
    if thin:
        of = f", the {SHOWN} thinnest of {len(thin)}" if len(thin) > SHOWN else ""
        lines += ["", f"margins over the next run{of}:"]
        rows = [[c.video, names[c.chosen], f"{_chosen_ssim(c):.5f}", f"{c.margin:.5f}"] for c in thin[:SHOWN]]
        lines += columns(["video", "chosen", ">SSIM", ">margin"], rows)
    for why in dict.fromkeys(c.why for c in choices if c.why != HIGHEST):
        videos = [c.video for c in choices if c.why == why]
        lines += ["", f"{why}: {_some(videos)}"]
    constant = [f"{names[i]} in {c.video}" for c in choices for i in c.ineligible]
    if constant:
        lines += ["", f"not eligible, with fewer than two classes: {_some(constant)}"]
    return lines


def explanation_lines(found: Explanation) -> list[str]:
    """Ways to choose, side by side, and how far SSIM and mIoU agree."""
    count = len(found.videos)
    lines = [f"compared with the masks of {count} video{'s' * (count > 1)}:"]
    rows = [[way.name, f"{100 * way.miou:.2f}", f"{100 * way.per_video:.2f}"] for way in found.ways]
    lines += columns(["chosen by", ">mIoU %", ">mean of videos %"], rows)
    lines += ["", f"the chosen run is the best of its video in {found.hits} of {count}"]
    if found.agreement is not None:
        share = f"{100 * found.agreement:.0f}% of {found.compared}"
        lines.append(f"SSIM and mIoU order two runs of a video alike in {share} comparisons (chance: 50%)")
    return lines


def as_json(choices: Sequence[Choice], names: Sequence[str], ssim_on: str, found: Explanation | None) -> dict[str, Any]:
    """All of it; ``explain`` is None where it was not asked for."""
    return {
        "method": "flow-ssim",
        "ssim_on": ssim_on,
        "runs": list(names),
        "videos": [asdict(choice) for choice in choices],
        "explain": None if found is None else asdict(found),
    }


def _chosen_ssim(choice: Choice) -> float:
    assert choice.ssim is not None
    return choice.ssim[choice.chosen]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
