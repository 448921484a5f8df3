"""The page: a template, a style and a script of ours, with what a report tells filled in, all of it escaped."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vsscli import __version__
from vsscli.report.content import Content
from vsscli.report.pictures import heat_palette
from vsscli.report.questions import Topic
from vsscli.report.scores import SHOWN, Scores
from vsscli.score import screen
from vsscli.words import plural

_FOLDER = Path(__file__).parent / "page"
#: Where the blocks of the videos go. No text from outside can be this: its "<" would be escaped.
_BLOCKS = "<!--blocks-->"


def render(content: Content) -> tuple[str, str]:
    """The page before and after the blocks of its videos (see `block`)."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    script = (_FOLDER / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    before, after = (
        environment.get_template("report.html")
        .render(
            **_facts(content),
            **_tables(content),
            **(_score_facts(content, content.scores) if content.scores is not None else {}),
            style=Markup((_FOLDER / "report.css").read_text(encoding="utf-8")),
            script=Markup(script),
            script_digest=f"sha256-{digest}",
            page_json=Markup(_json(_page(content))),
        )
        .split(_BLOCKS)
    )
    return before, after


def block(number: int, facts: dict[str, Any]) -> str:
    """What is behind a video, as text that a browser passes over until it is asked for."""
    return f'<script type="application/json" id="block-{number}">{_json(facts)}</script>\n'


