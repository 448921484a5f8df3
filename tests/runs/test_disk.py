"""Files and folders, whole or not at all; places that are no plain files."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support import tree
from vsscli.processes import stamp
from vsscli.runs.disk import DiskError, atomic_folder, real_path, write_atomic


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "x.json", tmp_path / "latest.json"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomic(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["x.json"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to(pipe)  # as /dev/stdout is
    writer = threading.Thread(target=write_atomic, args=(tmp_path / "link", b"content"))
    writer.start()
    assert pipe.read_bytes() == b"content"
    writer.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_in_a_circle_is_told(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for use in (lambda: write_atomic(loop, b"x"), lambda: real_path(loop / "x")):
        with pytest.raises(DiskError, match="in a circle"):
            use()
    assert loop.is_symlink()


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="Is a directory"):
        write_atomic(tmp_path, b"x")
    assert list(tmp_path.parent.glob("*.tmp")) == []


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with atomic_folder(target) as folder:
        (folder / "x").write_bytes(b"x")
        assert not target.exists()
    assert tree(tmp_path) == {"a/b/x": b"x"}
    assert [path.name for path in target.parent.iterdir()] == ["b"]


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "b"
    for error in (KeyboardInterrupt, ValueError):
        with pytest.raises(error), atomic_folder(target) as folder:
            (folder / "x").write_bytes(b"x")
            raise error
        assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_filled_and_a_full_one_is_not_touched(tmp_path: Path) -> None:
    target, link = tmp_path / "b", tmp_path / "link"
    target.mkdir()
    link.symlink_to(target)
    with atomic_folder(link) as folder:
        (folder / "x").write_bytes(b"x")
    assert link.is_symlink() and tree(target) == {"x": b"x"}
    with pytest.raises(DiskError, match="cannot be written"), atomic_folder(target) as folder:
        (folder / "y").write_bytes(b"y")
    assert tree(target) == {"x": b"x"} and {path.name for path in tmp_path.iterdir()} == {"b", "link"}


def test_what_a_dead_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    script = "from vsscli.processes import stamp; print(stamp())"
    dead = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    host = stamp().rpartition(".")[0]
    for owner in (dead, f"{host}.{os.getppid()}"):
        (tmp_path / f".b.{owner}.tmp").mkdir()
        (tmp_path / f".b.{owner}.tmp" / "x").touch()
    with atomic_folder(tmp_path / "b"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"b", f".b.{host}.{os.getppid()}.tmp"}
