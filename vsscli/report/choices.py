"""Which run won where, and by what margin: what the records of selections tell."""

from collections import Counter
from dataclasses import dataclass
from statistics import median

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
        found = []
        for i, name in enumerate(self.runs):
            margins = [choice.margin for choice in self.choices if choice.chosen == i and choice.margin is not None]
            found.append((name, counts[i], median(margins) if margins else None))
        return found

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
        names = tuple(name for _, name in manifest.inputs())
        if not names:
            raise RunError(f"{run.path / 'run.json'} does not tell which runs were chosen from.", "Make the run again.")
        choices = tuple(read_choice(run.path, video, len(names)) for video in stages.videos)
        found.append(Selection(place, names, choices))
    return found
