"""Which world: the numbers that decide every byte of it, and whether a folder holds it already."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vsscli.data.world.video import LANDS, SPLITS, VERSION, WATERS, frame_numbers, place_name, video_index, video_name
from vsscli.errors import DataError, OptionError

MANIFEST = "manifest.json"
#: Where videos grow before they are renamed to their place; gone when the world is finished.
DOING = ".doing"
PLAN = "plan.json"
PLACES = (*WATERS, *LANDS)


@dataclass(frozen=True)
class Job:
    """One video to write; can be sent to another process."""

    out: Path
    seed: int
    split: str
    index: int
    frames: int
    size: tuple[int, int]

    @property
    def name(self) -> str:
        """The video's name."""
        return video_name(self.seed, self.index)

    @property
    def folder(self) -> Path:
        """Where the video lies when it is finished."""
        return self.out / "data" / self.name

    @property
    def truth(self) -> Path:
        """Where the video's folder ``mask`` lies: beside the data for the test split."""
        return self.out / "test_truth" / self.name if self.split == "test" else self.folder

    def check(self) -> None:
        """DataError where a frame or a mask of the finished video is gone: by their names, nothing is read."""
        numbers = frame_numbers(self.seed, self.index, self.frames)
        for video, kind, suffix in ((self.folder, "origin", "jpg"), (self.truth, "mask", "png")):
            folder = video / kind
            there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
            lost = [name for name in (f"{number:08d}.{suffix}" for number in numbers) if name not in there]
            if lost:
                raise DataError(
                    f"{folder} lacks {len(lost)} of its {self.frames} files, the first is {lost[0]}.",
                    f"Remove {video} and repeat the command: it makes that video again.",
                )


@dataclass(frozen=True)
class Plan:
    """A world: ``videos`` are the numbers of videos of each split, ``size`` is (H, W). OptionError for bad values.

    ``places``: only videos that show one of these (none: all); each is the video of that name of the whole world.
    """

    seed: int
    videos: dict[str, int]
    frames: int
    size: tuple[int, int]
    places: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise OptionError(f"The seed {self.seed} is negative.", "Any whole number from 0 on will do.")
        for split, count in self.videos.items():
            if split not in SPLITS:
                raise OptionError(f"There is no split {split!r}.", f"Splits are {', '.join(SPLITS)}.")
            if count < 0:
                raise OptionError(f"The split {split} cannot have {count} videos.", "Give 0 or more.")
        unknown = [place for place in self.places or () if place not in PLACES]
        if unknown or self.places == ():
            what = f"There is no place {unknown[0]!r}" if unknown else "No place is named"
            raise OptionError(f"{what}.", f"Places are {', '.join(PLACES)}.")
        if not sum(self.videos.values()):
            raise OptionError("This world would have no video.", "Give at least one of --train, --val and --test.")
        if self.frames < 1:
            raise OptionError(f"A video cannot have {self.frames} frames.", "Give 1 or more (17 or more for VC16).")
        height, width = self.size
        if not (8 <= height <= 8192 and 8 <= width <= 8192):
            raise OptionError(f"Frames of {width}x{height} (width x height) cannot be made.", "Each side: 8 to 8192.")

    def identity(self) -> dict[str, object]:
        """What must be equal for two worlds to be the same."""
        counts = {split: self.videos.get(split, 0) for split in SPLITS}
        return {
            "version": VERSION,
            "seed": self.seed,
            "size": list(self.size),
            "frames": self.frames,
            "videos": counts,
            "places": None if self.places is None else sorted(set(self.places)),
        }

    def jobs(self, out: Path) -> list[Job]:
        """All videos, split by split."""
        return [
            Job(out, self.seed, split, index, self.frames, self.size)
            for split in SPLITS
            for index in itertools.islice(self._indices(split), self.videos.get(split, 0))
        ]

    def _indices(self, split: str) -> Iterator[int]:
        """The indices of the videos of a split that show what is wanted, without end."""
        indices = (video_index(split, number) for number in itertools.count())
        return (index for index in indices if self.places is None or place_name(self.seed, index) in self.places)


def check_folder(plan: Plan, out: Path) -> bool:
    """Whether ``out`` holds the finished world of ``plan``; OptionError when it holds something else.

    A folder that is absent, empty, or holds a part of the same world, is fine: False.
    """
    if not out.exists():
        return False
    if not out.is_dir():
        raise OptionError(f"{out} is a file.", "Give a folder that does not exist yet.")
    for path in (out / MANIFEST, out / DOING / PLAN):
        if path.is_file():
            _compare(plan, path, out)
            return path.name == MANIFEST and all(job.folder.is_dir() and job.truth.is_dir() for job in plan.jobs(out))
    if any(entry.name != DOING for entry in out.iterdir()):
        raise OptionError(f"{out} is not empty and holds no generated world.", "Give a folder that does not exist yet.")
    return False


def _compare(plan: Plan, path: Path, out: Path) -> None:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        raise OptionError(f"{path} cannot be read as a world's manifest.", "Give another folder.") from None
    for key, value in plan.identity().items():
        there = found.get(key) if isinstance(found, dict) else None
        if there != value:
            raise OptionError(
                f"{out} holds another generated world: its {key} is {json.dumps(there)}, not {json.dumps(value)}.",
                "Give another folder, or the options that made it.",
            )
