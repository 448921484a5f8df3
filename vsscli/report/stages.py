"""What a report is made of: runs of the same videos, called by their names, and their dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from vsscli.data.classes import ClassTable
from vsscli.data.dataset import Dataset
from vsscli.engine import select_videos
from vsscli.errors import OptionError
from vsscli.report.colors import shown_table
from vsscli.runs.merge import check_once, check_tables, check_videos
from vsscli.runs.run import Run
from vsscli.runs.source import check_source

#: So many runs have a colour of their own.
MOST = 8


@dataclass(frozen=True)
class Stages:
    """``runs`` in the order of a chain, each a stage of it; ``videos`` are those that are shown, sorted."""

    runs: tuple[Run, ...]
    dataset: Dataset
    videos: tuple[str, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the runs are called: by their folders, with the way there where two are called alike."""
        names = tuple(run.path.resolve().name for run in self.runs)
        return names if len(set(names)) == len(names) else tuple(str(run.path) for run in self.runs)

    @cached_property
    def table(self) -> ClassTable:
        """The classes of the label maps, in colours that can be told apart."""
        return shown_table(self.runs, self.dataset)

    @cached_property
    def masked(self) -> frozenset[str]:
        """The videos with masks in the classes of the runs; none where the dataset numbers classes differently."""
        classes = self.dataset.classes
        if classes is None or classes.digest != self.table.digest:
            return frozenset()
        return frozenset(self.dataset.masked(self.videos))


def gather(runs: Sequence[Run], dataset: Dataset, videos: str | None) -> Stages:
    """The stages of a report, checked: all ``runs`` hold all videos of ``dataset``, or those that ``videos`` names.

    OptionError for too many runs, one listed twice, or a name that is no video; RunError naming the first difference.
    """
    if len(runs) > MOST:
        raise OptionError(f"A report shows {MOST} runs at most, these are {len(runs)}.", "Make several reports.")
    check_once(runs, "Name each run once.")
    check_tables(runs)
    names = tuple(sorted(dataset.names())) if videos is None else select_videos(dataset.names(), videos, None)
    for run in runs:
        check_source(dataset, [run], run.names() if videos is None else (), ())
    check_videos(runs, names)
    for run in runs:
        check_source(dataset, [run], names, names)
    return Stages(tuple(runs), dataset, names)
