"""What the methods of ``vsscli ensemble`` share: several runs of the same videos in, one run out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsscli.engine import Input, Stage
from vsscli.engine.inputs import RunInput
from vsscli.errors import OptionError
from vsscli.runs.manifest import Manifest, describe_classes
from vsscli.runs.merge import check_frames, check_once, check_sizes, check_tables, check_videos
from vsscli.runs.run import Run


@dataclass(frozen=True)
class Request:
    """The options of ``vsscli ensemble`` that only some methods take; None (or False) where one was not given."""

    data: Path | None = None
    split: str | None = None
    ssim_on: str | None = None
    explain: bool = False
    json: str | None = None


class EnsembleStage(Stage):
    """The runs, alike and each listed once, with the manifest of what is made of them.

    ``told`` says for people what is being done. Raises OptionError for no run or one listed twice, RunError for runs of
    different class tables.
    """

    told: str

    def __init__(self, runs: Sequence[Run], method: str, identity: Mapping[str, Any]) -> None:
        _check_list(runs)
        check_tables(runs)
        self.runs = list(runs)
        self.inputs: list[Input] = [RunInput(run, f"run{i}") for i, run in enumerate(runs)]
        self.table = next(filter(None, (run.table for run in runs)), None)
        self.manifest = Manifest(
            "ensemble",
            {"method": method, **identity, "runs": [run.identity for run in runs]},
            describe_classes(self.table),
            about={"runs": [run.path.name for run in runs]},
        )

    def names(self) -> tuple[str, ...]:
        """The videos that any of the runs has, sorted."""
        return tuple(sorted({name for run in self.runs for name in run.names()}))

    def check(self, videos: Sequence[str], chosen: Sequence[str]) -> None:
        """RunError naming the first difference: all runs must have ``videos``, and of ``chosen`` the same frames."""
        check_videos(self.runs, videos)
        for video in chosen:
            check_frames(self.runs, video)
            check_sizes(self.runs, video)

    def count(self, video: str) -> int:
        return len(self.runs[0].frames(video))


def _check_list(runs: Sequence[Run]) -> None:
    if not runs:
        raise OptionError("An ensemble takes at least one run.")
    check_once(runs, "Each run counts once.")
