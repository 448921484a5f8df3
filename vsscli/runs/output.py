"""Writing a run. The atomic unit is the video.

A worker writes into ``RUN/.vsscli/doing/<video>.<host>.<pid>/``, renames that folder to ``RUN/<video>``, then writes
the record. Resuming, shards, several processes and shared disks follow from this without locks.
"""

import json
import os
import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vsscli import __version__
from vsscli.data.dataset import visible_files
from vsscli.errors import DataError, RunError
from vsscli.processes import is_stale, stamp
from vsscli.runs.disk import disk_errors, nearest_above, refuse_inputs, sweep_temporary
from vsscli.runs.labels import read_labels, write_labels
from vsscli.runs.manifest import Manifest, read_manifest, write_manifest
from vsscli.runs.record import LabelDigest, Record, files_state, read_record, record_path, write_record
from vsscli.runs.scores import ScoresDigest, TopK, describe_scores, scores_folder, scores_stand, write_scores


def check_output(path: Path, manifest: Manifest, inputs: Sequence[Path]) -> bool:
    """Whether a run at ``path`` would be continued (True) or made (False).

    RunError when it is neither absent, nor empty, nor a run of equal identity; OptionError when it lies inside an input
    or an input inside it. Writes nothing.
    """
    refuse_inputs("--out", path, inputs)
    check_above(path)
    if not path.exists():
        return False
    if not path.is_dir():
        raise RunError(f"--out {path} is a file.", "Give a folder that is absent, empty, or a run to continue.")
    there = None if _abandoned(path) else read_manifest(path)
    if there is None:
        if any(not _is_bookkeeping(item) for item in path.iterdir()):
            raise RunError(
                f"--out {path} is not empty and is no run of vsscli.", "Give a folder that is absent or empty."
            )
        return False
    _require_equal(path, there, manifest)
    return True


def check_above(path: Path) -> None:
    """RunError where ``path`` lies below a file. Writes nothing."""
    with disk_errors(path):
        above = nearest_above(path)
    if not above.is_dir():
        raise RunError(f"--out {path} lies below {above}, which is a file.", "Give a folder that is absent or empty.")


def _require_equal(path: Path, there: Manifest, manifest: Manifest) -> None:
    differences = there.differences(manifest)
    if differences:
        raise TakenError(
            f"--out {path} was made otherwise ({'; '.join(differences)}).",
            "Repeat the options it was made with to continue it, or choose another folder.",
        )


class TakenError(RunError):
    """The folder holds a run of other options: no video can be written there."""


