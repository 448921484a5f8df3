"""Whether a folder can be made where the user wants it, told before the work."""

from collections.abc import Sequence
from pathlib import Path

from vsscli.errors import OptionError, RunError


def check_new_folder(out: Path) -> None:
    """RunError where no model folder can be made: a file, below a file, a folder of other things, no right to write.

    Makes and removes an empty folder there, because rights and kinds of disks tell too little. A folder with a
    ``config.json`` may be there: whether it is the same model shows later.
    """
    from vsscli.processes import stamp
    from vsscli.runs.disk import disk_errors, nearest_above, real_path

    with disk_errors(out):
        place = real_path(out)
        if place.exists() and not place.is_dir():
            raise RunError(f"--out {out} is a file.", "Give a folder that is absent or empty.")
        if place.is_dir() and any(place.iterdir()):
            if not (place / "config.json").is_file():
                raise RunError(
                    f"--out {out} is not empty and is no model folder.", "Give a folder that is absent or empty."
                )
            return
        above = nearest_above(place)
        if not above.is_dir():
            raise RunError(
                f"--out {out} lies below {above}, which is a file.", "Give a folder that is absent or empty."
            )
        trial = above / f".{place.name}.{stamp()}.tmp"
        trial.mkdir()
        trial.rmdir()


def check_new_file(out: Path, inputs: Sequence[Path], suffixes: Sequence[str]) -> None:
    """OptionError where ``out`` cannot be written as a file: a folder, no file at all, below a file, inside an input.

    ``suffixes``: the endings that its name may have. A file that is there may be replaced, unless it is an input.
    """
    from tempfile import TemporaryFile

    from vsscli.runs.disk import disk_errors, nearest_above, real_path, refuse_inputs

    with disk_errors(out):
        place = real_path(out)
        if place.suffix.lower() not in suffixes:
            raise OptionError(f"--out {out} does not end in {' or '.join(suffixes)}.", f"For example out{suffixes[0]}.")
        if place.exists() and not place.is_file():
            raise OptionError(f"--out {out} is there and no file.", "Give the name of a file.")
        refuse_inputs("--out", out, inputs, folder=False)
        above = nearest_above(place)
        if not above.is_dir():
            raise OptionError(f"--out {out} lies below {above}, which is a file.", "Give a file in a folder.")
        with TemporaryFile(dir=above):  # rights and kinds of disks tell too little
            pass


def check_space(out: Path, size: int) -> None:
    """RunError where fewer than ``size`` bytes are free on the disk of ``out``."""
    import shutil

    from vsscli.runs.disk import disk_errors, nearest_above, real_path

    with disk_errors(out):
        free = shutil.disk_usage(nearest_above(real_path(out))).free
    if free < size:
        raise RunError(
            f"--out {out}: {size / 1e6:,.0f} MB are to be written, and {free / 1e6:,.0f} MB are free on its disk.",
            "Free some space, or give a folder on another disk.",
        )
