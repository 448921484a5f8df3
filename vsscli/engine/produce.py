"""Running a stage over videos into a run: what is left to do, who does it, what became of it."""

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vsscli.engine.cluster import Cluster
from vsscli.engine.counters import Counters
from vsscli.engine.pool import Pool, end_workers
from vsscli.engine.progress import Progress, Status, show_warnings
from vsscli.engine.remote import produce_over
from vsscli.engine.stage import Stage
from vsscli.engine.worker import Done, Worker, run_task, start_stage
from vsscli.errors import RunError
from vsscli.runs.output import OutputRun, check_output, is_whole, open_output, require_ours
from vsscli.runs.record import read_record, recorded_videos


@dataclass
class Outcome:
    """What became of the videos: names done now, names done before, failures by name.

    ``constant``: videos of the same one label on every pixel of every frame, which no working model gives.
    """

    done: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    constant: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    frames: int = 0
    seconds: float = 0.0
    interrupted: bool = False


def plan(stage: Stage, out: Path, videos: Sequence[str]) -> tuple[list[str], list[str]]:
    """(videos to do, videos finished) for this stage into ``out``. Writes nothing.

    A finished video whose files are gone or of other sizes than they were written with is to be done again, and so is
    one that lacks what else the stage keeps.

    RunError when ``out`` cannot be continued with this stage, holds a video that the inputs do not have, when an input
    of a finished video has changed, or when a video that is to be done again has files in its folder that are not ours.
    """
    todo, before = [], []
    continued = check_output(out, stage.manifest, [source.path for source in stage.inputs])
    if continued:
        _require_own(stage, out)
    for video in videos:
        record = read_record(out, video) if continued else None
        if record is None or not is_whole(out, record, stage.topk) or stage.lacks(video):
            require_ours(out, video, record)
            todo.append(video)
            continue
        for source in stage.inputs:
            if record.inputs.get(source.role) != source.digest(video):
                raise RunError(
                    f"Video {video} of {source.path} ({source.role}) has changed since {out / video} was made from it.",
                    "Choose another --out, or remove that folder and its record under .vsscli/done to make it again.",
                )
        before.append(video)
    return todo, before


def _require_own(stage: Stage, out: Path) -> None:
    """Two datasets of one layout do not differ in their options: the videos that were finished tell them apart."""
    for video in recorded_videos(out):
        for source in stage.inputs:
            if not source.has(video):
                raise RunError(
                    f"{out} holds the video {video}, which {source.path} ({source.role}) does not have.",
                    "Choose another --out: this run was made from other data.",
                )


def produce(
    stage: Stage,
    out: Path,
    videos: Sequence[str],
    devices: Sequence[str] = ("cpu",),
    cluster: Cluster | None = None,
    planned: tuple[list[str], list[str]] | None = None,
) -> Outcome:
    """Runs ``stage`` over ``videos`` into the run ``out``; the same call again does what is left.

    One worker per entry of ``devices``; a single one works in this process. With a ``cluster`` they are all on its
    nodes. One bad video does not stop the others: it is in ``Outcome.failed``. Raises RunError (see `plan`; also where
    a node does not see the same disk), DiskError when the disk refuses, and whatever the stage's ``open`` raises.
    Ctrl-C ends with ``Outcome.interrupted``: what is finished stays. ``planned``: what `plan` said of the same, where
    it was asked already: it looks at every file of the run.
    """
    todo, before = plan(stage, out, videos) if planned is None else planned
    palette = stage.table.palette if stage.table else None
    run = open_output(out, stage.manifest, palette, [source.path for source in stage.inputs], stage.topk)
    for video in before:
        stage.finished(video)
    outcome = Outcome(before=before, asked=len(videos))
    if not todo:
        return outcome
    show_warnings()
    started = time.monotonic()
    counters = Counters(min(len(devices), len(todo)))
    todo = _others_last(run, todo)

    def status() -> Status:
        frames, share = counters.read()
        finished = len(outcome.done) + len(outcome.failed)
        return Status(finished, finished + share, frames)

    with Progress(stage.manifest.verb, len(todo), status, stage.unit):
        try:
            with closing(_spread(stage, run, todo, devices[: len(todo)], counters, cluster)) as results:
                for i, (video, result) in enumerate(results):
                    if not i:  # not before: a model that does not open leaves nothing behind
                        run.log("start", **stage.places)
                    _note(outcome, run, video, result)
        except KeyboardInterrupt:
            outcome.interrupted = True
        finally:
            end_workers()
            run.sweep()
            run.release()
    if outcome.interrupted:  # some may have been finished that were not heard of
        heard = {*outcome.done, *outcome.failed}
        outcome.done += [video for video in todo if video not in heard and run.finished(video)]
    outcome.seconds = time.monotonic() - started
    return outcome


def _note(outcome: Outcome, run: OutputRun, video: str, result: Done) -> None:
    if result.error is None:
        outcome.done.append(video)
        if result.only is not None:
            outcome.constant[video] = result.only
        outcome.frames += result.frames
    else:
        outcome.failed[video] = result.error
    run.log("video", video=video, error=result.error, frames=result.frames, seconds=result.seconds)


def _others_last(run: OutputRun, todo: Sequence[str]) -> list[str]:
    """Videos that another process is writing come last: most likely they are finished by then."""
    return sorted(todo, key=run.being_written)


def _spread(
    stage: Stage,
    run: OutputRun,
    todo: Sequence[str],
    devices: Sequence[str],
    counters: Counters,
    cluster: Cluster | None,
) -> Generator[tuple[str, Done], None, None]:
    if cluster is not None:
        yield from produce_over(cluster, stage, run, todo, devices, counters)
        return
    if len(devices) > 1:
        yield from _in_pool(stage, run, todo, devices, counters)
        return
    worker = Worker(stage, run, devices[0], counters.slot(0))
    try:
        for video in todo:
            yield video, worker.run(video)
    finally:
        stage.close()


def _in_pool(
    stage: Stage, run: OutputRun, todo: Sequence[str], devices: Sequence[str], counters: Counters
) -> Iterator[tuple[str, Done]]:
    """Each video is one task. A killed worker takes the pool with it: what it may have been doing is done alone."""
    left = list(todo)
    while left:
        running: dict[Future[Done], str] = {}
        try:
            with _pool(stage, run, devices, counters) as pool:
                for video, result in _drain(pool, left, 2 * len(devices), running):
                    left.remove(video)
                    yield video, result
        except BrokenProcessPool:
            for video in list(running.values()):
                left.remove(video)
                yield video, _alone(stage, run, video, devices[:1], counters)


def _alone(stage: Stage, run: OutputRun, video: str, devices: Sequence[str], counters: Counters) -> Done:
    try:
        with _pool(stage, run, devices, counters) as pool:
            return pool.submit(run_task, video).result()
    except BrokenProcessPool:
        return Done("The worker was killed twice (out of memory?): try fewer --workers.")


@contextmanager
def _pool(stage: Stage, run: OutputRun, devices: Sequence[str], counters: Counters) -> Iterator[Pool]:
    pool = Pool(len(devices), start_stage, stage, run, tuple(devices), counters)
    try:
        yield pool
        pool.shutdown()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        end_workers()
        run.sweep()


def _drain(pool: Pool, left: Sequence[str], ahead: int, running: dict[Future[Done], str]) -> Iterator[tuple[str, Done]]:
    waiting = list(left)
    while waiting or running:
        while waiting and len(running) < ahead:
            video = waiting.pop(0)
            running[pool.submit(run_task, video)] = video
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            result = future.result()
            yield running.pop(future), result
