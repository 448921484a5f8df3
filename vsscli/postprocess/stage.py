"""Step *apply*: from a run and answers to label maps, offline; the same input gives the same bytes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import ClassTable
from vsscli.engine import Frame, Input, Stage
from vsscli.engine.inputs import DatasetInput, RunInput
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.decide import UNANSWERED, Decision, decide
from vsscli.postprocess.facts import describe_video, require_region, unanswered_keys
from vsscli.postprocess.groups import groups_digest
from vsscli.postprocess.plan import Plan, Planner
from vsscli.postprocess.question import Answer
from vsscli.postprocess.regions import Region
from vsscli.postprocess.rules import Rules
from vsscli.runs.manifest import Manifest, describe_classes
from vsscli.runs.record import read_record


class Asked(Protocol):
    """Who is asked: a name for people, and the identity that enters the keys of answers."""

    @property
    def name(self) -> str: ...
    @property
    def asked(self) -> str: ...


class CorrectStage(Stage):
    """Regions take the class that the answers in ``out`` agree on; ``rejected`` holds ``(video, region)`` that do not.

    A video with an unanswered question passes through unchanged, and so does one of which nothing is to change.
    """

    table: ClassTable
    part = 0.4  # of a frame's work; its regions are found before

    def __init__(
        self, planner: Planner, asked: Asked, out: Path, rejected: frozenset[tuple[str, str]], table: ClassTable
    ) -> None:
        self.planner, self.out, self.rejected, self.table = planner, out, rejected, table
        self.asked = asked.asked
        run, dataset = planner.run, planner.dataset
        self.inputs: Sequence[Input] = [RunInput(run), DatasetInput(dataset)]
        identity = {
            "method": "llm",
            "run": run.identity,
            "data": dataset.kind,
            "split": dataset.split,
            "asked": asked.asked,
            "groups": groups_digest(planner.groups),
            "prompt": planner.wording.digest,
            **planner.rules.identity(),
        }
        about = {"run": run.path.name, "llm": asked.name, "groups": [group.name for group in planner.groups]}
        self.manifest = Manifest("postprocess", identity, describe_classes(table), about=about)
        self._answers: AnswerStore | None = None
        self._facts: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Workers read the answers themselves: what is read here holds a lock, which cannot be sent."""
        return {**self.__dict__, "_answers": None}

    @property
    def answers(self) -> AnswerStore:
        """The answers as they are when they are first looked at."""
        if self._answers is None:
            self._answers = AnswerStore(self.out)
        return self._answers

    def count(self, video: str) -> int:
        return len(self.planner.run.frames(video))

    def lacks(self, video: str) -> bool:
        """Whether an answer has come since ``video`` was finished, or other regions of it are to be rejected."""
        record = read_record(self.out, video)
        if record is None:
            return False
        if record.facts.get("rejected") != self._rejected(video):
            return True
        return any(self.answers.get(key) is not None for key in unanswered_keys(record))

    def process(self, video: str) -> Iterator[Frame]:
        plan = self.planner.plan(video, lambda: self.step(1 - self.part))
        self._check_rejected(plan)
        answers = [[self.answers.get(q.key(self.asked)) for q in region.questions] for region in plan.regions]
        decisions = decide_video(plan, answers, self._rejected(video), self.planner.rules)
        self._facts = describe_video(plan, self.asked, answers, decisions, self._rejected(video))
        changes = {
            i: self.table.index(decision.chosen)
            for i, decision in enumerate(decisions)
            if decision is not None and decision.chosen is not None
        }
        for number, frame in enumerate(plan.frames):
            labels = self.planner.run.labels(video, frame)
            yield Frame(frame, relabel(plan, number, labels, changes))

    def facts(self, video: str) -> Mapping[str, Any]:
        return self._facts

    def _rejected(self, video: str) -> list[str]:
        return sorted(region for name, region in self.rejected if name == video)

    def _check_rejected(self, plan: Plan) -> None:
        names = [region.name for region in plan.regions]
        for region in self._rejected(plan.video):
            require_region(plan.video, region, names)


def decide_video(
    plan: Plan, answers: Sequence[Sequence[Answer | None]], rejected: Sequence[str], rules: Rules
) -> list[Decision | None]:
    """A decision for each region of the plan; None for those nobody asks about.

    While one question of the video is unanswered nothing in it changes, but for those about ``rejected`` regions, which
    nobody asks. Regions are taken in order as long as no more than ``rules.max_share`` of the video's pixels change.
    """
    decisions = [
        decide(region.group.classes, given, rules) if region.questions else None
        for region, given in zip(plan.regions, answers, strict=True)
    ]
    for i, (region, decision) in enumerate(zip(plan.regions, decisions, strict=True)):
        if decision is not None and decision.why == UNANSWERED and region.name in rejected:
            decisions[i] = decision.refused("rejected")
    waiting = any(decision is not None and decision.why == UNANSWERED for decision in decisions)
    left = rules.max_share * plan.area
    for i, (region, decision) in enumerate(zip(plan.regions, decisions, strict=True)):
        if decision is None or decision.chosen is None:
            continue
        change = changed_pixels(region, decision.chosen)
        refusal = None
        if region.name in rejected:
            refusal = "rejected"
        elif waiting:
            refusal = "another question about this video is unanswered"
        elif change > left:
            refusal = "too much of the video would change"
        if refusal is not None:
            decisions[i] = decision.refused(refusal)
        else:
            left -= change
    return decisions


def changed_pixels(region: Region, chosen: str) -> int:
    """How many pixels change when ``region`` takes the class ``chosen``."""
    pixels = region.tube.pixels
    return int(pixels.sum() - pixels[region.group.classes.index(chosen)])


def relabel(plan: Plan, number: int, labels: NDArray[np.uint8], changes: Mapping[int, int]) -> NDArray[np.uint8]:
    """``labels`` of a frame with the new ids of the regions in ``changes``: place in the plan -> id."""
    if not changes:
        return labels
    changed = labels.copy()
    for region, mask in plan.masks(number, labels, frozenset(changes)):
        changed[mask] = changes[region]
    return changed
