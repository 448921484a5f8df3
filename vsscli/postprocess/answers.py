"""``answers.jsonl``: what was answered, a line each, in the run that it belongs to."""

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vsscli.errors import RunError
from vsscli.postprocess.question import SCHEMA, Answer
from vsscli.processes import stamp
from vsscli.runs.disk import disk_errors

_KINDS: dict[str, tuple[type, ...]] = {
    "key": (str,),
    "chosen": (str, type(None)),
    "probability": (float, int, type(None)),
    "text": (str,),
    "model": (str,),
    "tokens_in": (int,),
    "tokens_out": (int,),
    "seconds": (float, int),
}


class AnswerStore:
    """The answers in ``RUN/.vsscli/answers.jsonl``; nothing is made before the first is added.

    A line is appended and synced as soon as its answer is there, so that a killed process loses nothing that was paid
    for; the half line that it may leave is passed over, and removed by whoever adds next. Safe between threads; between
    processes by `asking`. Raises RunError for a file of another version of vsscli, or with a broken line inside.
    """

    def __init__(self, run: Path) -> None:
        self.path = run / ".vsscli" / "answers.jsonl"
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}
        self._closing = b""  # what the last whole line lacks
        self._whole = 0  # bytes of whole lines; what comes behind them is half a line
        self._read()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> Answer | None:
        """The answer to the question of that key, if there is one."""
        return self._answers.get(key)

    def add(self, answer: Answer) -> None:
        """Appends one answer and waits until it is on the disk; DiskError. A second answer to a key is dropped."""
        line = (json.dumps({"schema": SCHEMA, **asdict(answer)}) + "\n").encode("ascii")
        with self._lock, disk_errors(self.path):
            if answer.key in self._answers:
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                if file.tell() != self._whole:  # half a line, or another process was here
                    self._read()
                    file.truncate(self._whole)
                try:
                    file.write(self._closing + line)
                    file.flush()
                except OSError:
                    with contextlib.suppress(OSError):
                        os.ftruncate(file.fileno(), self._whole)
                    raise
                os.fsync(file.fileno())
            self._whole += len(self._closing + line)
            self._closing = b""
            self._answers[answer.key] = answer

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """One process at a time asks for a run: RunError while another does. A dead one is no obstacle."""
        path = self.path.with_name("asking.lock")
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a+")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read(200).strip() or "another process"
                raise RunError(
                    f"{self.path.parent.parent} is being asked for by {holder} (host and process).",
                    "Wait until it is done, and repeat the command; --offline uses the answers that are there.",
                ) from None
            except OSError as error:
                raise RunError(f"{path} cannot be locked ({error.strerror}).", "Use a disk that has locks.") from None
            file.truncate(0)
            file.write(stamp())
            file.flush()
            self._read()
            yield

    def _read(self) -> None:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            content = b""
        except OSError as error:
            raise RunError(f"{self.path} cannot be read ({error.strerror}).") from None
        self._whole = content.rfind(b"\n") + 1
        self._closing = b""
        if self._stands(content[self._whole :]):  # whole but for the end of its line: an editor was here
            self._whole, self._closing = len(content), b"\n"
        for number, line in enumerate(content[: self._whole].splitlines(), 1):
            answer = self._parse(line, number)
            self._answers.setdefault(answer.key, answer)

    def _stands(self, line: bytes) -> bool:
        try:
            self._parse(line, 0)
        except RunError:
            return False
        return True

    def _parse(self, line: bytes, number: int) -> Answer:
        try:
            found: Any = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and found.get("schema") not in (None, SCHEMA):
            raise RunError(
                f"{self.path} holds answers of schema {found['schema']!r}; this version of vsscli reads {SCHEMA}.",
                "Use the version of vsscli that wrote them, or move the file away and ask again.",
            )
        if not isinstance(found, dict) or found.pop("schema", None) != SCHEMA or not _is_answer(found):
            raise RunError(
                f"{self.path}, line {number}, is no answer.", "Remove that line: its question will be asked again."
            )
        return Answer(**found)


def _is_answer(found: dict[str, Any]) -> bool:
    kinds = found.keys() == _KINDS.keys() and all(
        isinstance(found[name], kinds) and not isinstance(found[name], bool) for name, kinds in _KINDS.items()
    )
    return kinds and (found["probability"] is None or 0 <= found["probability"] <= 1)  # not so for what is no number
