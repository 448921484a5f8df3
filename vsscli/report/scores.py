"""The numbers of a report: those of ``vsscli score``, for every stage of a chain, and from one to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vsscli.report.lineage import find_steps
from vsscli.report.stages import Stages
from vsscli.score.intervals import compare, intervals
from vsscli.score.measures import sum_pixels
from vsscli.score.protocols import find_protocol
from vsscli.score.reading import Counts, count_run, make_rule
from vsscli.score.result import describe

#: The measures of a paper's table.
SHOWN = ("miou", "vc8", "vc16")
#: So many of the confusions of every run are shown.
PAIRS = 15


@dataclass(frozen=True)
class Confusion:
    """Pixels of the class ``truth`` (of ``total``) that each run took for ``predicted``."""

    truth: str
    predicted: str
    total: int
    pixels: tuple[int, ...]


@dataclass(frozen=True)
class Scores:
    """Per run the result of ``vsscli score``, with intervals; ``steps``: for each of ``pairs`` (before, after) of runs
    their comparison (see `find_steps`, `vsscli.score.intervals.compare`); the most frequent ``confusions``, most pixels
    first."""

    results: tuple[dict[str, Any], ...]
    pairs: tuple[tuple[int, int], ...]
    steps: tuple[dict[str, Any], ...]
    confusions: tuple[Confusion, ...]

    def of_video(self, video: str) -> list[dict[str, Any] | None]:
        """Per run what is known of ``video``: None where nothing of it was scored."""
        return [next((row for row in result["per_video"] if row["video"] == video), None) for result in self.results]


def score_stages(stages: Stages, protocol: str, workers: int) -> Scores | None:
    """The scores of all stages by the masks that are there; None where no video has any.

    A pixel without a label counts as wrong, and frames without masks are left out: the results tell both. OptionError
    for an unknown protocol; else raises as `count_run`.
    """
    rules = find_protocol(protocol)
    if not stages.masked:
        return None
    rule = make_rule(stages.dataset, rules, allow_void=True)
    counts = [
        count_run(run, stages.dataset, rule, videos=stages.videos, partial=True, workers=workers, title=f"score {name}")
        for run, name in zip(stages.runs, stages.names, strict=True)
    ]
    results = [{**describe(one), "intervals": intervals(one)} for one in counts]
    pairs = find_steps(stages)
    steps = [compare(counts[after], counts[before]) for before, after in pairs]
    return Scores(tuple(results), tuple(pairs), tuple(steps), tuple(confusions(counts)))


def confusions(counts: Sequence[Counts]) -> list[Confusion]:
    """The `PAIRS` most frequent confusions of every run, together."""
    table = counts[0].rule.table
    pixels = [sum_pixels(one.videos, len(table))[:, :-1] for one in counts]
    totals = sum_pixels(counts[0].videos, len(table)).sum(1)
    wanted: set[tuple[int, int]] = set()
    for matrix in pixels:
        wrong = matrix * (1 - np.eye(len(table), dtype=np.int64))
        for place in np.argsort(-wrong, axis=None, kind="stable")[:PAIRS].tolist():
            truth, predicted = divmod(place, len(table))
            if wrong[truth, predicted]:
                wanted.add((truth, predicted))
    found = [
        Confusion(table.names[t], table.names[p], int(totals[t]), tuple(int(matrix[t, p]) for matrix in pixels))
        for t, p in wanted
    ]
    return sorted(found, key=lambda c: (-max(c.pixels), c.truth, c.predicted))
