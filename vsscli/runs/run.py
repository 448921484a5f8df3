"""Reading a run: ours, with records, or any folder ``<video>/<frame>.png`` made by other software."""

import hashlib
import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import ClassTable
from vsscli.data.dataset import files_digest, visible_files
from vsscli.errors import OptionError, RunError
from vsscli.runs.labels import read_labels
from vsscli.runs.manifest import Manifest, parse_classes, read_manifest
from vsscli.runs.record import Record, read_record, recorded_videos
from vsscli.runs.scores import TopK, read_scores, scores_folder, scores_stand


class Run:
    """A folder of label maps. Nothing here writes."""

    def __init__(self, path: Path, manifest: Manifest | None) -> None:
        self.path = path
        self.manifest = manifest

    @cached_property
    def _names(self) -> tuple[str, ...]:
        if self.manifest is not None:
            return tuple(video for video in recorded_videos(self.path) if (self.path / video).is_dir())
        folders = [path for path in self.path.iterdir() if path.is_dir() and not path.name.startswith(".")]
        return tuple(sorted(path.name for path in folders if any(path.glob("*.png"))))

    def names(self) -> tuple[str, ...]:
        """The finished videos, sorted. In a folder made by other software: every sub-folder with a PNG."""
        return self._names

    def places(self) -> dict[str, str]:
        """Where the data and the model lay when it was last worked on, as its log tells; empty where it does not."""
        try:
            lines = (self.path / ".vsscli" / "log.jsonl").read_text(encoding="utf-8").splitlines()
            starts = [entry for entry in map(json.loads, lines) if entry.get("event") == "start"]
        except (OSError, ValueError, AttributeError, RecursionError):
            return {}
        return {name: value for name, value in starts[-1].items() if isinstance(value, str)} if starts else {}

    def unfinished(self) -> tuple[str, ...]:
        """Video folders without a record, sorted: work that was interrupted (none in foreign folders)."""
        if self.manifest is None:
            return ()
        folders = {path.name for path in self.path.iterdir() if path.is_dir() and not path.name.startswith(".")}
        return tuple(sorted(folders - set(self.names())))

    def record(self, video: str) -> Record | None:
        """The record of ``video``; None in a folder made by other software."""
        return None if self.manifest is None else read_record(self.path, video)

    def frames(self, video: str) -> tuple[str, ...]:
        """The names of the frames of ``video`` in order, from the folder.

        Raises RunError where the folder and its record differ, OptionError for a video that is not (finished) here.
        """
        return tuple(self._checked(video)[0])

    def labels(self, video: str, frame: str) -> NDArray[np.uint8]:
        """The label map ``uint8 [H, W]``, values as stored; RunError naming the file when it does not decode."""
        return read_labels(self.path / video / f"{frame}.png")

    def scores(self, video: str, frame: str) -> TopK:
        """The class scores kept of ``frame`` (see `vsscli.runs.scores`); RunError naming a file that is broken."""
        return read_scores(scores_folder(self.path, video) / f"{frame}.npz")

    def scores_digest(self, video: str) -> str | None:
        """The digest of the class scores of ``video`` from its record, None where none were kept.

        Cheap, nothing is decoded. RunError where the files are not those of the record; else raises as `frames`.
        """
        record = self._checked(video)[1]
        if record is None or record.topk is None:
            return None
        if not scores_stand(self.path, video, record.frames, record.topk):
            folder, k = scores_folder(self.path, video), record.topk.get("k")
            raise RunError(
                f"{folder} is not what the video's record says: class scores were changed or removed.",
                f"Repeat the command that made the run, with its --keep-topk {k}: it makes them again.",
            )
        return str(record.topk.get("digest"))

    def digest(self, video: str) -> str:
        """The digest of a video's labels: from its record, else over names and sizes of files. Raises as `frames`."""
        files, record = self._checked(video)
        return record.labels if record is not None else files_digest(video, files)

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the manifest without the version, ``foreign`` for a folder made by other software."""
        if self.manifest is None:
            return "foreign"
        compared = replace(self.manifest, about={}, version="")
        return hashlib.sha256(compared.dumps()).hexdigest()

    @cached_property
    def table(self) -> ClassTable | None:
        """The class table of its label maps, None where the run tells none; RunError when run.json is broken."""
        if self.manifest is None or self.manifest.classes is None:
            return None
        try:
            return parse_classes(self.manifest.classes)
        except ValueError as error:
            raise RunError(
                f"{self.path / 'run.json'}: its class table is broken ({error}).", "Remove the run and make it again."
            ) from None

    def _checked(self, video: str) -> tuple[dict[str, Path], Record | None]:
        """The files of a video, which are those of its record, and the record: cheap, nothing is decoded."""
        files, record = self._files(video), self.record(video)
        if record is None:
            return files, None
        folder, known = self.path / video, frozenset(record.frames)
        lost = [frame for frame in record.frames if frame not in files]
        more = [frame for frame in files if frame not in known]
        if more:
            raise RunError(
                f"{folder} is not what its record says: frame {more[0]} was added.", "Move that file elsewhere."
            )
        again = "Repeat the command that made the run: it makes that video again."
        if lost:
            raise RunError(f"{folder} is not what its record says: frame {lost[0]} was removed.", again)
        if tuple(files) != record.frames or record.files not in ("", files_digest(video, files)):
            raise RunError(
                f"{folder} is not what its record says: its label maps were changed.",
                f"{again} If the change was meant, remove run.json: the maps then count as they are.",
            )
        return files, record

    def _files(self, video: str) -> dict[str, Path]:
        if video not in self.names():
            state = "is not finished" if (self.path / video).is_dir() else "is not there"
            raise OptionError(f"Video {video!r} {state} in {self.path}.", "Repeat the command that makes this run.")
        return visible_files(self.path / video, (".png",))


def open_run(path: Path) -> Run:
    """The run at ``path``; RunError when there is no folder, or nothing in it that looks like a run."""
    if not path.is_dir():
        raise RunError(f"{path} is not a folder.", "Give a run: a folder with <video>/<frame>.png.")
    try:
        run = Run(path, read_manifest(path))
        if run.manifest is None and not run.names():
            raise RunError(f"{path} holds no label maps: looked for run.json and for <video>/<frame>.png.")
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror}).") from None
    return run
