"""What stages read: datasets and runs, with the role they have in records."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vsscli.data.dataset import Dataset
from vsscli.runs.run import Run


@dataclass(frozen=True)
class DatasetInput:
    """The frames of a dataset."""

    dataset: Dataset
    role: str = "data"

    @property
    def path(self) -> Path:
        return self.dataset.root

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.dataset.names())

    def has(self, video: str) -> bool:
        return video in self._names

    def digest(self, video: str) -> str:
        return self.dataset.video(video).digest


@dataclass(frozen=True)
class RunInput:
    """The label maps of a run."""

    run: Run
    role: str = "run"

    @property
    def path(self) -> Path:
        return self.run.path

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.run.names())

    def has(self, video: str) -> bool:
        return video in self._names

    def digest(self, video: str) -> str:
        return self.run.digest(video)
