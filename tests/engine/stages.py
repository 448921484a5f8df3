"""Small stages for the engine's tests; importable by spawned workers."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vsscli.data.classes import vspw_classes
from vsscli.engine import Frame, Stage
from vsscli.errors import DataError
from vsscli.runs.manifest import Manifest


@dataclass
class FolderInput:
    """An input whose digest of a video is the content of a file, so that tests can change it."""

    path: Path
    role: str = "data"

    def has(self, video: str) -> bool:
        return not (self.path / f"no {video}").exists()

    def digest(self, video: str) -> str:
        file = self.path / video
        return file.read_text() if file.is_file() else "same"


@dataclass
class Stripes(Stage):
    """``frames`` maps per video that depend on its name alone; faults by the video's name."""

    option: int = 0
    frames: int = 4
    seconds: float = 0.0
    folder: Path | None = None
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.manifest = Manifest("stripes", {"option": self.option})
        self.table = vspw_classes()
        self.inputs = [FolderInput(self.folder)] if self.folder else []

    def count(self, video: str) -> int:
        return self.frames

    def process(self, video: str) -> Iterator[Frame]:
        self.seen.append(video)
        random = np.random.default_rng(list(video.encode()))
        for i in range(self.frames):
            if video.startswith("bad") and i == 2:
                raise DataError(f"frame 2 of {video} is broken.")
            if video.startswith("bug") and i == 2:
                raise ZeroDivisionError("a fault of ours")
            if video.startswith("killed") and i == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(self.seconds)
            yield Frame(f"{i:08d}", random.integers(0, 124, (12, 17), dtype=np.uint8))


def contents(run: Path) -> dict[str, bytes]:
    """Every byte that must be equal between two ways of making a run: run.json and the label maps."""
    files = [path for path in run.rglob("*") if path.is_file() and ".vsscli" not in path.parts]
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(files)}
