"""What the record of a video tells of its regions: what was asked and answered, what was decided, what changed."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsscli.errors import OptionError, RunError
from vsscli.postprocess.decide import Decision
from vsscli.postprocess.plan import Plan
from vsscli.postprocess.question import Answer
from vsscli.postprocess.regions import Region
from vsscli.runs.record import Record, record_path

#: So much of what a model said is kept in records; all of it is in answers.jsonl.
SAID = 300


def describe_video(
    plan: Plan,
    asked: str,
    answers: Sequence[Sequence[Answer | None]],
    decisions: Sequence[Decision | None],
    rejected: Sequence[str],
) -> dict[str, Any]:
    """The facts of a record: ``regions``, and over all of them the ``unanswered`` questions and ``changed`` pixels."""
    regions = [
        _region(plan, region, asked, given, decision)
        for region, given, decision in zip(plan.regions, answers, decisions, strict=True)
    ]
    return {
        "unanswered": sum(
            question["answer"] is None
            for region in regions
            if region["region"] not in rejected
            for question in region["questions"]
        ),
        "changed": sum(region["changed"] for region in regions),
        "pixels": plan.area,
        "rejected": list(rejected),
        "regions": regions,
    }


def unanswered_keys(record: Record) -> list[str]:
    """The keys of the questions that had no answer when the record was written, and are not about rejected regions."""
    rejected = rejected_regions(record)
    return [
        str(question.get("key"))
        for region in _list(record.facts, "regions")
        if region.get("region") not in rejected
        for question in _list(region, "questions")
        if question.get("answer") is None
    ]


def rejected_regions(record: Record) -> list[str]:
    """The regions that the video was made without: ``--reject`` named them."""
    found = record.facts.get("rejected")
    return [str(region) for region in found] if isinstance(found, list) else []


@dataclass(frozen=True)
class Told:
    """What a record tells of a region: pixels by class and votes by class, both as they were, and what became of it."""

    video: str
    region: str
    pixels: Mapping[str, int]
    questions: int
    votes: Mapping[str, float]
    decision: str | None
    why: str
    changed: int
    of: int  # pixels of the video


def read_regions(run: Path, record: Record) -> list[Told]:
    """The regions of a finished video of ``run``; RunError where its record does not tell them."""
    facts = record.facts
    try:
        for region in facts["regions"]:
            _check_kinds(region)
        told = [
            Told(
                record.video,
                region["region"],
                {str(name): int(count) for name, count in region["pixels"].items()},
                len(region["questions"]),
                {str(name): float(weight) for name, weight in region["votes"].items()},
                None if region["decision"] is None else str(region["decision"]),
                str(region["why"]),
                int(region["changed"]),
                int(facts["pixels"]),
            )
            for region in facts["regions"]
        ]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"{record_path(run, record.video)}: this record does not tell what was asked and decided ({error!r}).",
            f"Remove it and {run / record.video}, and repeat the command that made them.",
        ) from None
    return told


def _check_kinds(region: Mapping[str, Any]) -> None:
    """KeyError, TypeError or ValueError where a part of a region that people are shown is not of its kind."""
    candidates, questions = region["candidates"], region["questions"]
    if not all(isinstance(text, str) for text in (region["region"], region["group"], *candidates)):
        raise TypeError("a name is no text")
    if not (isinstance(candidates, list) and isinstance(questions, list)):
        raise TypeError("the candidates and questions are no lists")
    for question in questions:
        if not isinstance(question, dict):
            raise TypeError("a question is no object")
        answer = question.get("answer")
        chance = answer.get("probability") if isinstance(answer, dict) else None
        if chance is not None and not (type(chance) in (int, float) and math.isfinite(chance)):
            raise ValueError("the probability of an answer is none")
        if isinstance(answer, dict) and not isinstance(answer.get("chosen"), str | None):
            raise TypeError("what an answer chose is no text")


def require_region(video: str, region: str, names: Sequence[str]) -> None:
    """OptionError unless ``region``, which is to be rejected, is one of the regions ``names`` of ``video``."""
    if region not in names:
        there = f"Its regions: {', '.join(names)}." if names else "It has none that is big and long enough."
        raise OptionError(f"--reject {video}/{region}: the video has no such region.", there)


def count_unanswered(record: Record | None) -> int:
    """How many questions about a video had no answer; 0 without a record."""
    return len(unanswered_keys(record)) if record is not None else 0


def _list(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """What a record holds under ``name``: records of other make may hold anything."""
    items = found.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _region(
    plan: Plan, region: Region, asked: str, answers: Sequence[Answer | None], decision: Decision | None
) -> dict[str, Any]:
    tube, classes = region.tube, region.group.classes
    pixels = {name: int(count) for name, count in zip(classes, tube.pixels, strict=True) if count}
    chosen = decision.chosen if decision is not None else None
    return {
        "region": region.name,
        "group": region.group.name,
        "pixels": pixels,
        "frames": [plan.frames[tube.frames[0]], plan.frames[tube.frames[-1]], len(tube.frames)],
        "asked": region.why,
        "question": region.questions[0].text if region.questions else None,
        "candidates": list(classes),
        "questions": [
            {
                "frame": question.frame,
                "key": question.key(asked),
                "image": {"sha256": hashlib.sha256(question.image).hexdigest(), "size": list(question.size)},
                "answer": None if answer is None else _answer(answer),
            }
            for question, answer in zip(region.questions, answers, strict=True)
        ],
        "votes": decision.votes if decision is not None else {},
        "decision": chosen,
        "why": decision.why if decision is not None else "not asked",
        "changed": 0 if chosen is None else sum(pixels.values()) - pixels.get(chosen, 0),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    said = answer.text if len(answer.text) <= SAID else f"{answer.text[:SAID]}..."
    return {"chosen": answer.chosen, "probability": answer.probability, "said": said, "model": answer.model}
