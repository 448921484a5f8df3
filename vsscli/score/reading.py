"""From a run and a dataset to counts: what must be there is checked first, then the videos are read in parallel."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial as bind

from vsscli import engine
from vsscli.data.dataset import Dataset, Video
from vsscli.errors import DataError, OptionError, RunError
from vsscli.maps.consistency import LONGEST
from vsscli.runs.run import Run
from vsscli.score.protocols import STANDARD, Protocol
from vsscli.score.tally import Rule, Tally, VideoCounts

#: About as many frames are counted in the time that a worker needs to start.
_FRAMES_A_WORKER = 600


@dataclass(frozen=True)
class Counts:
    """A run, counted: all that its score is made of.

    ``videos`` stand in the order of the split's list. ``dropped``: videos too short for the protocol. ``missing``:
    videos of which nothing could be scored. ``digest``: of the scored label maps.
    """

    kind: str
    split: str | None
    rule: Rule
    videos: tuple[VideoCounts, ...]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]
    digest: str

    @property
    def complete(self) -> bool:
        """Whether every frame of every video was scored."""
        return not self.missing and not any(video.missed for video in self.videos)


def make_rule(dataset: Dataset, protocol: Protocol, lengths: Iterable[int] = (), *, allow_void: bool = False) -> Rule:
    """The rule for ``dataset``; ``lengths`` are window lengths on top of 8 and 16.

    DataError where the dataset has no classes, OptionError for an impossible length.
    """
    if dataset.classes is None or dataset.numbering is None:
        raise DataError(
            f"{dataset.root} has no classes and no masks: it cannot be scored against.",
            "Give a dataset in VSPW's layout, with masks.",
        )
    lengths = sorted({*STANDARD, *lengths})
    for n in lengths:
        if not 1 <= n <= LONGEST:
            raise OptionError(f"--vc {n}: windows have 1 to {LONGEST} frames.", "VSPW reports 8 and 16.")
    return Rule(protocol, tuple(lengths), dataset.classes, dataset.numbering, allow_void)


def count_run(
    run: Run,
    dataset: Dataset,
    rule: Rule,
    *,
    videos: Sequence[str] | None = None,
    partial: bool = False,
    workers: int | None = None,
    title: str | None = None,
    cluster: engine.Cluster | None = None,
) -> Counts:
    """Counts ``run`` against the truth of ``dataset``.

    ``videos``: only these, of the dataset's names. ``partial``: what is missing is left out and reported, else the
    first missing video, frame or mask is an error (RunError, DataError). Extra videos and frames, wrong sizes and
    values that are no class are errors in any case. ``workers``: processes, default one a core, fewer where there is
    less to do than it takes to start them; ``title``: shows progress on stderr; ``cluster``: where the processes are.
    """
    _check_tables(run, rule)
    plans = [_plan(run, dataset, name, partial) for name in _names(run, dataset, videos, partial)]
    kept = [plan for plan in plans if plan.length >= rule.protocol.shortest]
    jobs = [plan for plan in kept if plan.scored]
    if not jobs:
        raise DataError(
            f"There is nothing to score in {run.path}: no frame of {_where(dataset)} has both a mask and a label map"
            + (f" in a video of {rule.protocol.shortest} frames or more." if rule.protocol.shortest > 1 else ".")
        )
    if workers is None:
        most = engine.cores() if cluster is None else len(cluster.devices())
        workers = min(most, 1 + sum(len(plan.scored) for plan in jobs) // _FRAMES_A_WORKER)
    longest_first = sorted(jobs, key=lambda plan: -len(plan.scored))
    work = bind(_count, run, dataset, rule)
    inputs = [run.path, dataset.root]
    counts = engine.map(work, longest_first, workers=workers, title=title, cluster=cluster, inputs=inputs)
    found = {video.video: video for video in counts}
    return Counts(
        dataset.kind,
        dataset.split,
        rule,
        tuple(found[name] for name in dataset.listed() if name in found),
        tuple(plan.video for plan in plans if plan.length < rule.protocol.shortest),
        tuple(plan.video for plan in kept if not plan.scored),
        _digest(run, sorted(found)),
    )


@dataclass(frozen=True)
class _Plan:
    """What will be read of a video: of its ``length`` frames, in order, those that are ``scored``."""

    video: str
    frames: tuple[str, ...]
    scored: frozenset[str]

    @property
    def length(self) -> int:
        return len(self.frames)


def _count(run: Run, dataset: Dataset, rule: Rule, plan: _Plan) -> VideoCounts:
    video = dataset.video(plan.video)
    tally = Tally(plan.video, plan.length, rule)
    for frame in plan.frames:
        if frame in plan.scored:
            tally.add(frame, video.stored_mask(frame), run.labels(plan.video, frame))
        else:
            tally.miss(frame)
    return tally.counts()


def _check_tables(run: Run, rule: Rule) -> None:
    theirs = run.table
    if theirs is not None and theirs.digest != rule.table.digest:
        raise RunError(
            f"{run.path} holds the {len(theirs)} classes of {theirs.name}, "
            f"the dataset the {len(rule.table)} classes of {rule.table.name}.",
            "Score it against the dataset it was made for, or make it with --class-map.",
        )


def _names(run: Run, dataset: Dataset, videos: Sequence[str] | None, partial: bool) -> list[str]:
    """The videos to score, sorted. Without ``videos`` the run may hold no other."""
    names = sorted(dataset.names() if videos is None else videos)
    there = set(run.names())
    extra = sorted(there - set(dataset.names())) if videos is None else []
    if extra:
        raise RunError(
            f"{run.path} holds the video {extra[0]}{_more(extra)}, which is not in {_where(dataset)}.",
            "Is it the run of another split (--split) or dataset? --videos scores a choice.",
        )
    missing = [name for name in names if name not in there]
    if missing and not partial:
        state = "is not finished" if missing[0] in run.unfinished() else "is missing"
        raise RunError(
            f"Video {missing[0]}{_more(missing)} of {_where(dataset)} {state} in {run.path}.",
            "Repeat the command that makes the run, or score what is there with --partial.",
        )
    return names


def _plan(run: Run, dataset: Dataset, name: str, partial: bool) -> _Plan:
    video = dataset.video(name)
    frames, masked = video.frames, frozenset(video.masked())
    _check_masks(dataset, video, masked, partial)
    there = frozenset(run.frames(name)) if name in run.names() else frozenset()
    extra = sorted(there - set(frames))
    if extra:
        raise RunError(
            f"Video {name}: {run.path / name} holds the frame {extra[0]}{_more(extra)}, which the dataset has not.",
            "Label maps are named like the frames: was it made from other data, or numbered anew?",
        )
    missing = [frame for frame in frames if frame not in there]
    if missing and not partial:
        raise RunError(
            f"Video {name}: the frame {missing[0]}{_more(missing)} is missing in {run.path / name}.",
            "Repeat the command that makes the run, or score what is there with --partial.",
        )
    return _Plan(name, frames, masked & there)


def _check_masks(dataset: Dataset, video: Video, masked: frozenset[str], partial: bool) -> None:
    bare = [frame for frame in video.frames if frame not in masked]
    if not bare or partial:
        return
    if not masked and not any(dataset.video(name).has_masks() for name in dataset.names()):
        raise DataError(
            f"No video of {_where(dataset)} has masks: there is nothing to score against.",
            "The masks of VSPW's test split are withheld; score the val split.",
        )
    raise DataError(
        f"Video {video.name}: the frame {bare[0]}{_more(bare)} has no mask.",
        "Mend the dataset (vsscli data check), or score the frames that have one with --partial.",
    )


def _where(dataset: Dataset) -> str:
    return f"{dataset.split}.txt of {dataset.root}" if dataset.split else str(dataset.root)


def _more(names: Sequence[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _digest(run: Run, names: Iterable[str]) -> str:
    state = hashlib.sha256()
    for name in names:
        state.update(f"{name}\0{run.digest(name)}\n".encode())
    return state.hexdigest()
