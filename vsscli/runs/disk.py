"""Writing to disk: whole files or none, and disk errors as one sentence."""

import contextlib
import errno
import glob
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from vsscli.errors import OptionError, RunError
from vsscli.processes import is_stale, stamp

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DiskError(RunError):
    """The disk is full, read-only, or refuses: no other video can be written either."""


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns an OSError inside the block into a DiskError that names ``path`` and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            hint = "Free some space and repeat the command: what is finished stays."
        else:
            hint = "Check that the folder exists and that you may write there."
        raise DiskError(f"{path} cannot be written: {reason}.", hint) from error


def nearest_above(path: Path) -> Path:
    """The nearest thing above ``path`` that exists."""
    return next(place for place in path.absolute().parents if place.exists())


def real_path(path: Path) -> Path:
    """``path`` without links; DiskError for a link that leads to itself."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        raise DiskError(f"{path} cannot be used: it leads nowhere, or in a circle.", "Look at its links.") from None


def refuse_inputs(option: str, place: Path, inputs: Iterable[Path], *, folder: bool = True) -> None:
    """OptionError where ``place``, which ``option`` names, is an input or lies inside one; a ``folder``, too, where it
    holds one."""
    mine = real_path(place)
    for path in inputs:
        other = real_path(path)
        inside = mine.is_relative_to(other)
        if inside or (folder and other.is_relative_to(mine)):
            relation = "is" if mine == other else "lies inside" if inside else "holds"
            raise OptionError(
                f"{option} {place} {relation} {path}, an input.", "Inputs are never changed: write beside it."
            )


def sweep_temporary(folder: Path, pattern: str = ".*.tmp") -> None:
    """Removes the temporary files and folders in ``folder`` that dead processes of this machine left."""
    for path in folder.glob(pattern):
        if is_stale(path.name.removesuffix(".tmp")):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to; it becomes ``path`` when the block ends well, else it goes.

    Other processes see the old file or the new one, never a part; the content reaches the disk before the name
    does. What dead processes left of earlier attempts is removed. Raises DiskError.
    """
    temporary = path.with_name(f".{path.name}.{stamp()}.tmp")
    with disk_errors(path):
        sweep_temporary(path.parent, f".{glob.escape(path.name)}.*.tmp")
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` for files; it becomes ``path`` when the block ends well, else it goes.

    ``path`` must be absent or an empty folder; the folders above it are made. Other processes see all files or none.
    What dead processes left of earlier attempts is removed. Raises DiskError.
    """
    target = real_path(path)
    temporary = target.with_name(f".{target.name}.{stamp()}.tmp")
    with disk_errors(path):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep_temporary(target.parent, f".{glob.escape(target.name)}.*.tmp")
        try:
            temporary.mkdir()
            yield temporary
            for item in temporary.iterdir():
                with item.open("rb+") as file:
                    os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def write_atomic(path: Path, content: bytes) -> None:
    """Writes ``content`` to ``path`` whole or not at all (see `atomic_path`). Raises DiskError.

    A link stays and its target is written; a device or a pipe (``/dev/stdout``) is written to, not replaced.
    """
    with disk_errors(path):
        if path.exists() and not (path.is_file() or path.is_dir()):
            path.write_bytes(content)
            return
    with atomic_path(real_path(path) if path.is_symlink() else path) as temporary:
        temporary.write_bytes(content)


def create_once(path: Path, content: bytes) -> bool:
    """Writes ``content`` to ``path`` unless it exists; True if this call made it. Safe between processes."""
    temporary = path.with_name(f".{path.name}.{stamp()}.tmp")
    with disk_errors(path):
        try:
            temporary.write_bytes(content)
            try:
                os.link(temporary, path)
            except FileExistsError:
                return False
            except OSError:  # a disk without hard links: the window between test and rename is all that is lost
                if path.exists():
                    return False
                temporary.replace(path)
            return True
        finally:
            temporary.unlink(missing_ok=True)
