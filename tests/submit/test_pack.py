"""Archives: the same bytes for the same maps, whole or not at all, and read back."""

import hashlib
import multiprocessing
import os
import resource
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from tests.submit.cases import FIRST, VIDEOS, check, dataset, good_files, good_run, make_split, png, write_zip
from tests.support import make_run, make_vspw, tree
from vsscli.cli.main import run as vsscli
from vsscli.data.classes import vspw_classes
from vsscli.errors import OptionError, RunError
from vsscli.runs.disk import DiskError
from vsscli.runs.labels import read_labels
from vsscli.runs.run import open_run
from vsscli.submit.pack import check_packing, pack
from vsscli.submit.png import convert
from vsscli.submit.source import open_source
from vsscli.submit.verify import verify


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_split(tmp_path)


def packed(source: Path, data: Path, out: Path, root: str = "", mode: str | None = None, workers: int = 1) -> Path:
    what, split = open_source(source), dataset(data)
    check_packing(out, root, mode, what, split)
    report = verify(what, split, workers=workers)
    assert report.problems == ()
    assert pack(what, split, out, report, root=root, mode=mode, workers=workers).problems == ()
    return out


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def command(*words: object) -> int:
    return vsscli([str(word) for word in words])


@pytest.mark.parametrize("root", ["", "result_submission"])
def test_an_archive_holds_the_files_of_the_run_and_nothing_else(tmp_path: Path, data: Path, root: str) -> None:
    run = good_run(tmp_path)
    before = tree(run)
    out = packed(run, data, tmp_path / "out.zip", root)
    top = f"{root}/" if root else ""
    expected = {f"{top}{name}": content for name, content in before.items() if name.endswith(".png")}
    assert contents(out) == expected
    assert list(contents(out)) == sorted(expected)
    assert tree(run) == before
    report = check(out, data)
    assert report.problems == () and report.root == root


def test_the_bytes_depend_on_the_maps_alone(tmp_path: Path, data: Path) -> None:
    run = good_run(tmp_path)
    first = packed(run, data, tmp_path / "first.zip").read_bytes()
    for i, path in enumerate(run.rglob("*.png")):
        os.utime(path, (i, i))
        path.chmod(0o600 + i)
    assert packed(run, data, tmp_path / "second.zip", workers=2).read_bytes() == first
    for archive in ("first.zip", "rooted.zip"):
        assert packed(tmp_path / archive, data, tmp_path / "again.zip").read_bytes() == first
        (tmp_path / "again.zip").unlink()
        packed(run, data, tmp_path / "rooted.zip", root="x")
    shuffled = dict(sorted(contents(tmp_path / "first.zip").items(), key=lambda item: item[0][::-1]))
    other = write_zip(tmp_path / "other.zip", {f"top/{name}": c for name, c in shuffled.items()}, deflate=True)
    assert packed(other, data, tmp_path / "again.zip").read_bytes() == first


def test_entries_are_stored_with_one_time_and_plain_permissions(tmp_path: Path, data: Path) -> None:
    out = packed(good_run(tmp_path), data, tmp_path / "out.zip")
    with zipfile.ZipFile(out) as archive:
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
            assert info.date_time == (1980, 1, 1, 0, 0, 0) and info.create_system == 3
            assert stat.filemode(info.external_attr >> 16) == "-rw-r--r--"
            assert info.extra == b"" and info.flag_bits == 0 and info.extract_version == 20
    assert b"PK\x06\x06" not in out.read_bytes()  # no zip64 where none is needed


@pytest.mark.parametrize("foreign", [False, True])
@pytest.mark.parametrize("mode", ["P", "L"])
def test_png_modes(tmp_path: Path, data: Path, foreign: bool, mode: str) -> None:
    run = good_run(tmp_path, foreign=foreign)
    out = packed(run, data, tmp_path / "out.zip", mode=mode)
    assert check(out, data).modes == {mode: 6}
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "unpacked")
    for name in contents(out):
        path = tmp_path / "unpacked" / name
        np.testing.assert_array_equal(read_labels(path), read_labels(run / name))
        assert (path.read_bytes() == (run / name).read_bytes()) is (foreign == (mode == "L"))
        with Image.open(path) as image:
            assert image.mode == mode
            if mode == "P":
                assert bytes(image.getpalette() or []) == vspw_classes().palette


@settings(max_examples=50, deadline=None)
@given(labels=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))), modes=st.permutations(["L", "P"]))
def test_modes_convert_to_and_fro(labels: NDArray[np.uint8], modes: list[str]) -> None:
    content = png(labels)
    for mode in (*modes, *modes):
        content = convert(content, mode, vspw_classes().palette)
        assert convert(content, mode, None) is content
    with Image.open(BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(image), labels)


