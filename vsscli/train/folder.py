"""The folder of a training: a model folder that ``infer`` takes, and what is needed to go on.

DIR/config.json, preprocessor_config.json, model.safetensors   the best model so far by validation, else the last
DIR/last/...                                                   the last one, where there is a validation
DIR/train.json                                                 every entry of the training
DIR/.vsscli/checkpoint.pt                                      the state to go on from, written last
DIR/.vsscli/log.jsonl                                          a line for each report and each validation
"""

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vsscli.errors import RunError
from vsscli.models.convert.write import safetensors_parts
from vsscli.models.preprocess import Preprocess
from vsscli.models.refusals import is_out_of_memory
from vsscli.models.source import WEIGHTS
from vsscli.runs.disk import DiskError, atomic_path, disk_errors, real_path, sweep_temporary, write_atomic

TRAINING, LAST = "train.json", "last"
_ANOTHER = "Give the same entries to go on, or another --out, whose init may be the model that is there."
_DIGESTS = {
    "data_digest": "its videos or their labelled frames have",
    "init_digest": "the model that it starts from (init) has",
    "flownet_digest": "the file flownet has",
}


@dataclass(frozen=True)
class TrainingFolder:
    """A training's folder, held by this process while it works."""

    path: Path

    @property
    def log(self) -> Path:
        """One JSON object a line."""
        return self.path / ".vsscli" / "log.jsonl"

    @property
    def checkpoint(self) -> Path:
        """The state to go on from."""
        return self.path / ".vsscli" / "checkpoint.pt"

    def has_weights(self, *, last: bool) -> bool:
        """Whether the best model, or the ``last``, is there."""
        return ((self.path / LAST if last else self.path) / WEIGHTS).is_file()

    def write_model(self, state: Mapping[str, Tensor], *, last: bool) -> None:
        """The weights of the best model, or of the ``last`` one. Raises DiskError."""
        folder = self.path / LAST if last else self.path
        weights = {key: value.detach().cpu() for key, value in state.items()}
        with atomic_path(folder / WEIGHTS) as temporary, temporary.open("wb") as file:
            for part in safetensors_parts(weights):
                file.write(part)

    def write_checkpoint(self, state: Mapping[str, Any]) -> None:
        """All of the state, or the one before it stays. Raises DiskError."""
        with atomic_path(self.checkpoint) as temporary:
            try:
                torch.save(dict(state), temporary)
            except RuntimeError as error:  # what torch makes of a disk's refusal
                raise DiskError(
                    f"{self.checkpoint} cannot be written: the disk took a part of it only.",
                    "Free some space and repeat the command: it goes on from the checkpoint before.",
                ) from error

    def read_checkpoint(self) -> dict[str, Any] | None:
        """The state to go on from, on the CPU; None where there is none yet. RunError where it cannot be read."""
        if not self.checkpoint.exists():
            return None
        try:
            found: dict[str, Any] = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file can break the reader in any way
            if is_out_of_memory(error):
                raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise RunError(
                f"{self.checkpoint} cannot be read ({reason}).",
                "Remove it to begin anew, over the models that are there, or give another --out.",
            ) from None
        return found

    def append(self, entry: Mapping[str, Any]) -> None:
        """A line for the log. Raises DiskError."""
        with disk_errors(self.log), self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def cut_log(self, step: int) -> None:
        """Takes out what the log says of steps after ``step``: they are done again. Raises DiskError."""
        with disk_errors(self.log):
            text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        lines = text.splitlines()
        write_atomic(self.log, "".join(f"{line}\n" for line in lines if _step(line) <= step).encode())


@contextlib.contextmanager
def open_folder(
    path: Path, training: Mapping[str, Any], model: Mapping[str, Any], preprocess: Preprocess, *, last: bool
) -> Iterator[TrainingFolder]:
    """The folder of ``training`` (every entry of it), made or continued; no other process has it meanwhile.

    ``model`` are the entries of its ``config.json``. ``last``: it holds the last model besides the best.

    RunError where it holds another training or something else, a model and nothing to go on from, or where another
    process is at work on it. A training that came to no checkpoint gives way to any other.
    """
    place = real_path(path)
    folder = TrainingFolder(place)
    anew = _refuse_others(folder, path, training)
    with disk_errors(path):
        (place / ".vsscli").mkdir(parents=True, exist_ok=True)
    with _held(place / ".vsscli" / "lock", path):
        sweep_temporary(place)
        if anew:
            with disk_errors(path):
                shutil.rmtree(place / LAST, ignore_errors=True)
        write_atomic(place / TRAINING, _json(training))
        models = [place / LAST, place] if last else [place]
        for inner in (*models, place / ".vsscli"):
            with disk_errors(path):
                inner.mkdir(exist_ok=True)
            sweep_temporary(inner)
        for inner in models:
            write_atomic(inner / "config.json", _json(model))
            write_atomic(inner / "preprocessor_config.json", _json(_describe(preprocess)))
        yield folder


def _refuse_others(folder: TrainingFolder, path: Path, training: Mapping[str, Any]) -> bool:
    """Whether another training lies there that gives way."""
    place = folder.path
    with disk_errors(path):
        if not place.exists():
            return False
        if not place.is_dir():
            raise RunError(f"--out {path} is a file.", "Give a folder that is absent or empty.")
        if all(entry.name.startswith(".") for entry in place.iterdir()):  # TRAINING comes first
            return False
    try:
        there = json.loads((place / TRAINING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RunError(f"--out {path} is not empty and is no training.", "Give another folder.") from None
    difference = _difference(there, json.loads(_json(training)), "")
    model = folder.has_weights(last=False) or folder.has_weights(last=True)
    if difference and (model or folder.checkpoint.exists()):
        raise RunError(f"--out {path} holds another training: {difference}.", _ANOTHER)
    if model and not (folder.checkpoint.exists() or folder.log.exists()):  # copied without what is hidden, or tidied up
        raise RunError(
            f"--out {path} holds a trained model, and no checkpoint to go on from.",
            "Give another --out, whose init may be the model that is there.",
        )
    return bool(difference)


def _difference(there: Any, mine: Any, prefix: str) -> str:
    """The first entry that differs, in words; empty where none does."""
    if not (isinstance(there, dict) and isinstance(mine, dict)):
        if there != mine and prefix in _DIGESTS:
            return f"{_DIGESTS[prefix]} changed since it was begun"
        return "" if there == mine else f"its {prefix} is {json.dumps(there)}, not {json.dumps(mine)}"
    for name in (*mine, *there):
        found = _difference(there.get(name), mine.get(name), f"{prefix}.{name}" if prefix else name)
        if found:
            return found
    return ""


@contextlib.contextmanager
def _held(lock: Path, path: Path) -> Iterator[None]:
    """Holds ``lock``; the system lets go of it when this process ends, however it ends."""
    with disk_errors(path):
        file = lock.open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                f"--out {path} is being trained by another process.", "Wait for it, or give another folder."
            ) from None
        yield


def _describe(preprocess: Preprocess) -> dict[str, Any]:
    return {
        "do_resize": True,
        "size": {"shortest_edge": preprocess.short, "longest_edge": preprocess.cap},
        "do_rescale": False,
        "do_normalize": True,
        "image_mean": list(preprocess.mean),
        "image_std": list(preprocess.std),
    }


def _json(entries: Mapping[str, Any]) -> bytes:
    return json.dumps(entries, indent=1, ensure_ascii=False).encode() + b"\n"


def _step(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):  # a line that was being written when the process ended
        return 1 << 62
