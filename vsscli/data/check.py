"""Looking for what is wrong in a dataset: every list, every folder, every file, decoded to its end."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vsscli.data.dataset import Dataset, FolderVideo, Numbering, Video
from vsscli.data.images import image_mode, read_indices, verify_end, verify_image
from vsscli.data.open import layout_at, open_dataset
from vsscli.data.plain import VideoFile
from vsscli.errors import DataError

#: What may be found, in the order it is told.
FAULTS = {
    "bad_list": "lists that cannot be used",
    "bad_name": "names that no video can have, or that several have",
    "other_classes": "the dataset's own list of classes, which is not VSPW's",
    "listed_twice": "listed more than once",
    "in_two_splits": "in several splits",
    "unusable_video": "videos that cannot be used: missing, empty, ambiguous, or not opening",
    "broken_frame": "frames that do not decode",
    "broken_mask": "masks that do not decode",
    "frame_size": "frames of another size than the first of their video",
    "mask_size": "masks of another size than their frame",
    "frame_without_mask": "frames without a mask",
    "video_without_masks": "videos without masks in a split with masks",
    "mask_without_frame": "masks without a frame",
    "odd_value": "masks with values that stand for nothing (read as void)",
}
NOTES = {
    "color_mask": "masks stored in colours (resolved)",
    "frame_count": "video files that hold fewer frames than they claim",
    "unlisted": "in no list",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (a kind in FAULTS) or worth knowing (in NOTES)."""

    kind: str
    path: str
    detail: str
    split: str | None = None
    video: str | None = None
    frame: str | None = None
    values: dict[str, int] | None = None  # odd stored value -> pixels


@dataclass
class VideoReport:
    """What was looked at in one video, and what was found."""

    split: str | None
    video: str
    frames: int = 0
    masks: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, kind: str, path: Path, detail: str, frame: str | None = None, **more: Any) -> None:
        detail = detail.removeprefix(f"{path}: ")
        self.findings.append(Finding(kind, str(path), detail, self.split, self.video, frame, **more))


def open_splits(root: Path, split: str = "all") -> tuple[list[Dataset], list[Finding]]:
    """The dataset's splits (those with a list for ``all``), and what is wrong with their lists.

    Raises DataError when ``root`` is no dataset, or when no split, or not the one asked for, can be used.
    """
    layout = layout_at(root)
    if split != "all" or not layout.splits(root):
        datasets = [open_dataset(root, "val" if split == "all" else split, flawed=True)]
        return datasets, list(_list_findings(datasets))
    datasets, findings, errors = [], [], []
    for name in layout.splits(root):
        try:
            datasets.append(open_dataset(root, name, flawed=True))
        except DataError as error:
            errors.append(error)
            path = str(root / f"{name}.txt")
            findings.append(Finding("bad_list", path, error.message.removeprefix(f"{path}: "), name))
    if not datasets:
        raise errors[0]
    findings += _list_findings(datasets)
    findings += [Finding("unlisted", str(root), name) for name in layout.unlisted(root)]
    return datasets, findings


def _list_findings(datasets: Sequence[Dataset]) -> Iterable[Finding]:
    other = datasets[0].other_classes  # of the root, so of all splits
    if other is not None:
        yield Finding("other_classes", str(datasets[0].root), f"{other}; vsscli reads masks by VSPW's")
    for dataset in datasets:
        for sentence in dataset.misnamed:
            yield Finding("bad_name", str(dataset.root), sentence, dataset.split)
        for name in dataset.repeated:
            yield Finding("listed_twice", str(dataset.root), name, dataset.split)
    for i, first in enumerate(datasets):
        for second in datasets[i + 1 :]:
            for name in sorted(set(first.names()) & set(second.names())):
                shared = len(set(_frames(first, name)) & set(_frames(second, name)))
                if shared:
                    detail = f"{shared} of its frames are in {first.split} and in {second.split}"
                    yield Finding("in_two_splits", str(first.root), detail, second.split, name)


def _frames(dataset: Dataset, name: str) -> tuple[str, ...]:
    try:
        return dataset.video(name).frames
    except DataError:
        return ()


def check_item(datasets: Sequence[Dataset], item: tuple[int, str]) -> VideoReport:
    """`check_video` of the video ``item[1]`` of ``datasets[item[0]]``: what a worker is given."""
    return check_video(datasets[item[0]], item[1])


