"""From stages to the page: scores first, then the videos, each by one worker, written as they come."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from vsscli import engine
from vsscli.report.choices import find_selections
from vsscli.report.content import Content, Row
from vsscli.report.lineage import trace
from vsscli.report.page import block, render
from vsscli.report.questions import Topic
from vsscli.report.scores import Scores
from vsscli.report.stages import Stages
from vsscli.report.strip import Sheet, make_sheet
from vsscli.runs.disk import atomic_path, disk_errors, real_path

#: About what the pictures of a video take on the page, in bytes: of 400 pixels, as base64.
FRAME, MAP, HEAT, QUESTION = 34_000, 5_000, 16_000, 30_000
#: What a page is meant to stay below where the number of frames is not given, in bytes.
AIM = 60_000_000
FEWEST, MOST = 2, 12


def frame_size(stages: Stages) -> int:
    """About what one more frame of every video adds to the page, bytes."""
    maps = sum(2 if video in stages.masked else 1 for video in stages.videos) * len(stages.runs)
    return FRAME * len(stages.videos) + MAP * (maps + len(stages.masked))


def frames_a_video(stages: Stages) -> int:
    """How many frames of a video are shown where nobody says: fewer, the more videos and runs."""
    return min(MOST, max(FEWEST, (AIM - _heat_size(stages)) // frame_size(stages)))


def estimate(stages: Stages, topics: Sequence[Topic], most: int) -> int:
    """About how many bytes the page will have."""
    shown = min(most, max(len(stages.dataset.video(video).frames) for video in stages.videos[:20]))
    asked = QUESTION * sum(max(told.questions for told in topic.told) for topic in topics)
    return 200_000 + shown * frame_size(stages) + _heat_size(stages) + asked


def _heat_size(stages: Stages) -> int:
    return HEAT * (len(stages.videos) * len(stages.runs) + len(stages.masked))


def write_report(
    stages: Stages, scores: Scores | None, topics: Sequence[Topic], most: int, out: Path, workers: int
) -> int:
    """Writes the page ``out`` whole or not at all; gives its size in bytes. ``most``: frames shown of a video.

    The pictures of one video at a time are in memory; they wait in a file without a name on the disk of ``out``.
    DiskError; DataError or RunError naming a file that does not decode.
    """
    place = real_path(out)
    selections, ancestors = find_selections(stages), trace(stages)
    with disk_errors(out):
        place.parent.mkdir(parents=True, exist_ok=True)
        spool = tempfile.TemporaryFile(dir=place.parent)  # noqa: SIM115
    with spool:
        rows = []
        for number, sheet in enumerate(_sheets(stages, topics, most, workers)):
            rows.append(Row(number, sheet.video, sheet.frames, sheet.flicker, sheet.truth))
            with disk_errors(out):
                spool.write(block(number, sheet.block).encode("ascii"))
        before, after = render(Content(stages, scores, selections, list(topics), ancestors, rows, most))
        spool.seek(0)
        with atomic_path(place) as temporary, temporary.open("wb") as file:
            file.write(before.encode("utf-8", "replace"))
            shutil.copyfileobj(spool, file, 1 << 20)
            file.write(after.encode("utf-8", "replace"))
            size = file.tell()
    return size


def _sheets(stages: Stages, topics: Sequence[Topic], most: int, workers: int) -> Iterator[Sheet]:
    items = [(video, tuple(topic for topic in topics if topic.video == video)) for video in stages.videos]
    return engine.map(partial(_sheet, stages, most), items, workers=workers, title="report")


def _sheet(stages: Stages, most: int, item: tuple[str, tuple[Topic, ...]]) -> Sheet:
    video, topics = item
    return make_sheet(stages, most, topics, video)
