"""Every question that was put to a language model: what was shown, what was said, what was decided and changed."""

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PIL import Image

from vsscli.data.lists import is_name
from vsscli.errors import VssError
from vsscli.postprocess.facts import Told, read_regions
from vsscli.postprocess.groups import Group
from vsscli.postprocess.plan import Planner
from vsscli.postprocess.rules import Rules
from vsscli.postprocess.wording import read_wording
from vsscli.report.pictures import LONGEST, small_frame
from vsscli.report.stages import Stages
from vsscli.runs.record import Record
from vsscli.runs.run import Run, open_run

QUALITY = 80


@dataclass(frozen=True)
class Topic:
    """A region that was asked about, or that several models were asked about: in ``runs`` (places among the stages), of
    each what its record tells."""

    video: str
    region: str
    runs: tuple[int, ...]
    told: tuple[Told, ...]

    @property
    def changed(self) -> int:
        """Pixels that changed, at most, in one of the runs."""
        return max(told.changed for told in self.told)


def find_topics(stages: Stages) -> list[Topic]:
    """The regions of all videos about which something was asked, video by video.

    Runs that corrected the same run are shown side by side. RunError for a record that does not tell its regions.
    """
    topics: list[Topic] = []
    for video in stages.videos:
        found: dict[tuple[str, str], list[tuple[int, Told]]] = {}
        for place, run in _corrections(stages):
            record = run.record(video)
            if record is not None and run.manifest is not None:
                corrected = str(run.manifest.identity.get("run"))
                for told in read_regions(run.path, record):
                    if told.questions:
                        found.setdefault((corrected, told.region), []).append((place, told))
        topics += [
            Topic(video, region, tuple(place for place, _ in both), tuple(told for _, told in both))
            for (_, region), both in found.items()
        ]
    return topics


def ask_again(stages: Stages, video: str, topics: Sequence[Topic]) -> list[dict[str, Any]]:
    """The questions of each of ``topics``, which are of ``video``: images, words, answers.

    The images are drawn again from the run that was corrected, and are those that were sent: their digests are equal.
    Where that run is not to be found the frame stands in their place.
    """
    places = sorted({place for topic in topics for place in topic.runs})
    images: dict[str, bytes] = {}
    for place in places:
        run = stages.runs[place]
        record = run.record(video)
        if record is not None and any(digest not in images for digest in _digests(record)):
            images.update(_draw(stages, run, record))
    shown = _frames(stages, video, topics, images)
    return [_topic(stages, topic, images, shown) for topic in topics]


def corrected_run(stages: Stages, run: Run) -> Run | None:
    """The run that ``run`` corrected: among the stages, else beside it under its name; None where it is not there."""
    return source_run(stages, run, *_source_of(run))


def source_run(stages: Stages, run: Run, identity: str, name: str) -> Run | None:
    """The run of that ``identity`` that ``run`` was made from, called ``name`` then; None where it is not there."""
    for other in stages.runs:
        if other.identity == identity and (identity != "foreign" or other.path.name == name):
            return other
    with suppress(VssError, OSError):
        if is_name(name):
            beside = open_run(run.path.resolve().parent / name)
            if beside.identity == identity:
                return beside
    return None


def _source_of(run: Run) -> tuple[str, str]:
    manifest = run.manifest
    return ("", "") if manifest is None else (str(manifest.identity.get("run")), str(manifest.about.get("run")))


def _corrections(stages: Stages) -> Iterator[tuple[int, Run]]:
    for place, run in enumerate(stages.runs):
        if run.manifest is not None and run.manifest.verb == "postprocess":
            yield place, run


def _questions(record: Record, region: str) -> list[Mapping[str, Any]]:
    """What the record tells of the questions about ``region``; what is not of that form is passed over."""
    for found in record.facts["regions"]:
        if found["region"] == region:
            return [q for q in found["questions"] if isinstance(q, dict)]
    return []


def _digests(record: Record) -> set[str]:
    regions = [str(found["region"]) for found in record.facts["regions"]]
    return {_digest(question) for region in regions for question in _questions(record, region)}


