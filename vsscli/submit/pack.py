"""Packing label maps into a zip archive: the same bytes for the same maps, and a whole archive or none."""

import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from vsscli import engine
from vsscli.data.dataset import Dataset
from vsscli.data.lists import is_name
from vsscli.errors import OptionError, RunError
from vsscli.runs.disk import atomic_path, refuse_inputs
from vsscli.submit.png import MODES, convert, size_limit
from vsscli.submit.source import Source, Unreadable, ZipSource, close_archives
from vsscli.submit.verify import Report, verify

_OLDEST = (1980, 1, 1, 0, 0, 0)  # the first time a zip archive can tell
_FILE = 0o100644 << 16


def check_packing(out: Path, root: str, mode: str | None, source: Source, dataset: Dataset) -> None:
    """OptionError for what `pack` could not do: known before the work, not after it."""
    if out.suffix.lower() != ".zip":
        raise OptionError(f"--out {out} does not end in .zip.", "For example --out submission.zip.")
    refuse_inputs("--out", out, (source.path, dataset.root), folder=False)
    if not out.absolute().parent.is_dir():
        raise OptionError(f"--out {out}: the folder {out.parent} is not there.", "Make it first.")
    if out.exists() and not zipfile.is_zipfile(out):
        raise OptionError(f"--out {out} is there and is no zip archive.", "Choose another name.")
    if root and (not is_name(root) or ":" in root or root.startswith(".") or root != root.strip()):
        raise OptionError(f"--root {root!r} is not the name of a folder.", "For example --root result_submission.")
    if mode not in (None, *MODES.values()):
        raise OptionError(f"--png-mode {mode!r} is not one of {', '.join(MODES.values())}.", "P: palette, L: gray.")
    _palette(mode, source, dataset)


def pack(
    source: Source,
    dataset: Dataset,
    out: Path,
    report: Report,
    *,
    root: str = "",
    mode: str | None = None,
    workers: int | None = None,
    title: str | None = None,
) -> Report:
    """Writes the maps of ``source``, verified by ``report``, to the archive ``out``; returns the archive's own report.

    Stored, in the order of videos and frames, with one time stamp; ``root`` is a top folder; maps of another mode
    than ``mode`` (L or P) are written anew. The archive is read back and verified before it gets its name. Where
    ``out`` is there with the same bytes nothing changes; with others it stays and an OptionError says so. Raises
    DiskError.
    """
    palette = _palette(mode, source, dataset)
    try:
        with atomic_path(out) as temporary:
            load = partial(_load_video, source, dataset, mode, palette)
            with zipfile.ZipFile(temporary, "w") as archive:
                items = list(report.maps.items())
                for (video, _), maps in zip(items, engine.map(load, items, workers=workers, title=title), strict=True):
                    for frame, content in maps.items():
                        archive.writestr(_info("/".join(filter(None, (root, video, f"{frame}.png")))), content)
            packed = verify(ZipSource(temporary), dataset, workers=workers, title=title and f"{title}, read back")
            if packed.problems or packed.values != report.values:
                raise RunError(
                    f"{out} did not read back as {source.path} was verified.", "Did the input change meanwhile?"
                )
            if out.exists() and not _equal(out, temporary):
                raise OptionError(
                    f"--out {out} is there and would get other content.", "Remove it, or choose another name."
                )
    finally:
        close_archives()
    return packed


def _load_video(
    source: Source, dataset: Dataset, mode: str | None, palette: bytes | None, item: tuple[str, Mapping[str, str]]
) -> dict[str, bytes]:
    name, entries = item
    video, maps = dataset.video(name), {}
    for frame, entry in entries.items():
        try:
            content = source.read(entry, size_limit(video.image_size(frame)))
        except Unreadable as error:
            raise RunError(f"{entry} in {source.path} {error}; it was there a moment ago.") from None
        maps[frame] = content if mode is None else convert(content, mode, palette)
    return maps


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _OLDEST)
    info.create_system = 3  # Unix, on every system: the permissions below are read so
    info.external_attr = _FILE
    return info


def _palette(mode: str | None, source: Source, dataset: Dataset) -> bytes | None:
    if mode != "P":
        return None
    table = dataset.classes or (source.run.table if source.run is not None else None)
    if table is None:
        raise OptionError(
            f"--png-mode P: neither {dataset.root} nor {source.path} tells the colours of its classes.",
            "Leave --png-mode away, or use L.",
        )
    return table.palette


def _equal(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while block := first.read(1 << 20):
            if block != second.read(1 << 20):
                return False
    return True