class OutputRun:
    """A run that is being written. Made by `open_output`; can be pickled to workers.

    ``topk``: how many class scores of every cell are kept beside the label maps, None for none.
    """

    def __init__(self, path: Path, manifest: Manifest, palette: bytes | None, topk: int | None = None) -> None:
        self.path, self.manifest, self.palette, self.topk = path, manifest, palette, topk

    @property
    def doing(self) -> Path:
        return self.path / ".vsscli" / "doing"

    def record(self, video: str) -> Record | None:
        return read_record(self.path, video)

    def finished(self, video: str) -> bool:
        """Whether the record of ``video`` stands and its files are there as they were written."""
        record = self.record(video)
        return record is not None and is_whole(self.path, record, self.topk)

    def sweep(self, gone: Sequence[str] = ()) -> None:
        """Removes what processes of this machine that are gone left: folders in ``doing/``, temporary files.

        ``gone``: stamps of processes of other machines, too, that are known to be gone.
        """
        sweep_temporary(self.path)
        sweep_temporary(self.path / ".vsscli" / "done")
        for folder in self.doing.iterdir():
            if is_stale(folder.name) or folder.name.endswith(tuple(f".{name}" for name in gone)):
                shutil.rmtree(folder, ignore_errors=True)

    def being_written(self, video: str) -> bool:
        """Whether a process, here or on another host, is writing ``video`` or died while it was."""
        return self.doing.is_dir() and any(folder.name.startswith(f"{video}.") for folder in self.doing.iterdir())

    def claim(self) -> None:
        """Puts ``run.json`` there; TakenError when a process with other options was first."""
        if not write_manifest(self.path, self.manifest):
            there = read_manifest(self.path)
            if there is not None:
                _require_equal(self.path, there, self.manifest)

    def release(self) -> None:
        """Takes ``run.json`` away again when nothing was finished: work that made nothing claims no folder."""
        if _abandoned(self.path):
            (self.path / "run.json").unlink(missing_ok=True)

    def begin(self, video: str, again: bool = False) -> "VideoWriter":
        """A writer for one video, in a folder of this process; ``again``: it replaces a finished video."""
        return VideoWriter(self, video, again)

    def log(self, event: str, **facts: Any) -> None:
        """Appends one line to ``.vsscli/log.jsonl``; a log that cannot be written stops nothing."""
        line = json.dumps(
            {"time": round(time.time(), 3), "host": socket.gethostname(), "pid": os.getpid(), "event": event, **facts}
        )
        try:
            with (self.path / ".vsscli" / "log.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError:
            pass


class VideoWriter:
    """Frames of one video, invisible until `commit`; leaving the block without it removes them.

    Entering it claims the run: TakenError when it is another's, before any work is done.
    """

    def __init__(self, run: OutputRun, video: str, again: bool = False) -> None:
        self._run = run
        self._video = video
        self._again = again
        self._folder = run.doing / f"{video}.{stamp()}"
        self._frames: list[str] = []
        self._digest, self._scores = LabelDigest(), ScoresDigest()
        self.only: int | None = None  # the label that all pixels so far have, None as soon as there are two
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        _check_name(self._video)
        try:
            with disk_errors(self._folder):
                shutil.rmtree(self._folder, ignore_errors=True)
                (self._folder / _SCORES if self._run.topk else self._folder).mkdir(parents=True)
            self._run.claim()
        except BaseException:  # another's run, or Ctrl-C, once the folder was there
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        try:
            shutil.rmtree(self._folder, ignore_errors=True)
        except KeyboardInterrupt:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def add(self, frame: str, labels: NDArray[np.uint8], topk: TopK | None = None) -> None:
        """Writes one frame, ``uint8 [H, W]``, and its class scores where the run keeps them; DiskError."""
        path = self._folder / f"{frame}.png"
        with disk_errors(self._run.path / self._video / f"{frame}.png"):
            write_labels(path, labels, self._run.palette)
        if self._run.topk:
            assert topk is not None, "the stage promised class scores"
            with disk_errors(scores_folder(self._run.path, self._video) / f"{frame}.npz"):
                write_scores(self._folder / _SCORES / f"{frame}.npz", topk)
            self._scores.add(frame, topk)
        self._digest.add(frame, labels)
        self._frames.append(frame)
        first = int(labels.flat[0]) if len(self._frames) == 1 else self.only
        self.only = first if first is not None and bool((labels == first).all()) else None

    def commit(self, inputs: Mapping[str, str], facts: Mapping[str, Any]) -> None:
        """Makes the video visible and writes its record; drops it if another process finished it meanwhile.

        A finished video that is made again keeps its label maps where they are equal: only its record is new.

        RunError when it would replace a folder with files in it that are not ours.
        """
        if not self._frames:
            raise DataError(f"Video {self._video} gave no frame.")
        seconds = round(time.perf_counter() - self._started, 3)
        record = Record(self._video, tuple(self._frames), self._digest.hex(), inputs, seconds, __version__, facts)
        target = self._run.path / self._video
        with disk_errors(target):
            if not self._again and target.is_dir() and self._run.finished(self._video):
                return
            scores = self._place_scores(record)
            try:
                self._folder.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
                if not self._again and scores is None and self._run.finished(self._video):
                    return
                self._settle(target, record)
        files = files_state(self._run.path, self._video, self._frames)
        write_record(self._run.path, replace(record, files=files, topk=scores))

    def _place_scores(self, record: Record) -> Mapping[str, Any] | None:
        """Moves the class scores to their place, before the maps appear: what the record will tell of them.

        Where none were asked for, those of an earlier record of the same inputs still belong to these maps.
        """
        run, video = self._run.path, self._video
        if self._run.topk is None:
            old = read_record(run, video)
            stands = old is not None and old.inputs == record.inputs and scores_stand(run, video, old.frames, old.topk)
            return old.topk if old is not None and stands else None
        folder = scores_folder(run, video)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        (self._folder / _SCORES).rename(folder)
        return describe_scores(run, video, self._frames, self._run.topk, self._scores.hex())

    def _settle(self, target: Path, record: Record) -> None:
        """A damaged video, or one without a record: its writer died before that, or is about to write an equal one."""
        if not _holds(target, record):
            require_ours(self._run.path, self._video, record)
            record_path(self._run.path, self._video).unlink(missing_ok=True)
            shutil.rmtree(target)
            self._folder.rename(target)


#: Where class scores wait in the folder of a video that is being written.
_SCORES = ".topk"
_LONGEST_NAME = 255  # bytes that file systems have for a name


def open_output(
    path: Path, manifest: Manifest, palette: bytes | None, inputs: Sequence[Path], topk: int | None = None
) -> OutputRun:
    """Makes or continues the run at ``path`` (see `check_output`) and clears what dead processes left."""
    check_output(path, manifest, inputs)
    with disk_errors(path):
        (path / ".vsscli" / "doing").mkdir(parents=True, exist_ok=True)
    run = OutputRun(path, manifest, palette, topk)
    run.sweep()
    run.release()
    return run


def _check_name(video: str) -> None:
    """RunError for a name that a file system or the run itself has no room for: it is no fault of the disk."""
    longest = max(f"{video}.{stamp()}", f".{video}.json.{stamp()}.tmp", key=len)
    if len(os.fsencode(longest)) > _LONGEST_NAME or video == "run.json":
        raise RunError(f"The name of the video {video!r} cannot be that of a folder in a run.", "Give it another one.")


def _abandoned(path: Path) -> bool:
    """Whether a claimed run holds nothing, and nobody is at work in it: its process was killed too early."""
    doing = path / ".vsscli" / "doing"
    return all(map(_is_bookkeeping, path.iterdir())) and not any(
        not is_stale(folder.name) for folder in (doing.iterdir() if doing.is_dir() else ())
    )


def _is_bookkeeping(item: Path) -> bool:
    return item.name in (".vsscli", "run.json") or item.name.startswith(".run.json.")


def is_whole(run: Path, record: Record, topk: int | None) -> bool:
    """Whether the files of a finished video are as they were written, and ``topk`` class scores there if asked for."""
    if is_damaged(run, record):
        return False
    told = record.topk
    return topk is None or (
        told is not None and told.get("k") == topk and scores_stand(run, record.video, record.frames, told)
    )


def is_damaged(run: Path, record: Record) -> bool:
    """Whether files of a finished video are gone, or of other sizes than they were written with.

    What else lies in its folder is no damage. Nothing is read: see `Record` for what stays unnoticed.
    """
    try:
        return files_state(run, record.video, record.frames) != record.files != ""
    except DataError:
        return True


def require_ours(run: Path, video: str, record: Record | None) -> None:
    """RunError naming what is in the folder of ``video``, which will be replaced, and is no frame of ``record``.

    Without a record every PNG passes for a frame. Names that begin with a dot are what systems leave behind.
    """
    folder = run / video
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for name in names:
        ours = name.endswith(".png") and (record is None or name.removesuffix(".png") in record.frames)
        if not ours and not name.startswith("."):
            raise RunError(
                f"Video {video} has to be made again, but {folder} also holds {name!r}, which is no frame of it.",
                "Move it elsewhere, and repeat the command.",
            )


def _holds(folder: Path, record: Record) -> bool:
    try:
        if tuple(visible_files(folder, (".png",))) != record.frames:
            return False
        digest = LabelDigest()
        for frame in record.frames:
            digest.add(frame, read_labels(folder / f"{frame}.png"))
    except (DataError, RunError):
        return False
    return digest.hex() == record.labels
