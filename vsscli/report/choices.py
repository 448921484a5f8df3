"""Which run won where, and by what margin: what the records of selections tell."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from vsscli.ensemble.choice import Choice, read_choice
from vsscli.errors import RunError
from vsscli.report.stages import Stages


@dataclass(frozen=True)
class Selection:
    """A stage that keeps one of several runs per video: its place among the stages, what the ``runs`` it chose from
    are called, and its choices, one a video."""

    stage: int
    runs: tuple[str, ...]
    choices: tuple[Choice, ...]

    def wins(self) -> list[tuple[str, int, float | None]]:
        """(run, videos that it won, its median margin where there was one), in the order of the runs."""
        counts = Counter(choice.chosen for choice in self.choices)
        return [(name, counts[i], _median([c.margin for c in self.choices if c.chosen == i and c.margin is not None]))
                for i, name in enumerate(self.runs)]  # fmt: skip

    def of_video(self, video: str) -> Choice | None:
        """The choice for ``video``."""
        return next((choice for choice in self.choices if choice.video == video), None)


def find_selections(stages: Stages) -> list[Selection]:
    """The selections among the stages; RunError for a record that does not tell its choice."""
    found = []
    for place, run in enumerate(stages.runs):
        manifest = run.manifest
        if manifest is None or manifest.verb != "ensemble" or manifest.identity.get("method") != "flow-ssim":
            continue
        inputs = manifest.identity.get("runs")
        if not isinstance(inputs, list) or not inputs:
            raise RunError(f"{run.path / 'run.json'} does not tell which runs were chosen from.", "Make the run again.")
        told = manifest.about.get("runs")
        called = told if isinstance(told, list) and len(told) == len(inputs) else None
        names = tuple(str(called[i]) if called else f"run {i + 1}" for i in range(len(inputs)))
        choices = tuple(read_choice(run.path, video, len(inputs)) for video in stages.videos)
        found.append(Selection(place, names, choices))
    return found


def _median(values: Sequence[float]) -> float | None:
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
