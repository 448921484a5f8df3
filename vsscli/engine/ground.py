"""What all nodes of a cluster must have in common: vsscli, the working folder, the inputs, and the disk of the run."""

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vsscli import __version__
from vsscli.processes import stamp
from vsscli.runs.disk import disk_errors
from vsscli.runs.output import OutputRun

PATIENCE = 5.0  # seconds that a network disk may need to show a new file


@dataclass(frozen=True)
class Ground:
    """``paths`` are inputs; ``token`` is a file on the run's disk that holds ``word``, where there is a run."""

    folder: Path
    paths: tuple[Path, ...]
    token: Path | None = None
    word: str = ""
    version: str = __version__

    def missing(self) -> str | None:
        """Asked on a node, which takes the same working folder: what it lacks, as the end of a sentence."""
        if self.version != __version__:
            return f"has vsscli {__version__}, and the command is {self.version}"
        if self.folder.is_dir():
            os.chdir(self.folder)
        for path in self.paths:
            if not _seen(path):
                return f"does not see {path} (an input)"
        if self.token is not None and not self._token_seen():
            return f"does not see what is written to {self.token.parents[3]} (--out)"
        return None

    def _token_seen(self) -> bool:
        assert self.token is not None
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.token.read_text() == self.word
            except OSError:
                if time.monotonic() > until:
                    return False
                time.sleep(0.5)


@contextmanager
def common_ground(paths: Sequence[Path], run: OutputRun | None = None) -> Iterator[Ground]:
    """The ground that nodes are to stand on; inside the block the token is there. Raises DiskError."""
    there = tuple(path for path in paths if path.exists())
    if run is None:
        yield Ground(Path.cwd(), there)
        return
    folder = run.doing / f".shared.{stamp()}"  # of a process that was killed: swept like its videos
    word = secrets.token_hex(8)
    try:
        with disk_errors(run.path):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / word).write_text(word)
        yield Ground(Path.cwd(), there, folder / word, word)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _seen(path: Path) -> bool:
    """Whether ``path`` is there. An empty folder is a disk that was not mounted."""
    try:
        return any(path.iterdir()) if path.is_dir() else path.exists()
    except OSError:
        return False
