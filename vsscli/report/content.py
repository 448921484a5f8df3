"""What a page tells."""

from dataclasses import dataclass

from vsscli.report.choices import Selection
from vsscli.report.lineage import Ancestor
from vsscli.report.questions import Topic
from vsscli.report.scores import Scores
from vsscli.report.stages import Stages


@dataclass(frozen=True)
class Row:
    """What is known of a video before it is opened: a `Sheet` without its pictures, and the ``number`` of its block."""

    number: int
    video: str
    frames: int
    flicker: tuple[float | None, ...]
    truth: float | None


@dataclass(frozen=True)
class Content:
    """All that a page tells but what is behind its videos; ``scores`` is None where there are no masks."""

    stages: Stages
    scores: Scores | None
    selections: list[Selection]
    topics: list[Topic]
    ancestors: list[Ancestor]
    rows: list[Row]
    most: int