def _json(value: object) -> str:
    """JSON that can stand in a script element: nothing in it can end the element or begin a comment."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _facts(content: Content) -> dict[str, Any]:
    stages = content.stages
    sections = [("totals", "Totals"), ("classes", "Classes"), ("confusions", "Confusions")] if content.scores else []
    sections += [(f"selection-{s.stage}", f"Selection: {stages.names[s.stage]}") for s in content.selections]
    sections += [("questions", "Questions")] if content.topics else []
    return {
        "content": content,
        "scores": content.scores,
        "names": stages.names,
        "table": stages.table.names,
        "where": _place(content),
        "frames": sum(row.frames for row in content.rows),
        "sections": [*sections, ("videos", "Videos"), ("lineage", "Lineage")],
        "unscored": _why_unscored(content),
        "measures": SHOWN,
        "shown": [*(SHOWN if content.scores is not None else ()), "flicker"],
        "version": __version__,
        "truth_flicker": any(row.truth is not None for row in content.rows),
        **{name: getattr(screen, name) for name in ("metric_name", "percent", "points", "beyond_chance")},
        "plural": plural,
        "commas": "{:,}".format,
        "share": _share,
        "ssim": lambda value: "–" if value is None else f"{value:.4f}",
    }


def _place(content: Content) -> str:
    dataset = content.stages.dataset
    return " ".join(part for part in (dataset.root.resolve().name, dataset.split) if part)


def _why_unscored(content: Content) -> str:
    stages = content.stages
    if stages.dataset.classes is not None and stages.dataset.classes.digest != stages.table.digest:
        return f"The runs hold the classes of {stages.table.name}, the dataset those of {stages.dataset.classes.name}."
    return f"No video of {_place(content)} has masks."


def _score_facts(content: Content, scores: Scores) -> dict[str, Any]:
    result = scores.results[-1]
    rows = _class_rows(content, scores)
    return {
        "title": screen.title(result)[1:],
        "level": f"{100 * result['intervals']['level']:.0f}%",
        "resamples": result["intervals"]["resamples"],
        "sure": any(row["intervals"]["metrics"][m]["low"] is not None for row in scores.results for m in SHOWN),
        "no_intervals": screen.no_intervals(result),
        "places": {measure: _scale(scores, measure) for measure in SHOWN},
        "class_rows": rows,
        "present": sum(not row["absent"] for row in rows),
        "colors": {name: _css(content, i) for i, name in enumerate(content.stages.table.names)},
    }


def _scale(scores: Scores, measure: str) -> Callable[[float | None], float]:
    """From a fraction to its place on the axis that all runs share, percent of its width."""
    ends = [row["intervals"]["metrics"][measure] for row in scores.results]
    values = [row[measure] for row in scores.results] + [end[side] for end in ends for side in ("low", "high")]
    known = [value for value in values if value is not None] or [0.0]
    low, high = min(known), max(known)
    return lambda value: 50.0 if value is None or high == low else round(4 + 92 * (value - low) / (high - low), 2)


def _class_rows(content: Content, scores: Scores) -> list[dict[str, Any]]:
    total = max(sum(row["truth_pixels"] for row in scores.results[0]["per_class"]), 1)
    rows = []
    for i, of_runs in enumerate(zip(*(result["per_class"] for result in scores.results), strict=True)):
        ious = [row["iou"] for row in of_runs]
        rows.append(
            {
                "id": i,
                "name": of_runs[0]["name"],
                "color": _css(content, i),
                "share": of_runs[0]["truth_pixels"] / total,
                "ious": ious,
                "gain": None if ious[0] is None or ious[-1] is None else ious[-1] - ious[0],
                "absent": all(row["truth_pixels"] + row["predicted_pixels"] == 0 for row in of_runs),
            }
        )
    return rows


def _tables(content: Content) -> dict[str, Any]:
    correctors = sorted({place for topic in content.topics for place in topic.runs})
    ancestors = [{**vars(a), "digest": _label_digest(content, a.name) if a.stage else None} for a in content.ancestors]
    return {
        "video_rows": list(_video_rows(content)),
        "correctors": correctors,
        "topic_rows": list(_topic_rows(content, correctors)),
        "ancestors": ancestors,
    }


def _label_digest(content: Content, name: str) -> str | None:
    """The digest of the scored label maps of a stage."""
    if content.scores is None or name not in content.stages.names:
        return None
    return str(content.scores.results[content.stages.names.index(name)]["run"]["digest"])


def _video_rows(content: Content) -> Iterator[dict[str, Any]]:
    for row in content.rows:
        values: list[tuple[str, float | None]] = []
        if content.scores is not None:
            found = content.scores.of_video(row.video)
            values += [(m, one[m] if one is not None else None) for m in SHOWN for one in found]
        values += [("flicker", value) for value in row.flicker]
        if any(other.truth is not None for other in content.rows):
            values.append(("flicker", row.truth))
        yield {"number": row.number, "video": row.video, "frames": row.frames, "cells": values}


def _topic_rows(content: Content, correctors: list[int]) -> Iterator[dict[str, Any]]:
    numbers = {row.video: row.number for row in content.rows}
    for key, topic in _numbered(content, numbers):
        fates = dict(zip(topic.runs, topic.told, strict=True))
        pixels = topic.told[0].pixels
        yield {
            "block": numbers[topic.video],
            "number": key.partition("/")[2],
            "video": topic.video,
            "region": topic.region,
            "was": ", ".join(sorted(pixels, key=lambda name: -pixels[name])[:3]),
            "changed": topic.changed,
            "fates": [_fate(fates.get(place)) for place in correctors],
        }


def _numbered(content: Content, numbers: dict[str, int]) -> Iterator[tuple[str, Topic]]:
    """Each topic with its place: the block of its video, and its number there."""
    seen: dict[str, int] = {}
    for topic in content.topics:
        place = seen[topic.video] = seen.get(topic.video, -1) + 1
        yield f"{numbers[topic.video]}/{place}", topic


def _fate(told: Any) -> dict[str, str]:
    if told is None:
        return {"sort": "", "decision": "", "note": "not asked"}
    if told.decision is None:
        return {"sort": "", "decision": "", "note": f"unchanged: {told.why}"}
    votes = ", ".join(f"{name} {weight:g}" for name, weight in told.votes.items())
    return {"sort": told.decision, "decision": told.decision, "note": f"votes: {votes}"}


def _page(content: Content) -> dict[str, Any]:
    """What the script needs of all videos."""
    numbers = {row.video: row.number for row in content.rows}
    heat = heat_palette()
    return {
        "runs": list(content.stages.names),
        "classes": list(content.stages.table.names),
        "colors": [_css(content, i) for i in range(len(content.stages.table))],
        "heat": [f"#{heat[3 * i : 3 * i + 3].hex()}" for i in range(0, 256, 51)],
        "topics": {
            key: {"runs": list(topic.runs), "fates": [_told(told) for told in topic.told]}
            for key, topic in _numbered(content, numbers)
        },
    }


def _told(told: Any) -> str:
    if told.decision is None:
        return f"unchanged, {told.why}"
    return f"{told.decision}, {told.changed:,} of {told.of:,} pixels of the video changed"


def _css(content: Content, label: int) -> str:
    return f"#{bytes(content.stages.table.colors[label]).hex()}"


def _share(value: float | None) -> str:
    """A share in percent, with enough digits for small ones."""
    if value is None:
        return "–"
    return "0" if value == 0 else "<0.01" if value < 0.0001 else f"{100 * value:.2f}"