@settings(max_examples=15, deadline=None)
@given(
    shapes=st.dictionaries(
        st.text("abc_-0123456789", min_size=1, max_size=6).filter(lambda name: not name.startswith(".")),
        st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 20)),
        min_size=1,
        max_size=4,
    ),
    foreign=st.booleans(),
    root=st.sampled_from(["", "top"]),
)
def test_unpacked_is_the_run(
    shapes: dict[str, tuple[int, int, int]], foreign: bool, root: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("pack")
    data = make_vspw(folder / "data", shapes, masks=False)
    run = make_run(folder / "run", shapes, foreign=foreign, classes=124)
    out = packed(run, data, folder / "out.zip", root)
    assert packed(run, data, folder / "again.zip", root).read_bytes() == out.read_bytes()
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder / "unpacked")
    ours, theirs = open_run(run), open_run(folder / "unpacked" / root)
    assert theirs.names() == ours.names()
    for video in ours.names():
        assert theirs.frames(video) == ours.frames(video)
        for frame in ours.frames(video):
            np.testing.assert_array_equal(theirs.labels(video, frame), ours.labels(video, frame))


def test_the_verb_verifies_packs_and_says_what_it_checked(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = good_run(tmp_path), tmp_path / "out.zip"
    assert command("submit", run, "--data", data, "--workers", 1) == 0
    assert "3 of 3" in capsys.readouterr().out and not out.exists()
    assert command("submit", run, "--data", data, "--out", out, "--workers", 2) == 0
    text, told = capsys.readouterr()
    assert told.endswith(f"submit: {out} is fit for submission.\n") and ", checked against the split" in text
    assert hashlib.sha256(out.read_bytes()).hexdigest() in text
    for words in (
        "frames      6 of 6",
        "13x9 (3), 8x8 (2), 6x12 (1)",
        "P (6)",
        "classes are 0..123",
        "top folder  none",
    ):
        assert words in text
    assert command("submit", out, "--data", data, "--workers", 1) == 0
    again = capsys.readouterr()
    assert again.out.splitlines()[1:] == text.splitlines()[2:] and "is fit for submission" in again.err


def test_problems_are_listed_counted_and_end_with_2(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {**good_files(tmp_path), **{f"1_a/x{i}.png": b"" for i in range(30)}, "2/00000003.png": b""}
    files[FIRST] = png(np.full((9, 13), 255, np.uint8))
    path, out = write_zip(tmp_path / "bad.zip", files), tmp_path / "out.zip"
    assert command("submit", path, "--data", data, "--out", out, "--workers", 1) == 2
    streams = capsys.readouterr()
    lines = streams.err.splitlines()
    (extra,) = (line for line in lines if line.startswith("  extra file "))
    assert extra.split()[2:] == [
        "30:",
        "1_a/x0.png,",
        "1_a/x1.png,",
        "1_a/x2.png,",
        "...:",
        "not",
        "named",
        "like",
        "a",
        "frame",
        "of",
        "that",
        "video",
    ]
    assert f"  no label         {FIRST}: 117 pixels of 255" in lines
    assert "bad.zip is not fit for submission: 32 problems (extra file 30, extra video 1, no label 1)." in streams.err
    assert "frames      6 of 6" in streams.out and not out.exists()


def test_an_archive_that_is_there_is_kept(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = good_run(tmp_path), tmp_path / "out.zip"
    first = packed(run, data, out).read_bytes()
    assert command("submit", run, "--data", data, "--out", out, "--workers", 1) == 0
    assert out.read_bytes() == first
    assert command("submit", run, "--data", data, "--out", out, "--root", "x", "--workers", 1) == 2
    assert "is there and would get other content. Remove it" in " ".join(capsys.readouterr().err.split())
    assert out.read_bytes() == first
    assert not list(tmp_path.glob("*.tmp")) and not list(tmp_path.glob(".*.tmp"))


def test_the_top_folder_is_what_was_expected(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = good_run(tmp_path)
    plain, rooted = packed(run, data, tmp_path / "plain.zip"), packed(run, data, tmp_path / "rooted.zip", "preds")
    for archive, words, code, sentence in (
        (plain, (), 0, "plain.zip is fit"),
        (plain, ("--root", ""), 0, "plain.zip is fit"),
        (plain, ("--root", "preds"), 2, "has no top folder, and --root asks for the top folder 'preds'"),
        (rooted, (), 0, "the videos are in the folder 'preds' of the archive"),
        (rooted, ("--root", "preds"), 0, "rooted.zip is fit"),
        (rooted, ("--root", ""), 2, "has the top folder 'preds', and --root asks for no top folder"),
    ):
        assert command("submit", archive, "--data", data, "--workers", 1, *words) == code
        assert sentence in " ".join(capsys.readouterr().err.split())


def test_bad_requests_have_their_sentences(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = good_run(tmp_path)
    archive = packed(run, data, tmp_path / "here.zip")
    (tmp_path / "note.zip").write_text("not an archive")
    before = tree(tmp_path)
    for words, sentence in (
        ((run, "--root", "x"), "there is no --out"),
        ((archive, "--png-mode", "L"), "there is no --out"),
        ((run, "--out", "x.tar"), "does not end in .zip"),
        ((run, "--out", run / "x.zip"), f"x.zip lies inside {run}, an input."),
        ((run, "--out", data / "x.zip"), f"x.zip lies inside {data}, an input."),
        ((archive, "--out", archive), f"--out {archive} is {archive}, an input."),
        ((run, "--out", tmp_path / "no" / "x.zip"), "is not there. Make it first"),
        ((run, "--out", tmp_path / "note.zip"), "is there and is no zip archive"),
        ((run, "--out", tmp_path / "x.zip", "--root", "a/b"), "is not the name of a folder"),
        ((run, "--out", tmp_path / "x.zip", "--root", ".."), "is not the name of a folder"),
        ((run, "--out", tmp_path / "x.zip", "--png-mode", "RGB"), "is not one of L, P"),
        ((tmp_path / "nowhere",), "nowhere is not there"),
        ((tmp_path / "note.zip",), "neither a run nor a zip archive"),
        ((run, "--split", "train"), "this list names nothing"),
    ):
        assert command("submit", "--data", data, *words) == 2, words
        assert sentence in " ".join(capsys.readouterr().err.split())
    assert tree(tmp_path) == before


def test_palette_maps_need_colours(tmp_path: Path, data: Path) -> None:
    plain = tmp_path / "plain"
    for video in VIDEOS:
        (plain / video).mkdir(parents=True)
        for path in (data / "data" / video / "origin").iterdir():
            (plain / video / path.name).write_bytes(path.read_bytes())
    foreign = open_source(good_run(tmp_path, foreign=True))
    with pytest.raises(OptionError, match="tells the colours"):
        check_packing(tmp_path / "out.zip", "", "P", foreign, dataset(plain))
    check_packing(tmp_path / "out.zip", "", "L", foreign, dataset(plain))
    packed(good_run(tmp_path, "ours"), plain, tmp_path / "out.zip", mode="P")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk that is full after ``size`` bytes of a file."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_a_full_disk_leaves_nothing(tmp_path: Path, data: Path, share: float) -> None:
    run, out = good_run(tmp_path), tmp_path / "there" / "out.zip"
    whole = packed(run, data, tmp_path / "whole.zip").read_bytes()
    out.parent.mkdir()
    with largest_file(int(share * len(whole))), pytest.raises(DiskError, match=r"out\.zip cannot be written"):
        packed(run, data, out)
    assert list(out.parent.iterdir()) == []
    assert packed(run, data, out).read_bytes() == whole


@pytest.mark.parametrize("content", [png(np.full((9, 13), 5, np.uint8)), png(size=(9, 12))])
def test_an_input_that_changes_meanwhile_is_noticed(tmp_path: Path, data: Path, content: bytes) -> None:
    run, out = good_run(tmp_path, foreign=True), tmp_path / "out.zip"
    source, split = open_source(run), dataset(data)
    report = verify(source, split, workers=1)
    (run / FIRST).write_bytes(content)
    with pytest.raises(RunError, match="did not read back"):
        pack(source, split, out, report, workers=1)
    (run / FIRST).unlink()
    with pytest.raises(RunError, match="there a moment ago"):
        pack(source, split, out, report, workers=1)
    assert not out.exists() and not list(tmp_path.glob(".*.tmp"))


def size_of(folder: Path) -> int:
    """The bytes in temporary files that another process writes, renames and removes."""
    sizes = [0]
    for path in folder.glob(".*.tmp"):
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return sum(sizes)


def test_a_kill_leaves_no_archive_and_the_next_call_clears_up(tmp_path: Path) -> None:
    shapes = {f"{i}": (12, 40, 60) for i in range(12)}
    data = make_vspw(tmp_path / "data", shapes, masks=False)
    run = make_run(tmp_path / "run", shapes, classes=124)
    whole = packed(run, data, tmp_path / "whole.zip").read_bytes()
    folder = tmp_path / "there"
    folder.mkdir()
    line = [sys.executable, "-m", "vsscli", "submit", str(run), "--data", str(data), "--out", str(folder / "out.zip")]
    left = 0
    for kilobytes in (1, 100, 300):
        process = subprocess.Popen([*line, "--workers", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while process.poll() is None and size_of(folder) < kilobytes << 10:
            assert time.monotonic() < deadline, "nothing was written"
            time.sleep(0.0005)
        process.kill()
        process.wait()
        there = [path.name for path in folder.iterdir()]
        assert "out.zip" not in there or (folder / "out.zip").read_bytes() == whole
        left += any(name.endswith(".tmp") for name in there)
    assert left > 0, "no kill came in time"
    assert packed(run, data, folder / "out.zip").read_bytes() == whole
    assert [path.name for path in folder.iterdir()] == ["out.zip"]
    assert multiprocessing.active_children() == []
