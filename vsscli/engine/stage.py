"""What the engine runs: a stage turns videos into label maps, one video at a time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import ClassTable
from vsscli.runs.manifest import Manifest
from vsscli.runs.scores import TopK


@dataclass(frozen=True)
class Frame:
    """One label map: ``uint8 [H, W]``, ids 0..K-1, 255 = no label; ``topk``: its class scores, where they are kept."""

    name: str
    labels: NDArray[np.uint8]
    topk: TopK | None = None


class Input(Protocol):
    """Something a stage reads: ``role`` names it in records, ``has`` tells whether a video is one of its own,
    ``digest`` changes when that video's content does."""

    @property
    def role(self) -> str: ...
    @property
    def path(self) -> Path: ...
    def has(self, video: str) -> bool: ...
    def digest(self, video: str) -> str: ...


class Stage(ABC):
    """What a verb does to a video. Pickled to workers before `open`."""

    manifest: Manifest
    inputs: Sequence[Input]
    table: ClassTable | None  # whose palette the maps are written with
    unit: str = "frames"  # what `count` counts
    topk: int | None = None  # how many class scores of every cell all frames bring along, to be kept
    places: Mapping[str, str] = {}  # where on this machine things lie that the manifest knows by digest alone
    part: float = 1.0  # of a frame's work, what is left to do when `process` gives it: for progress
    step: Callable[[float], None] = staticmethod(lambda part: None)  # tells of the other parts

    def open(self, device: str) -> None:  # noqa: B027 (most stages hold nothing)
        """Loads what is needed, once per worker."""

    @abstractmethod
    def count(self, video: str) -> int:
        """How much work a video is, in frames: what `step` and `process` (with ``part``) will tell. For progress."""

    @abstractmethod
    def process(self, video: str) -> Iterator[Frame]:
        """The label maps of ``video`` in order. A VssError fails this video and no other."""

    def facts(self, video: str) -> Mapping[str, Any]:
        """What the verb adds to the record, asked after `process`."""
        return {}

    def lacks(self, video: str) -> bool:
        """Whether something beside the label maps that is asked for is not there of a finished ``video``."""
        return False

    def finished(self, video: str) -> None:  # noqa: B027 (most stages leave nothing behind)
        """Called once the record of ``video`` stands, and again for finished videos when a run is continued."""

    def close(self) -> None:  # noqa: B027
        """Lets go of what `open` loaded."""
