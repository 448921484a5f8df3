"""What is asked about a video: its regions, and the questions about those that look wrong."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vsscli.data.dataset import Dataset
from vsscli.errors import RunError, VssError
from vsscli.postprocess.groups import Group
from vsscli.postprocess.keyframes import sharpness, shortlists
from vsscli.postprocess.picture import draw
from vsscli.postprocess.question import Question
from vsscli.postprocess.rules import KEY_FRAMES, MIXED, Rules
from vsscli.postprocess.tubes import Follower, Tube, Tubes
from vsscli.postprocess.wording import Wording
from vsscli.runs.run import Run
from vsscli.runs.source import check_source_frames

Array = NDArray[np.uint8]


@dataclass
class Region:
    """A region that is big and long enough, called ``name`` within its video.

    ``why`` it is asked about (None: it is not), with one of ``questions`` for each key frame.
    """

    name: str
    group: Group
    tube: Tube
    why: str | None
    questions: list[Question] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """The regions of a video, in the order of `Tubes.tubes`; ``area`` are the pixels of all its frames."""

    video: str
    frames: tuple[str, ...]
    tubes: Tubes
    regions: tuple[Region, ...]
    area: int


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
        regions = tuple(self._regions(tubes))
        self._ask(video, frames, tubes, regions)
        return Plan(video, frames, tubes, regions, follower.area)

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

    def _regions(self, tubes: Tubes) -> Iterator[Region]:
        numbers: dict[str, int] = {}
        for tube in tubes.tubes:
            group = self.groups[tube.group]
            number = numbers[group.name] = numbers.get(group.name, 0) + 1
            name = group.name if group.scope == "image" else f"{group.name}-{number}"
            yield Region(name, group, tube, "all are" if self.rules.when == "all" else suspicion(tube))

    def _ask(self, video: str, frames: Sequence[str], tubes: Tubes, regions: Sequence[Region]) -> None:
        """Fills in the questions: of each part of a region's time, the sharpest frame of its shortlist."""
        lists = {
            i: shortlists(region.tube.frames, region.tube.areas.tolist(), KEY_FRAMES)
            for i, region in enumerate(regions)
            if region.why is not None
        }
        best: dict[tuple[int, int], tuple[float, Question]] = {}
        wanted = {frame: frozenset(i for i in lists if any(frame in part for part in lists[i])) for frame in
                  {frame for parts in lists.values() for part in parts for frame in part}}  # fmt: skip
        last = max(wanted, default=-1)
        for number, image in enumerate(self.dataset.video(video).images() if wanted else ()):
            if number in wanted:
                labels, sharp = self.run.labels(video, frames[number]), sharpness(image)
                self._check_size(video, frames[number], image, labels)
                for i, mask in tubes.masks(number, labels, wanted[number]):
                    for part, shortlist in enumerate(lists[i]):
                        if number in shortlist and sharp > best.get((i, part), (-1.0,))[0]:
                            question = self._question(video, regions[i], frames[number], image, mask)
                            best[i, part] = sharp, question
            if number == last:
                break
        for i, part in sorted(best):
            regions[i].questions.append(best[i, part][1])

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


def suspicion(tube: Tube) -> str | None:
    """Why a region's class may be wrong, None where nothing speaks for it: several classes, or one that flips."""
    pixels = tube.pixels
    if pixels.max() <= (1 - MIXED) * pixels.sum():
        return "it is of several classes"
    main = tube.counts.argmax(1)
    flips = int((main[1:] != main[:-1]).sum())
    return f"its class flips {flips} time{'s' * (flips > 1)}" if flips else None
