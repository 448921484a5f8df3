"""The score as one JSON object: fractions 0..1, null where a number is not defined."""

import json
import math
from typing import Any

import numpy as np

from vsscli import __version__
from vsscli.score.measures import class_rates, measures, sum_pixels, window_values
from vsscli.score.reading import Counts


def describe(counts: Counts) -> dict[str, Any]:
    """The score of a counted run.

    Besides the measures: ``windows`` (behind VC of each length, empty ones included), ``empty_windows`` (left out of
    the mean: no pixel of the truth is constant), ``skipped`` (videos without windows of that length, being too short),
    ``dropped`` (videos the protocol leaves out altogether), ``partial`` and ``missing`` (what was not there),
    ``odd_values`` (stored values that no mask should hold; they count as void). ``intervals`` and ``against`` are
    None here: `vsscli.score.intervals` fills them.
    """
    rule, videos = counts.rule, counts.videos
    return {
        "protocol": rule.protocol.name,
        "note": rule.protocol.note,
        "dataset": counts.kind,
        "split": counts.split,
        "classes": len(rule.table),
        "videos": len(videos),
        "frames": sum(video.frames for video in videos),
        **measures(videos, rule.protocol, rule.lengths, len(rule.table)),
        **_windows(counts),
        "dropped": list(counts.dropped),
        "partial": not counts.complete,
        "missing": _missing(counts),
        "allow_void": rule.allow_void,
        "void_pixels": int(sum(video.pixels[:, -1].sum() for video in videos)),
        "odd_values": _odd(counts),
        "intervals": None,
        "against": None,
        "run": {"digest": counts.digest},
        "vsscli": __version__,
        "per_class": _per_class(counts),
        "per_video": [
            {
                "video": video.video,
                "frames": video.frames,
                **measures([video], rule.protocol, rule.lengths, len(rule.table)),
            }
            for video in sorted(videos, key=lambda video: video.video)
        ],
    }


def dumps(result: dict[str, Any]) -> str:
    """The text of the JSON file, with a final newline."""
    return json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _windows(counts: Counts) -> dict[str, dict[str, int | None]]:
    rule = counts.rule
    windows: dict[str, int | None] = {str(n): None for n in rule.lengths}
    if rule.protocol.vc_truth is None:
        return {"windows": windows, "skipped": dict(windows), "empty_windows": dict(windows)}
    values = {n: window_values(counts.videos, rule.protocol.pooled(n)) for n in rule.lengths}
    short = {n: sum(video.length <= n for video in counts.videos) + len(counts.dropped) for n in rule.lengths}
    return {
        "windows": {str(n): len(v) for n, v in values.items()},
        "skipped": {str(n): short[n] for n in rule.lengths},
        "empty_windows": {str(n): int(np.isnan(v).sum()) for n, v in values.items()},
    }


def _missing(counts: Counts) -> dict[str, Any]:
    broken = {str(n): sum(video.broken.get(n, 0) for video in counts.videos) for n in counts.rule.lengths}
    return {
        "videos": list(counts.missing),
        "frames": {video.video: len(video.missed) for video in counts.videos if video.missed},
        "windows": {n: count for n, count in broken.items() if count},
    }


def _odd(counts: Counts) -> dict[str, Any]:
    values = sorted({value for video in counts.videos for value in video.odd})
    return {
        str(value): {
            "pixels": sum(video.odd.get(value, 0) for video in counts.videos),
            "videos": [video.video for video in counts.videos if value in video.odd],
        }
        for value in values
    }


def _per_class(counts: Counts) -> list[dict[str, Any]]:
    """``counted``: whether the class is among those that mIoU averages over."""
    rate = class_rates(sum_pixels(counts.videos, len(counts.rule.table)), counts.rule.protocol)
    return [
        {
            "id": i,
            "name": name,
            "iou": _number(rate.iou[i]),
            "acc": _number(rate.acc[i]),
            "truth_pixels": int(rate.truth[i]),
            "predicted_pixels": int(rate.predicted[i]),
            "counted": bool(rate.counted[i]),
        }
        for i, name in enumerate(counts.rule.table.names)
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
