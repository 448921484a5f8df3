"""Which videos a command works on: ``--videos`` and ``--shard``."""

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsscli.errors import OptionError


def select_videos(
    names: Sequence[str], videos: str | None, shard: str | None, environment: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """The videos of the sorted ``names`` that ``--videos`` names and that fall into ``--shard``.

    ``videos``: ``NAME,...`` or ``@FILE`` (one name a line). ``shard``: ``i/n`` with 0 <= i < n takes videos
    i, i + n, ... of the sorted list; ``slurm`` reads i and n from the variables of a job array. Raises OptionError.
    """
    chosen = sorted(names) if videos is None else _named(names, videos)
    if shard is None:
        return tuple(chosen)
    index, count = _slurm(environment) if shard == "slurm" else _fraction(shard)
    return tuple(chosen[index::count])


def _named(names: Sequence[str], videos: str) -> list[str]:
    if videos.startswith("@"):
        path = Path(videos[1:])
        try:
            asked = path.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise OptionError(
                f"--videos {videos}: the list {path} cannot be read ({reason}).", "Give a text file, one name a line."
            ) from None
    else:
        asked = videos.split(",")
    asked = [name.strip() for name in asked if name.strip()]
    if not asked:
        raise OptionError(f"--videos {videos!r} names no video.", "Give NAME,NAME,... or @FILE with one name a line.")
    known = set(names)
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, names, 3, 0.5)
            hint = f"Did you mean {', '.join(near)}?" if near else f"The first of {len(names)} is {names[0]}."
            raise OptionError(f"--videos: there is no video {name!r}.", hint)
    return sorted(set(asked))


def _fraction(shard: str) -> tuple[int, int]:
    try:
        index, count = (int(part) for part in shard.split("/"))
    except ValueError:
        raise OptionError(f"--shard {shard!r} is not i/n.", "For example --shard 0/4, up to --shard 3/4.") from None
    if count < 1:
        raise OptionError(f"--shard {shard}: there is no such number of shards.", "The only one of one is 0/1.")
    if not 0 <= index < count:
        raise OptionError(f"--shard {shard} needs 0 <= i < n.", f"The last of {count} shards is {count - 1}/{count}.")
    return index, count


def _slurm(environment: Mapping[str, str]) -> tuple[int, int]:
    try:
        task, first, count, step = (
            int(environment[f"SLURM_ARRAY_TASK_{name}"])
            if name != "STEP"
            else int(environment.get("SLURM_ARRAY_TASK_STEP", "1"))
            for name in ("ID", "MIN", "COUNT", "STEP")
        )
    except (KeyError, ValueError):
        raise OptionError(
            "--shard slurm: this is no task of a SLURM job array (SLURM_ARRAY_TASK_ID, _MIN, _COUNT).",
            "Submit with sbatch --array=0-7, or give --shard i/n.",
        ) from None
    last = int(environment.get("SLURM_ARRAY_TASK_MAX", first + (count - 1) * step))
    if last != first + (count - 1) * step:
        raise OptionError(
            f"--shard slurm: the array has gaps ({count} tasks from {first} to {last}), and no part is known.",
            "Submit one without gaps: finished videos are not made again. Or give --shard i/n.",
        )
    index, odd = divmod(task - first, step)
    if odd or not 0 <= index < count:
        raise OptionError(f"--shard slurm: task {task} is not one of {count} tasks from {first} by {step}.")
    return index, count
