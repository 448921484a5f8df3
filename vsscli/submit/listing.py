"""Which files of a source are the label maps of a split, and what else is there. Names only, no pixels."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from vsscli.submit.source import Entry

SYSTEM_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Problem:
    """Something a challenge server would reject: its kind, where it is, and the details."""

    kind: str
    where: str
    text: str = ""


@dataclass(frozen=True)
class Listing:
    """``maps``: video -> frame -> name in the source, for what is there. ``root``: the top folder, or empty."""

    root: str
    maps: Mapping[str, Mapping[str, str]]
    problems: tuple[Problem, ...]


def compare(entries: Iterable[Entry], expected: Mapping[str, Sequence[str]]) -> Listing:
    """Finds ``<video>/<frame>.png``, or the same under one top folder, for the frames of every video ``expected``."""
    entries = list(entries)
    root = _find_root(entries, expected)
    wanted = {f"{video}/{frame}.png": (video, frame) for video, frames in expected.items() for frame in frames}
    found: dict[tuple[str, str], str] = {}
    faulty: set[tuple[str, str]] = set()
    problems: list[Problem] = []
    extra: list[str] = []
    for entry in entries:
        inside = entry.name.removeprefix(root)
        if entry.fault:
            problems.append(Problem("bad entry", entry.name, entry.fault))
            faulty.update([wanted[inside]] if inside in wanted else [])
        elif entry.folder:
            if inside.rstrip("/") not in (*expected, ""):
                extra.append(entry.name)
        elif entry.name.startswith(root) and inside in wanted:
            found[wanted[inside]] = entry.name
        else:
            extra.append(entry.name)
    maps = {v: {f: found[v, f] for f in frames if (v, f) in found} for v, frames in expected.items()}
    problems += _extra(extra, root, expected)
    problems += _missing(found.keys() | faulty, expected)
    return Listing(root.rstrip("/"), maps, tuple(problems))


def _find_root(entries: Sequence[Entry], expected: Mapping[str, Sequence[str]]) -> str:
    """The folder (empty, or with a slash at its end) under which most files lie in a folder named like a video."""
    count = Counter({"": 0})
    for entry in entries:
        parts = entry.name.split("/")
        if len(parts) == 2 and parts[0] in expected:
            count[""] += 1
        elif len(parts) == 3 and parts[1] in expected:
            count[f"{parts[0]}/"] += 1
    return max(count, key=lambda root: count[root])


def _extra(names: Sequence[str], root: str, expected: Mapping[str, Sequence[str]]) -> list[Problem]:
    problems = []
    videos: Counter[str] = Counter()
    for name in names:
        parts = name.removeprefix(root).rstrip("/").split("/")
        if "__MACOSX" in parts or parts[-1] in SYSTEM_FILES or parts[-1].startswith("._"):
            problems.append(Problem("system file", name))
        elif len(parts) > 1 and parts[0] not in expected:
            videos[parts[0]] += 1
        else:
            problems.append(Problem("extra file", name, _near(parts, expected)))
    return problems + [Problem("extra video", video, f"{n} files, not in the split") for video, n in videos.items()]


def _near(parts: Sequence[str], expected: Mapping[str, Sequence[str]]) -> str:
    """What an unexpected file may have been meant to be."""
    if len(parts) != 2 or parts[0] not in expected:
        return ""
    stem, _, suffix = parts[1].rpartition(".")
    if stem in expected[parts[0]]:
        return f"label maps end in .png, not in .{suffix}"
    return "not named like a frame of that video"


def _missing(there: Set[tuple[str, str]], expected: Mapping[str, Sequence[str]]) -> list[Problem]:
    problems = []
    for video, frames in expected.items():
        lost = [frame for frame in frames if (video, frame) not in there]
        if len(lost) == len(frames):
            problems.append(Problem("missing video", video, f"{len(frames)} frames"))
        else:
            problems += [Problem("missing frame", f"{video}/{frame}.png") for frame in lost]
    return problems
