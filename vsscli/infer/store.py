"""What is kept of each frame between two passes over a video: in memory, and past a limit in a temporary file."""

import mmap
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsscli.runs.disk import disk_errors

#: Bytes of a video that stay in memory; the rest goes to the file.
IN_MEMORY = 1 << 30

Pages = NDArray[np.float32]


class FrameStore:
    """One float32 tensor per frame, of any shapes, in the order of the frames; a context manager.

    The file is in ``TMPDIR`` where that is set, else in ``folder``. It has no name, so nothing is left of it however
    the process ends, and it is written and read with plain calls: what is mapped would count as the process's memory.
    Threads may read at the same time. Raises DiskError when the disk is full.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.folder = scratch_folder(folder)
        self._limit = IN_MEMORY if limit is None else limit
        self._frames: list[Pages | tuple[torch.Size, int]] = []  # a frame, or its shape and where it is in the file
        self._held = self._written = 0
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._frames.clear()
        if self._file >= 0:
            os.close(self._file)

    def __len__(self) -> int:
        return len(self._frames)

    def append(self, frame: Tensor) -> None:
        """Keeps ``frame``, float32 of any shape on any device."""
        frame = frame.cpu().contiguous()
        size = frame.numel() * frame.element_size()
        if self._held + size <= self._limit:
            self._held += size
            self._frames.append(_in_own_pages(frame))
            return
        self._write(frame.numpy().data.cast("B"))
        self._frames.append((frame.shape, self._written))
        self._written += size

    def read(self, i: int) -> Tensor:
        """The tensor of frame ``i``."""
        kept = self._frames[i]
        if isinstance(kept, np.ndarray):
            return torch.from_numpy(kept)
        shape, start = kept
        frame = np.empty(shape, np.float32)
        buffer, done = frame.data.cast("B"), 0
        with disk_errors(self.folder):
            while done < len(buffer):
                got = os.preadv(self._file, [buffer[done:]], start + done)
                if not got:
                    raise OSError("its temporary file has become shorter")
                done += got
        return torch.from_numpy(frame)

    def _write(self, content: memoryview) -> None:
        done = 0
        with disk_errors(self.folder):
            if self._file < 0:
                if _named_scratch() is None:
                    self.folder.mkdir(parents=True, exist_ok=True)
                self._file = _unnamed(self.folder)
            while done < len(content):
                done += os.pwrite(self._file, content[done:], self._written + done)


def _in_own_pages(frame: Tensor) -> Pages:
    """A copy in memory of its own, all of which goes back to the system: in the heap it would leave holes.

    It is no tensor: the little that torch keeps of one comes from the heap, out of the place where the last frame's
    tensors were, and then the next ones do not fit there. Memory would grow by twice what is kept.
    """
    pages = np.frombuffer(mmap.mmap(-1, frame.numel() * frame.element_size()), np.float32).reshape(frame.shape)
    pages[...] = frame.numpy()
    return pages


def scratch_folder(folder: Path) -> Path:
    """Where temporary files go: ``TMPDIR`` where that is set, else ``folder``."""
    return _named_scratch() or folder


def scratch_is_lost() -> bool:
    """Whether ``TMPDIR`` names what is no folder."""
    named = _named_scratch()
    return named is not None and not named.is_dir()


def _named_scratch() -> Path | None:
    named = os.environ.get("TMPDIR")
    return Path(named) if named else None


def _unnamed(folder: Path) -> int:
    """A file that is gone as soon as it is closed."""
    number, name = tempfile.mkstemp(prefix=".frames.", dir=folder)
    Path(name).unlink()
    return number
