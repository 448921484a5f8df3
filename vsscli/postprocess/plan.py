"""What is asked about a video: its regions, and the questions about those that look wrong."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsscli.data.dataset import Dataset
from vsscli.errors import RunError, VssError
from vsscli.postprocess.groups import Group
from vsscli.postprocess.keyframes import sharpness, shortlists
from vsscli.postprocess.picture import draw
from vsscli.postprocess.question import Question
from vsscli.postprocess.regions import Region, find_regions
from vsscli.postprocess.rules import KEY_FRAMES, Rules
from vsscli.postprocess.tubes import Follower, Tubes
from vsscli.postprocess.wording import Wording
from vsscli.runs.run import Run
from vsscli.runs.source import check_source_frames

Array = NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    """The regions of a video; ``area`` are the pixels of all its frames."""

    video: str
    frames: tuple[str, ...]
    tubes: Tubes
    regions: tuple[Region, ...]
    area: int

    def masks(self, number: int, labels: Array, wanted: frozenset[int]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """(place in ``regions``, mask ``bool [H, W]``) of those of the ``wanted`` regions that are in a frame.

        ``labels`` are those of the run for frame ``number``.
        """
        places = frozenset(self.regions[i].place for i in wanted)
        for place, mask in self.tubes.masks(number, labels, places):
            for i in sorted(wanted):
                if self.regions[i].place == place:
                    mine = mask & np.isin(labels, self.regions[i].ids)
                    if mine.any():
                        yield i, mine


@dataclass(frozen=True)
class Planner:
    """Makes the plan of a video of ``run``, whose frames are those of ``dataset``: equal input, equal plan."""

    run: Run
    dataset: Dataset
    groups: tuple[Group, ...]
    wording: Wording
    rules: Rules

    def plan(self, video: str, step: Callable[[], None] = lambda: None) -> Plan:
        """Reads the label maps of ``video`` once, and frames and maps again where there is something to ask about.

        ``step`` is called after each label map. RunError or DataError naming what is missing, broken or of odd size.
        """
        check_source_frames(self.dataset, self.run, video)
        frames = self.run.frames(video)
        follower = Follower(self.groups)
        for labels in self._maps(video, frames):
            follower.add(labels)
            step()
        tubes = follower.tubes(self.rules.min_area, self.rules.min_frames)
        regions = tuple(find_regions(tubes, self.groups, self.rules))
        plan = Plan(video, frames, tubes, regions, follower.area)
        self._ask(plan)
        return plan

    def questions(self, video: str) -> list[Question]:
        """The questions about ``video``; none where it cannot be read: that is told when its turn comes."""
        with suppress(VssError):
            return [question for region in self.plan(video).regions for question in region.questions]
        return []

    def _maps(self, video: str, frames: Sequence[str]) -> Iterator[Array]:
        shape: tuple[int, ...] | None = None
        for frame in frames:
            labels = self.run.labels(video, frame)
            if shape not in (None, labels.shape):
                raise RunError(
                    f"Frame {frame} of video {video} in {self.run.path} is {labels.shape[1]}x{labels.shape[0]}, "
                    "the frame before is another size.",
                    "Regions are followed between frames of one size.",
                )
            shape = labels.shape
            yield labels

    def _ask(self, plan: Plan) -> None:
        """Fills in the questions: of each part of a region's time, the sharpest frame of its shortlist."""
        compared: dict[int, dict[int, int]] = {}  # frame -> region -> part of its time
        for i, region in enumerate(plan.regions):
            parts = shortlists(region.tube.frames, region.tube.areas.tolist(), KEY_FRAMES) if region.why else ()
            for part, shortlist in enumerate(parts):
                for number in shortlist:
                    compared.setdefault(number, {})[i] = part
        best: dict[tuple[int, int], tuple[float, Question]] = {}
        for number, image in enumerate(self.dataset.video(plan.video).images() if compared else ()):
            here = compared.get(number, {})
            if here:
                labels, sharp = self.run.labels(plan.video, plan.frames[number]), sharpness(image)
                self._check_size(plan.video, plan.frames[number], image, labels)
                for i, mask in plan.masks(number, labels, frozenset(here)):
                    if sharp > best.get((i, here[i]), (-1.0,))[0]:
                        question = self._question(plan.video, plan.regions[i], plan.frames[number], image, mask)
                        best[i, here[i]] = sharp, question
            if number == max(compared):
                break
        for i, part in sorted(best):
            plan.regions[i].questions.append(best[i, part][1])

    def _question(self, video: str, region: Region, frame: str, image: Array, mask: NDArray[np.bool_]) -> Question:
        content, size = draw(image, mask, self.rules.image)
        group = region.group
        text = self.wording.question(group)
        return Question(video, region.name, group.name, frame, text, group.classes, content, size)

    def _check_size(self, video: str, frame: str, image: Array, labels: Array) -> None:
        if image.shape[:2] != labels.shape:
            raise RunError(
                f"Frame {frame} of video {video} is {image.shape[1]}x{image.shape[0]} in {self.dataset.root} "
                f"and {labels.shape[1]}x{labels.shape[0]} in {self.run.path}.",
                "Give the dataset the run was made from (--data, --split).",
            )