def _digest(question: Mapping[str, Any]) -> str:
    image = question.get("image")
    return str(image.get("sha256")) if isinstance(image, dict) else ""


def _draw(stages: Stages, run: Run, record: Record) -> dict[str, bytes]:
    """Digest -> JPEG of the questions about a video, made again as they were made; empty where that cannot be."""
    source = corrected_run(stages, run)
    manifest = run.manifest
    if source is None or manifest is None:
        return {}
    with suppress(VssError, KeyError, TypeError, ValueError):
        if source.digest(record.video) != record.inputs.get("run"):
            return {}
        names = Rules().identity().keys() - {"key_frames", "mixed"}
        rules = Rules(**{name: manifest.identity[name] for name in names})
        groups = tuple(_groups(stages, record))
        planner = Planner(source, stages.dataset, groups, read_wording(None, rules.image), rules)
        made = [q.image for region in planner.plan(record.video).regions for q in region.questions]
        return {hashlib.sha256(image).hexdigest(): image for image in made}
    return {}


def _groups(stages: Stages, record: Record) -> Iterator[Group]:
    """The groups of the regions of a record, as far as regions depend on them."""
    seen: set[str] = set()
    for region in record.facts["regions"]:
        name, classes = str(region["group"]), tuple(map(str, region["candidates"]))
        if name not in seen:
            seen.add(name)
            scope = "image" if str(region["region"]).partition(".")[0] == name else "region"
            yield Group(name, name, classes, tuple(stages.table.index(c) for c in classes), scope, 1)


def _frames(stages: Stages, video: str, topics: Sequence[Topic], images: Mapping[str, bytes]) -> dict[str, str]:
    """Frame -> small JPEG for the questions whose image could not be made again."""
    lacking = set()
    for topic in topics:
        for place in topic.runs:
            record = stages.runs[place].record(video)
            if record is not None:
                asked = _questions(record, topic.region)
                lacking |= {str(q.get("frame")) for q in asked if _digest(q) not in images}
    source = stages.dataset.video(video)
    if not lacking:
        return {}
    pairs = zip(source.frames, source.images(), strict=True)
    return {frame: small_frame(image) for frame, image in pairs if frame in lacking}


def _topic(stages: Stages, topic: Topic, images: Mapping[str, bytes], frames: Mapping[str, str]) -> dict[str, Any]:
    """A topic for the page: one entry per image, and in each an answer per run, None where that run did not ask it."""
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    text, candidates = "", list[str]()
    for i, place in enumerate(topic.runs):
        record = stages.runs[place].record(topic.video)
        assert record is not None
        region = next(found for found in record.facts["regions"] if found["region"] == topic.region)
        text, candidates = (
            text or str(region.get("question") or ""),
            candidates or [str(c) for c in region.get("candidates") or ()],
        )
        for question in _questions(record, topic.region):
            frame, digest = str(question.get("frame")), _digest(question)
            drawn = images.get(digest)
            entry = entries.setdefault(
                (frame, digest),
                {
                    "frame": frame,
                    "image": _shrink(drawn) if drawn else frames.get(frame),
                    "drawn": drawn is not None,
                    "answers": [None] * len(topic.runs),
                },
            )
            entry["answers"][i] = _answer(question)
    return {"text": text, "candidates": candidates, "questions": list(entries.values())}


def _answer(question: Mapping[str, Any]) -> dict[str, Any]:
    answer = question.get("answer")
    if not isinstance(answer, dict):
        return {"chosen": None, "said": None, "model": None, "probability": None}
    return {
        "chosen": answer.get("chosen"),
        "said": str(answer.get("said")),
        "model": str(answer.get("model")),
        "probability": answer.get("probability"),
    }


def _shrink(image: bytes) -> str:
    """The image of a question, smaller: for people to look at."""
    with Image.open(io.BytesIO(image), formats=("JPEG",)) as opened:
        if max(opened.size) <= LONGEST:
            return base64.b64encode(image).decode("ascii")
        opened.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
        content = io.BytesIO()
        opened.save(content, "JPEG", quality=QUALITY)
    return base64.b64encode(content.getvalue()).decode("ascii")