def check_video(dataset: Dataset, name: str) -> VideoReport:
    """Decodes every frame and mask of one video; nothing that is wrong with it is raised."""
    report = VideoReport(dataset.split, name)
    try:
        video = dataset.video(name)
        if isinstance(video, FolderVideo):
            _check_files(video, dataset.numbering, report)
        else:
            _check_stream(video, report)
    except DataError as error:
        report.note("unusable_video", dataset.root, error.message)
    return report


def _check_stream(video: Video, report: VideoReport) -> None:
    report.frames = len(video.frames)  # decodes all of them
    if isinstance(video, VideoFile) and report.frames < video.claimed:
        report.note("frame_count", video.path, f"{report.frames} frames decode, {video.claimed} are claimed")


def _check_files(video: FolderVideo, numbering: Numbering | None, report: VideoReport) -> None:
    first: tuple[int, int] | None = None
    masked = video.has_masks()
    for frame, files in video.files.items():
        size = None
        try:
            size = verify_image(files.image)
            report.frames += 1
        except DataError as error:
            report.note("broken_frame", files.image, error.message, frame)
        first = first or size
        if size is not None and size != first:
            report.note("frame_size", files.image, f"{_show(size)}, the first frame is {_show(first)}", frame)
        if files.mask is not None and numbering is not None:
            _check_mask(files.mask, numbering, size, frame, report)
        elif masked:
            report.note("frame_without_mask", files.image, "no mask of this name", frame)
    for path in video.loose_masks:
        report.note("mask_without_frame", path, "no frame of this name", path.stem)


def _check_mask(
    path: Path, numbering: Numbering, size: tuple[int, int] | None, frame: str, report: VideoReport
) -> None:
    try:
        mode = image_mode(path)
        values = read_indices(path, numbering.colors)
        verify_end(path)
    except DataError as error:
        report.note("broken_mask", path, error.message, frame)
        return
    report.masks += 1
    if mode in ("RGB", "RGBA"):
        report.note("color_mask", path, f"mode {mode}", frame)
    if size is not None and values.shape != size:
        report.note("mask_size", path, f"{_show(values.shape)}, its frame is {_show(size)}", frame)
    counts = np.bincount(values.ravel(), minlength=256)
    odd = {str(value): int(counts[value]) for value in sorted(numbering.odd) if counts[value]}
    if odd:
        detail = ", ".join(f"{value} ({pixels} px)" for value, pixels in odd.items())
        report.note("odd_value", path, detail, frame, values=odd)


def _show(size: tuple[int, ...] | None) -> str:
    return "unknown" if size is None else f"{size[1]}x{size[0]}"


def summarise(
    datasets: Sequence[Dataset], findings: Sequence[Finding], reports: Sequence[VideoReport]
) -> dict[str, Any]:
    """The result as JSON: counts by kind, the odd values, and every finding in the order of FAULTS and NOTES."""
    found = [*findings, *(finding for report in reports for finding in report.findings), *_maskless(reports)]
    order = {kind: place for place, kind in enumerate((*FAULTS, *NOTES))}
    found.sort(key=lambda finding: order[finding.kind])
    kinds = Counter(finding.kind for finding in found)
    odd: dict[str, dict[str, int]] = {}
    for finding in found:
        for value, pixels in (finding.values or {}).items():
            total = odd.setdefault(value, {"pixels": 0, "masks": 0})
            total["pixels"] += pixels
            total["masks"] += 1
    return {
        "dataset": datasets[0].kind,
        "root": str(datasets[0].root),
        "splits": [dataset.split for dataset in datasets if dataset.split is not None],
        "videos": len({report.video for report in reports}),
        "frames": sum(report.frames for report in reports),
        "masks": sum(report.masks for report in reports),
        "clean": not any(kind in FAULTS for kind in kinds),
        "faults": {kind: kinds[kind] for kind in FAULTS if kinds[kind]},
        "notes": {kind: kinds[kind] for kind in NOTES if kinds[kind]},
        "odd_values": dict(sorted(odd.items(), key=lambda item: int(item[0]))),
        "findings": [{"fault": finding.kind in FAULTS, **asdict(finding)} for finding in found],
    }


def _maskless(reports: Sequence[VideoReport]) -> list[Finding]:
    with_masks = {report.split for report in reports if report.masks}
    return [
        Finding("video_without_masks", report.video, f"{report.frames} frames, no mask", report.split, report.video)
        for report in reports
        if report.split in with_masks and report.frames and not report.masks and not _broken(report)
    ]


def _broken(report: VideoReport) -> bool:
    return any(finding.kind == "broken_mask" for finding in report.findings)
