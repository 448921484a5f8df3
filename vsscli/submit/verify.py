"""Whether a run or an archive is what a challenge server expects: all frames of a split and nothing else."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vsscli import engine
from vsscli.data.dataset import Dataset
from vsscli.errors import RunError
from vsscli.runs.record import LabelDigest
from vsscli.runs.run import Run
from vsscli.submit.listing import Problem, compare
from vsscli.submit.png import check_values, read_png, size_limit
from vsscli.submit.source import Source, Unreadable, close_archives


@dataclass(frozen=True)
class Report:
    """What was checked, and the problems that were found.

    ``videos`` and ``frames`` count what the split expects; ``sizes`` (H, W), ``modes``, ``values`` (256 pixel counts)
    and ``bytes`` what was read. ``root`` is the top folder, or empty. ``maps``: video -> frame -> name in the source.
    ``longer`` are the maps with bytes after the end of the PNG: decoders pass over them, so it is no problem.
    """

    path: Path
    videos: int
    frames: int
    sizes: Mapping[tuple[int, int], int]
    modes: Mapping[str, int]
    values: tuple[int, ...]
    bytes: int
    root: str
    maps: Mapping[str, Mapping[str, str]]
    problems: tuple[Problem, ...]
    classes: int | None
    longer: tuple[str, ...] = ()

    @property
    def kinds(self) -> Counter[str]:
        """How many problems there are of each kind."""
        return Counter(problem.kind for problem in self.problems)

    @property
    def shifted(self) -> bool:
        """Whether the ids look like the numbers a dataset stores, which begin at 1."""
        present = {value for value, count in enumerate(self.values[:255]) if count}
        return self.classes is not None and self.classes in present and 0 not in present


def verify(source: Source, dataset: Dataset, *, workers: int | None = None, title: str | None = None) -> Report:
    """Checks every file of ``source`` against ``dataset``; videos are spread over ``workers`` processes.

    What is wrong with the source is in ``Report.problems``; DataError for what is wrong with the dataset, RunError
    for a run of other classes or an archive that cannot be opened.
    """
    try:
        classes = _classes(source.run, dataset)
        expected = {name: dataset.video(name).frames for name in dataset.names()}
        listing = compare(source.entries(), expected)
        work = partial(_check_video, source, dataset, classes)
        checks = list(engine.map(work, list(listing.maps.items()), workers=workers, title=title))
    finally:
        close_archives()
    unfinished = source.run.unfinished() if source.run is not None else ()
    problems = [Problem("unfinished video", video, "it has no record") for video in unfinished if video in expected]
    problems += [*listing.problems, *(problem for check in checks for problem in check.problems)]
    return Report(
        source.path,
        len(expected),
        sum(len(frames) for frames in expected.values()),
        sum((check.sizes for check in checks), Counter()),
        sum((check.modes for check in checks), Counter()),
        tuple(map(sum, zip(*(check.values for check in checks), strict=True))),
        sum(check.bytes for check in checks),
        listing.root,
        listing.maps,
        tuple(problems),
        classes,
        tuple(name for check in checks for name in check.longer),
    )


@dataclass
class _Check:
    """What was found in one video."""

    sizes: Counter[tuple[int, int]]
    modes: Counter[str]
    values: list[int]
    bytes: int
    problems: list[Problem]
    longer: list[str]


def _check_video(source: Source, dataset: Dataset, classes: int | None, item: tuple[str, Mapping[str, str]]) -> _Check:
    name, maps = item
    video = dataset.video(name)
    check = _Check(Counter(), Counter(), [0] * 256, 0, [], [])
    digest = LabelDigest()
    for frame, entry in maps.items():
        size = video.image_size(frame)
        try:
            content = source.read(entry, size_limit(size))
        except Unreadable as error:
            check.problems.append(Problem("bad entry", entry, str(error)))
            continue
        check.bytes += len(content)
        png = read_png(content, size, entry)
        if isinstance(png, Problem):
            check.problems.append(png)
            continue
        check.sizes[size] += 1
        check.modes[png.mode] += 1
        check.longer += [entry] if png.more else []
        check.values = [a + b for a, b in zip(check.values, png.histogram, strict=True)]
        check.problems += check_values(png.histogram, classes, entry)
        digest.add(frame, png.labels)
    record = source.run.record(name) if source.run is not None else None
    if record is not None and not check.problems and tuple(maps) == record.frames and record.labels != digest.hex():
        check.problems.append(Problem("changed video", name, "its maps are not those its record tells of"))
    return check


def _classes(run: Run | None, dataset: Dataset) -> int | None:
    """How many classes there are: the dataset's, else the run's own, else unknown."""
    table = run.table if run is not None else None
    if table is None or dataset.classes is None:
        known = dataset.classes or table
        return len(known) if known is not None else None
    if table.digest != dataset.classes.digest:
        raise RunError(
            f"{run.path if run else ''} holds the {len(table)} classes of {table.name}, "
            f"{dataset.root} the {len(dataset.classes)} classes of {dataset.classes.name}.",
            "Submit a run of this dataset, or make it with infer --class-map.",
        )
    return len(dataset.classes)
