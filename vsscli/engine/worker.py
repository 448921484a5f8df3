"""One worker: takes a video, runs the stage over it, writes behind, records."""

import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from vsscli.engine.counters import Counters, Slot
from vsscli.engine.stage import Stage
from vsscli.errors import VssError
from vsscli.runs.disk import DiskError
from vsscli.runs.output import OutputRun, TakenError, VideoWriter

WRITE_BEHIND = 8  # label maps that may wait for the disk


@dataclass(frozen=True)
class Done:
    """What became of a video: ``error`` is None, or the sentence for the user; ``frames`` made by this worker."""

    error: str | None = None
    frames: int = 0
    seconds: float = 0.0
    only: int | None = None  # the one label of the whole video, where there is but one


class Worker:
    """Runs a stage on one device. `run` raises only what concerns every video: no model, no disk."""

    def __init__(self, stage: Stage, run: OutputRun, device: str, slot: Slot) -> None:
        self._stage, self._run, self._device, self._slot = stage, run, device, slot
        self._open = False

    def run(self, video: str) -> Done:
        """Makes ``video`` unless it is finished by now."""
        again = self._run.finished(video)
        if again and not self._stage.lacks(video):
            self._stage.finished(video)
            return Done()
        if not self._open:
            self._stage.open(self._device)
            self._open = True
        started, frames = time.monotonic(), 0
        try:
            digests = {source.role: source.digest(video) for source in self._stage.inputs}
            self._slot.begin(self._stage.count(video))
            self._stage.step = self._slot.frame
            with self._run.begin(video, again) as writer:
                frames = _write(writer, self._stage, video, self._slot)
                writer.commit(digests, self._stage.facts(video))
            self._stage.finished(video)
        except (DiskError, TakenError):
            raise
        except VssError as error:
            if not again and self._run.finished(video):  # another process finished it, and cleared what we were reading
                self._stage.finished(video)  # and what we made since
                return Done()
            return Done(str(error), frames=frames)
        except Exception as error:
            self._run.log("bug", video=video, traceback=traceback.format_exc())
            where = self._run.path / ".vsscli" / "log.jsonl"
            return Done(f"Unexpected {type(error).__name__}: {error} (traceback in {where}).", frames=frames)
        finally:
            self._slot.end()
        return Done(None, frames, round(time.monotonic() - started, 3), writer.only)


def _write(writer: VideoWriter, stage: Stage, video: str, slot: Slot) -> int:
    """Writes behind: the stage computes the next frames while a thread encodes the last ones, in order."""
    count = 0
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(1, "writer") as thread:
        for frame in stage.process(video):
            waiting.append(thread.submit(writer.add, frame.name, frame.labels, frame.topk))
            if len(waiting) >= WRITE_BEHIND:
                waiting.pop(0).result()
            slot.frame(stage.part)
            count += 1
        for future in waiting:
            future.result()
    return count


_worker: Worker | None = None  # of this worker process


def start_stage(stage: Stage, run: OutputRun, devices: tuple[str, ...], counters: Counters) -> None:
    """Prepares a worker process: the n-th to start takes the n-th device."""
    global _worker
    number = counters.claim()
    _worker = Worker(stage, run, devices[number % len(devices)], counters.slot(number))


def run_task(video: str) -> Done:
    """The task of a worker process."""
    assert _worker is not None
    return _worker.run(video)
