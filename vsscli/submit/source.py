"""Where label maps to be submitted lie: in a run, or in anybody's zip archive."""

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from vsscli.data.images import open_file
from vsscli.errors import OptionError, RunError
from vsscli.runs.run import Run, open_run

#: What a run holds beside its videos.
OWN = ("run.json", ".vsscli")


@dataclass(frozen=True)
class Entry:
    """A file or folder inside a source. ``fault`` says why it can or should not be read (empty: nothing is wrong)."""

    name: str  # a path with slashes
    folder: bool = False
    fault: str = ""


class Unreadable(Exception):
    """An entry whose bytes cannot be had; the text says why."""


class Source(Protocol):
    """A run or an archive; small, picklable, and read from workers."""

    @property
    def path(self) -> Path: ...
    @property
    def run(self) -> Run | None: ...
    def entries(self) -> list[Entry]: ...
    def read(self, name: str, limit: int) -> bytes:
        """The bytes of an entry; Unreadable when that fails, or gives more than ``limit`` bytes."""
        ...


@dataclass(frozen=True)
class FolderSource:
    """The files of a run, whoever made it."""

    run: Run

    @property
    def path(self) -> Path:
        return self.run.path

    def entries(self) -> list[Entry]:
        """Every file except what vsscli keeps beside the videos of its own runs."""
        found = []
        try:
            for item in sorted(self.path.iterdir()):
                if self.run.manifest is not None and item.name in OWN:
                    continue
                if item.is_dir():
                    found += [Entry(path.relative_to(self.path).as_posix()) for path in _files_below(item)]
                else:
                    found.append(Entry(item.name))
        except OSError as error:
            raise RunError(f"{error.filename} cannot be read ({error.strerror}).") from None
        return found

    def read(self, name: str, limit: int) -> bytes:
        try:
            with open_file(self.path / name) as file:
                content = file.read(limit + 1)
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror})") from None
        return _within(content, limit)


@dataclass(frozen=True)
class ZipSource:
    """The entries of a zip archive."""

    path: Path
    run: None = None

    def entries(self) -> list[Entry]:
        """Every entry, in the archive's order, with what is wrong with it as far as the directory tells."""
        found: list[Entry] = []
        seen: set[str] = set()
        for info in _archive(self.path).infolist():
            fault = "occurs twice" if info.filename in seen else _fault(info)
            seen.add(info.filename)
            found.append(Entry(info.filename, info.filename.endswith("/"), fault))
        return found

    def read(self, name: str, limit: int) -> bytes:
        try:
            with _archive(self.path).open(name) as file:
                content = file.read(limit + 1)
        except RunError:
            raise
        except Exception as error:  # zipfile raises whatever a broken archive leads it into
            raise Unreadable(f"cannot be read ({str(error) or type(error).__name__})") from None
        return _within(content, limit)


def open_source(path: Path) -> Source:
    """The run or archive at ``path``. RunError when it is neither, OptionError when nothing is there."""
    if path.is_dir():
        return FolderSource(open_run(path))
    if not path.exists():
        raise OptionError(f"{path} is not there.", "Give a run (a folder) or a zip archive.")
    _archive(path)
    return ZipSource(path)


def close_archives() -> None:
    """Lets go of the archives that this process holds open."""
    _open_archive.cache_clear()


def _archive(path: Path) -> zipfile.ZipFile:
    """The archive, opened once per process: with 30,000 entries that takes a third of a second."""
    try:
        state = path.stat()
        return _open_archive(path, (state.st_ino, state.st_size, state.st_mtime_ns))
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror or error}).") from None
    except Exception as error:  # zipfile raises whatever a broken archive leads it into
        raise RunError(
            f"{path} is neither a run nor a zip archive that can be read ({str(error) or type(error).__name__}).",
            "Was it copied whole?",
        ) from None


@lru_cache(maxsize=2)
def _open_archive(path: Path, state: tuple[int, ...]) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _fault(info: zipfile.ZipInfo) -> str:
    name = info.orig_filename
    parts = name.removesuffix("/").split("/")
    if "\\" in name or "\0" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        return "is no plain relative path"
    if info.flag_bits & 0x1:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # one read of others may take all memory
        return "is packed neither as it is nor by deflate, which is all that servers read"
    kind = stat.S_IFMT(info.external_attr >> 16)  # as Unix wrote it; 0 from systems that write none
    if kind == stat.S_IFLNK:
        return "is a link, not a file"
    if kind not in (0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG):
        return "is no regular file"
    return ""


def _within(content: bytes, limit: int) -> bytes:
    if len(content) > limit:
        raise Unreadable(f"is larger than any label map of this size can be (over {limit:,} bytes)")
    return content


def _files_below(folder: Path) -> Iterator[Path]:
    for item in sorted(folder.iterdir()):
        if item.is_dir() and not item.is_symlink():
            yield from _files_below(item)
        else:
            yield item
