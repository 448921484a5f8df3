"""The record of a video: written last; its existence is the meaning of "finished"."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsscli.data.dataset import files_digest
from vsscli.errors import RunError
from vsscli.runs.disk import disk_errors, write_atomic


@dataclass(frozen=True)
class Record:
    """What is known of a finished video.

    ``labels`` is the SHA-256 of its label bytes (see `LabelDigest`), ``inputs`` the digests of what it was made
    from, by role; ``facts`` whatever the verb adds. ``files`` is the SHA-256 over the names and sizes of its files:
    whether they are still those that were written costs no reading. An exchange for files of the very same sizes
    stays unnoticed (``submit`` decodes every map and compares ``labels``). Empty in records of older versions.
    ``topk`` tells of the class scores kept beside the maps: ``{"k", "digest", "files"}``, None where none are
    (see `vsscli.runs.scores`).
    """

    video: str
    frames: tuple[str, ...]
    labels: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    version: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    files: str = ""
    topk: Mapping[str, Any] | None = None


class LabelDigest:
    """SHA-256 over (frame name, H, W, label bytes) of frames in order."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def add(self, frame: str, labels: NDArray[np.uint8]) -> None:
        self._state.update(f"{frame}\0{labels.shape[0]}\0{labels.shape[1]}\0".encode())
        self._state.update(np.ascontiguousarray(labels).data)

    def hex(self) -> str:
        return self._state.hexdigest()


def files_state(run: Path, video: str, frames: Iterable[str]) -> str:
    """What `Record.files` is for the files that are there now; DataError where one of them is gone."""
    return files_digest(video, {frame: run / video / f"{frame}.png" for frame in frames})


def record_path(run: Path, video: str) -> Path:
    return run / ".vsscli" / "done" / f"{video}.json"


def recorded_videos(run: Path) -> tuple[str, ...]:
    """The videos of ``run`` that have a record, sorted."""
    return tuple(sorted(path.stem for path in (run / ".vsscli" / "done").glob("[!.]*.json")))


def read_record(run: Path, video: str) -> Record | None:
    """The record of ``video``, None while it is not finished; RunError when it is broken."""
    path = record_path(run, video)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        record = Record(**{**content, "frames": tuple(content["frames"])})
        texts = (record.video, record.labels, record.files, *record.frames)
        kinds = isinstance(record.inputs, dict) and isinstance(record.topk, dict | None)
        if not kinds or not all(isinstance(part, str) for part in texts):
            raise TypeError("a part of it is not of its kind")
        return record
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RunError(
            f"{path}: this record cannot be read ({error}).",
            f"Remove it and {run / video}, and repeat the command that made them.",
        ) from None


def write_record(run: Path, record: Record) -> None:
    """Writes the record atomically: from now on the video is finished."""
    path = record_path(run, record.video)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, (json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
