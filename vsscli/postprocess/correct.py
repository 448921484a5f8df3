"""The steps in a row: who is asked about which videos, and what came of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path

from vsscli import engine
from vsscli.data.classes import ClassTable, vspw_classes
from vsscli.data.dataset import Dataset
from vsscli.engine.progress import Progress, Status
from vsscli.errors import OptionError
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.ask import AskResult
from vsscli.postprocess.facts import count_unanswered, read_regions, rejected_regions, require_region
from vsscli.postprocess.plan import Planner
from vsscli.postprocess.question import Question
from vsscli.runs.record import Record, read_record
from vsscli.runs.run import Run

#: (video, region) of those that stay as they were.
Rejected = frozenset[tuple[str, str]]
#: Asks what it is given, and calls back after every question.
Ask = Callable[[Iterable[Question], Callable[[AskResult], None]], AskResult]


def class_table(run: Run, dataset: Dataset) -> ClassTable:
    """The classes of the label maps: the run's own, else the dataset's, else VSPW's."""
    return run.table or dataset.classes or vspw_classes()


def parse_rejected(reject: str | None, run: Run) -> Rejected:
    """(video, region) of each ``VIDEO/REGION`` in a list; OptionError for what is none, or no video of ``run``."""
    found = set()
    for item in filter(None, (part.strip() for part in (reject or "").split(","))):
        video, slash, region = item.rpartition("/")
        if not slash or not region or video not in run.names():
            raise OptionError(
                f"--reject: {item!r} is not VIDEO/REGION with a video of {run.path}.",
                "The table of changes shows IDs; so do the records under OUT/.vsscli/done.",
            )
        found.add((video, region))
    if reject is not None and not found:
        raise OptionError(f"--reject {reject!r} names no region.", "Give VIDEO/REGION,VIDEO/REGION,...")
    return frozenset(found)


def check_rejected(out: Path, rejected: Rejected) -> None:
    """OptionError for a region that a finished video does not have: a slip is to undo nothing."""
    for video, region in sorted(rejected):
        record = read_record(out, video)
        if record is not None:
            require_region(video, region, [told.region for told in read_regions(out, record)])


def returning(out: Path, videos: Sequence[str], rejected: Rejected) -> list[str]:
    """``VIDEO/REGION`` of those that finished ``videos`` were made without, and are not ``rejected`` any more."""
    before = ((record.video, region) for record in finished_records(out, videos) for region in rejected_regions(record))
    return sorted(f"{video}/{region}" for video, region in before if (video, region) not in rejected)


def videos_to_ask(out: Path, todo: Sequence[str], before: Sequence[str]) -> list[str]:
    """Those that are to be done, and of the finished ones those with unanswered questions, sorted."""
    return sorted([*todo, *(video for video in before if count_unanswered(read_record(out, video)))])


@contextmanager
def missing_questions(
    planner: Planner, asked: str, store: AnswerStore, videos: Sequence[str], workers: int, rejected: Rejected
) -> Iterator["Missing"]:
    """The questions about ``videos`` that ``store`` has no answer to, made as they are drawn; of ``rejected`` regions
    none."""
    with closing(engine.map(planner.questions, list(videos), workers=workers)) as found:  # type: ignore[type-var]
        yield Missing(found, asked, store, rejected)


class Missing:
    """Draws questions; ``videos`` are through, ``known`` questions were passed over: they have an answer."""

    def __init__(self, found: Iterator[list[Question]], asked: str, store: AnswerStore, rejected: Rejected) -> None:
        self._found, self._asked, self._store, self._rejected = found, asked, store, rejected
        self.videos = self.known = 0

    def __iter__(self) -> Iterator[Question]:
        for questions in self._found:
            for question in questions:
                if (question.video, question.region) in self._rejected:
                    continue
                if self._store.get(question.key(self._asked)) is None:
                    yield question
                else:
                    self.known += 1
            self.videos += 1


def ask_missing(
    planner: Planner,
    asked: str,
    store: AnswerStore,
    videos: Sequence[str],
    workers: int,
    rejected: Rejected,
    ask: Ask,
) -> AskResult | None:
    """Asks what is unanswered about ``videos``; None, and nobody is contacted, where nothing is."""
    result = AskResult()

    def note(so_far: AskResult) -> None:
        nonlocal result
        result = so_far

    with missing_questions(planner, asked, store, videos, workers, rejected) as missing:
        drawn = iter(missing)

        def status() -> Status:
            return Status(missing.videos, missing.videos, result.asked)

        with Progress("asking", len(videos), status, "answers"):
            first = next(drawn, None)
            return None if first is None else ask(chain([first], drawn), note)


def finished_records(out: Path, videos: Sequence[str]) -> list[Record]:
    """The records of those of ``videos`` that are finished."""
    records = (read_record(out, video) for video in videos)
    return [record for record in records if record is not None]
