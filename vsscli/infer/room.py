"""Whether what is kept of a video between two passes has room: told, or refused, before anything starts."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from vsscli.data.dataset import Dataset
from vsscli.errors import DataError, DeviceError
from vsscli.infer.store import IN_MEMORY, scratch_folder, scratch_is_lost
from vsscli.infer.views import View
from vsscli.maps.geometry import padded_size
from vsscli.models.card import ModelCard
from vsscli.runs.disk import nearest_above, real_path
from vsscli.words import plural


@dataclass(frozen=True)
class Need:
    """What the largest video keeps: ``stored`` and ``held`` bytes (`vsscli.models.families.Kept`) times ``frames``.

    Those are the frames that the network sees.
    """

    video: str
    frames: int
    stored: int
    held: int
    what: str
    advice: str

    @property
    def told(self) -> str:
        """What is kept, as the beginning of a sentence."""
        kept = f"{plural(self.frames, 'frame')} x {_bytes(self.stored)} = {_bytes(self.frames * self.stored)}"
        return f"{kept} of {self.what} are kept of the largest video ({self.video})"

    @property
    def memory(self) -> int:
        """Bytes in memory, with what the last step computes on."""
        return min(self.frames * self.stored, IN_MEMORY) + self.frames * self.held

    @property
    def file(self) -> int:
        """Bytes in the temporary file."""
        return max(self.frames * self.stored - IN_MEMORY, 0)


def find_need(
    dataset: Dataset, videos: Sequence[str], views: Sequence[View], card: ModelCard, interval: int = 1
) -> Need | None:
    """The need of the largest of ``videos`` in the largest view; None where the network keeps nothing.

    ``interval``: of that many frames one goes through the network.

    Sizes are those of the first frames. Videos that cannot be read are passed over: each is told when its turn comes.
    """
    if card.kept((32, 32)) is None:
        return None
    needs = []
    for name in videos:
        try:
            video = dataset.video(name)
            size = video.image_size(video.frames[0])
        except DataError:
            continue
        for view in views:
            kept = card.kept(padded_size(*view.network_size(size), card.preprocess.divisor))
            assert kept is not None
            needs.append(Need(name, ceil(len(video.frames) / interval), kept.stored, kept.held, kept.what, kept.advice))
    return max(needs, key=lambda need: need.frames * need.stored, default=None)


def check_room(need: Need, out: Path, workers: int) -> str:
    """A sentence on what is kept and where; DeviceError when disk or memory will not do for ``workers`` at once."""
    folder = scratch_folder(real_path(out) / ".vsscli")
    kept = need.told
    if need.file and scratch_is_lost():
        raise DeviceError(
            f"TMPDIR is {folder}, which is no folder, and {kept} until its end, {_bytes(need.file)} of it there.",
            "Make that folder, or set TMPDIR to another.",
        )
    each = f" in each of {workers} workers" if workers > 1 else ""
    hint = f"Set TMPDIR to a larger disk, leave that video out, or {need.advice}."
    free = shutil.disk_usage(folder if folder.exists() else nearest_above(folder)).free
    if need.file * workers > free:
        raise DeviceError(
            f"The disk is too small: {kept}{each} until its end, and {folder} has {_bytes(free)} free.", hint
        )
    available = available_memory()
    if need.memory * workers > available:
        raise DeviceError(
            f"Memory is too small: {kept}{each} until its end, {_bytes(need.memory)} of it in memory, and "
            f"{_bytes(available)} are free.",
            f"Leave that video out, take fewer --workers, or {need.advice}.",
        )
    where = f"{_bytes(need.memory)} in memory"
    if need.file:
        where += f", {_bytes(need.file)} in a temporary file in {folder}"
    return f"{kept}{each} until its end: {where}."


_OF_THIS_PROCESS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Bytes that may still be taken: the machine's, or less where a cgroup (SLURM, a container) allows less.

    What files are cached in a group counts as free: the system gives it up.
    """
    import psutil

    found = int(psutil.virtual_memory().available)
    for group, limit, used, prefix in _limits():
        try:
            room = int((group / limit).read_text()) - int((group / used).read_text())
            lines = (line.split() for line in (group / "memory.stat").read_text().splitlines())
            cached = {f"{prefix}inactive_file", f"{prefix}active_file"}
            room += sum(int(count) for name, count in lines if name in cached)
        except (OSError, ValueError):  # no such group, or no limit
            continue
        found = min(found, max(room, 0))
    return found


def _limits() -> Iterator[tuple[Path, str, str, str]]:
    """The memory groups that this process is in, outwards: folder, names of limit and use, prefix of the counts."""
    try:
        lines = _OF_THIS_PROCESS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, kinds, path = line.split(":", 2)
        if number == "0":  # version 2
            base, names = _GROUPS, ("memory.max", "memory.current", "")
        elif "memory" in kinds.split(","):
            base, names = _GROUPS / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        else:
            continue
        inner = base / path.lstrip("/")
        for group in (inner, *(above for above in inner.parents if above.is_relative_to(base))):
            yield group, *names


def _bytes(count: float) -> str:
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
