"""Every kind of breakage is found, named, and nothing else is."""

import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.submit.cases import (
    FIRST,
    VIDEOS,
    check,
    dataset,
    found,
    good_files,
    good_run,
    make_split,
    png,
    raw_png,
    write_zip,
)
from tests.support import make_run
from vsscli.cli.main import run
from vsscli.data.camvid import camvid_classes
from vsscli.data.open import open_dataset
from vsscli.errors import DataError, OptionError, RunError
from vsscli.submit.source import open_source
from vsscli.submit.verify import verify

Files = dict[str, bytes]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_split(tmp_path)


@pytest.mark.parametrize("root", ["", "result_submission/", "1_a/"])
@pytest.mark.parametrize("deflate", [False, True])
def test_good_archives_with_and_without_a_top_folder(tmp_path: Path, data: Path, root: str, deflate: bool) -> None:
    files = {f"{root}{name}": content for name, content in good_files(tmp_path).items()}
    folders = {f"{root}{video}/": b"" for video in VIDEOS} | ({root: b""} if root else {})
    report = check(write_zip(tmp_path / "good.zip", {**folders, **files}, deflate), data)
    assert report.problems == ()
    assert report.root == root.rstrip("/")
    assert (report.videos, report.frames) == (3, 6)
    assert report.modes == {"L": 6} and report.sizes == {(9, 13): 3, (8, 8): 2, (12, 6): 1}
    assert report.bytes == sum(map(len, files.values()))
    assert sum(report.values) == 3 * 9 * 13 + 2 * 8 * 8 + 12 * 6


@pytest.mark.parametrize("foreign", [False, True])
def test_good_runs_and_their_values(tmp_path: Path, data: Path, foreign: bool) -> None:
    run = good_run(tmp_path, foreign=foreign)
    report = check(run, data)
    assert report.problems == () and report.root == "" and report.classes == 124
    assert report.modes == {"L" if foreign else "P": 6}
    count = np.zeros(256, int)
    for path in run.rglob("*.png"):
        with Image.open(path) as image:
            count += np.bincount(np.asarray(image).ravel(), minlength=256)
    assert list(report.values) == count.tolist()


def test_workers_find_the_same(tmp_path: Path, data: Path) -> None:
    files = good_files(tmp_path)
    files[FIRST] = png(size=(9, 12))
    path = write_zip(tmp_path / "bad.zip", files)
    assert verify(open_source(path), dataset(data), workers=2) == check(path, data)


def replace(content: bytes) -> Callable[[Files], None]:
    return lambda files: files.update({FIRST: content})


def rename(new: str) -> Callable[[Files], None]:
    return lambda files: files.update({new: files.pop(FIRST)})


def add(name: str) -> Callable[[Files], None]:
    return lambda files: files.update({name: b"x"})


def drop_video(files: Files) -> None:
    for name in [name for name in files if name.startswith("3_c")]:
        del files[name]


GRAY = np.zeros((9, 13), np.uint8)
GONE = ("missing frame", FIRST)

BROKEN: dict[str, tuple[Callable[[Files], object], list[tuple[str, str]]]] = {
    "frame missing": (lambda files: files.pop(FIRST), [GONE]),
    "video missing": (drop_video, [("missing video", "3_c")]),
    "frame of another number": (rename("1_a/00000004.png"), [("extra file", "1_a/00000004.png"), GONE]),
    "another suffix": (rename("1_a/00000003.jpg"), [("extra file", "1_a/00000003.jpg"), GONE]),
    "upper-case suffix": (rename("1_a/00000003.PNG"), [("extra file", "1_a/00000003.PNG"), GONE]),
    "too deep": (rename("1_a/x/00000003.png"), [("extra file", "1_a/x/00000003.png"), GONE]),
    "outside its video": (rename("00000003.png"), [("extra file", "00000003.png"), GONE]),
    "one frame too many": (add("1_a/00000009.png"), [("extra file", "1_a/00000009.png")]),
    "a video too many": (add("9_val/00000003.png"), [("extra video", "9_val")]),
    "an empty folder too many": (lambda files: files.update({"9_val/": b""}), [("extra file", "9_val/")]),
    "readme": (add("README.txt"), [("extra file", "README.txt")]),
    ".DS_Store": (add("1_a/.DS_Store"), [("system file", "1_a/.DS_Store")]),
    "__MACOSX": (add("__MACOSX/1_a/._00000003.png"), [("system file", "__MACOSX/1_a/._00000003.png")]),
    "AppleDouble": (add("1_a/._00000003.png"), [("system file", "1_a/._00000003.png")]),
    "absolute path": (add("/etc/passwd"), [("bad entry", "/etc/passwd")]),
    "parent path": (add("../1_a/00000003.png"), [("bad entry", "../1_a/00000003.png")]),
    "parent path inside": (add("1_a/../../x.png"), [("bad entry", "1_a/../../x.png")]),
    "backslashes": (rename("1_a\\00000003.png"), [("bad entry", "1_a\\00000003.png"), GONE]),
    "drive": (add("C:/x.png"), [("bad entry", "C:/x.png")]),
    "wrong size": (replace(png(size=(13, 9))), [("wrong size", FIRST)]),
    "no bytes": (replace(b""), [("no PNG", FIRST)]),
    "a JPEG": (replace(b"\xff\xd8\xff\xe0" + bytes(200)), [("no PNG", FIRST)]),
    "half a PNG": (replace(png(np.random.default_rng(0).integers(0, 9, (9, 13), np.uint8))[:-40]), [("no PNG", FIRST)]),
    "a PNG without its end": (replace(png()[:-12]), [("no PNG", FIRST)]),
    "a flipped bit": (replace(png()[:45] + bytes([png()[45] ^ 4]) + png()[46:]), [("no PNG", FIRST)]),
    "RGB": (replace(png(mode="RGB")), [("wrong mode", FIRST)]),
    "RGBA": (replace(png(mode="RGBA")), [("wrong mode", FIRST)]),
    "gray with alpha": (replace(png(mode="LA")), [("wrong mode", FIRST)]),
    "one bit": (replace(png(mode="1")), [("wrong mode", FIRST)]),
    "sixteen bits": (replace(png(mode="I;16")), [("wrong mode", FIRST)]),
    "four-bit palette": (
        replace(raw_png((9, 13), 4, 3, bytes(9 * 8), (b"PLTE", bytes(48)))),
        [("wrong mode", FIRST)],
    ),
    "value 124": (replace(png(GRAY + np.uint8(124))), [("bad value", FIRST)]),
    "void": (replace(png(GRAY + np.uint8(255))), [("no label", FIRST)]),
    "a huge file": (replace(png() + bytes(1 << 21)), [("bad entry", FIRST)]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_archive_is_told_for_what_it_is(tmp_path: Path, data: Path, name: str) -> None:
    files = good_files(tmp_path)
    spoil, expected = BROKEN[name]
    spoil(files)
    assert found(check(write_zip(tmp_path / "bad.zip", files), data)) == expected
    assert found(check(write_zip(tmp_path / "deflated.zip", files, deflate=True), data)) == expected


@pytest.mark.parametrize("name", [n for n in BROKEN if BROKEN[n][1][0][0] != "bad entry" and "empty folder" not in n])
def test_a_broken_run_likewise(tmp_path: Path, data: Path, name: str) -> None:
    files = good_files(tmp_path)
    spoil, expected = BROKEN[name]
    spoil(files)
    for file, content in files.items():
        path = tmp_path / "bad" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert sorted(found(check(tmp_path / "bad", data))) == sorted(expected)


MODES = {
    "a link": (stat.S_IFLNK | 0o777, "is a link, not a file"),
    "a pipe": (stat.S_IFIFO | 0o644, "is no regular file"),
    "a device": (stat.S_IFCHR | 0o644, "is no regular file"),
    "a folder without a slash": (stat.S_IFDIR | 0o755, "is no regular file"),
    "a file": (stat.S_IFREG | 0o600, ""),
    "a file of a system without modes": (0, ""),
}


@pytest.mark.parametrize("name", MODES)
def test_entries_that_are_no_files(tmp_path: Path, data: Path, name: str) -> None:
    mode, fault = MODES[name]
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in good_files(tmp_path).items():
            info = zipfile.ZipInfo(file)
            info.external_attr = (mode if file == FIRST else 0o100644) << 16
            archive.writestr(info, content)
    assert [(p.kind, p.where, p.text) for p in check(path, data).problems] == (
        [("bad entry", FIRST, fault)] if fault else []
    )


def test_bytes_after_the_end_are_told_and_are_no_problem(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = good_files(tmp_path)
    files[FIRST] += png()  # another picture: the first one counts
    path = write_zip(tmp_path / "x.zip", files)
    report = check(path, data)
    assert report.problems == () and report.longer == (FIRST,)
    assert run(["submit", str(path), "--data", str(data), "--workers", "1"]) == 0
    assert f"warning: bytes after the end of the PNG in {FIRST}: decoders pass over them." in capsys.readouterr().err


def test_names_in_an_archive_cannot_steer_a_terminal(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_zip(tmp_path / "x.zip", {**good_files(tmp_path), "1_a/\x1b[2J\x9b\n.png": b"", "\x07/a": b""})
    assert run(["submit", str(path), "--data", str(data), "--workers", "1"]) == 2
    out, err = capsys.readouterr()
    assert all(line.isprintable() for line in (out + err).split("\n"))
    assert r"1_a/\x1b[2J\x9b\n.png" in err and r"\x07" in err


def test_several_breakages_are_all_listed_with_their_details(tmp_path: Path, data: Path) -> None:
    files = good_files(tmp_path)
    labels = GRAY.copy()
    labels[0, :5], labels[1, :2], labels[2, 0] = 130, 200, 255
    files[FIRST] = png(labels)
    files["1_a/00000005.png"] = png(size=(9, 12))
    del files["3_c/00000003.png"]
    report = check(write_zip(tmp_path / "bad.zip", files), data)
    texts = [f"{p.kind} {p.where}: {p.text}" for p in report.problems]
    assert texts == [
        "missing video 3_c: 1 frames",
        "bad value 1_a/00000003.png: 130 (5 pixels), 200 (2 pixels); classes are 0..123",
        "no label 1_a/00000003.png: 1 pixels of 255",
        "wrong size 1_a/00000005.png: 12x9, its frame is 13x9",
    ]
    assert report.kinds["no label"] == 1


def test_an_entry_twice(tmp_path: Path, data: Path) -> None:
    path = write_zip(tmp_path / "bad.zip", good_files(tmp_path))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(FIRST, png())
    assert found(check(path, data)) == [("bad entry", FIRST)]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_would_take_all_memory_is_not_read(tmp_path: Path, data: Path, method: int) -> None:
    files = good_files(tmp_path)
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for i, (name, content) in enumerate(files.items()):
            target.writestr(name, bytes(1 << 20) if i == 0 else content, compress_type=method if i == 0 else None)
    problems = verify(open_source(archive), open_dataset(data, "val")).problems
    assert any("is packed neither as it is nor by deflate" in problem.text for problem in problems), problems


def test_an_encrypted_entry(tmp_path: Path, data: Path) -> None:
    path = write_zip(tmp_path / "bad.zip", good_files(tmp_path))
    content = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(signature) + at] |= 1  # the flag alone makes it so for every reader
    path.write_bytes(bytes(content))
    assert found(check(path, data)) == [("bad entry", FIRST)]


def test_a_method_nobody_reads_and_a_wrong_checksum(tmp_path: Path, data: Path) -> None:
    files = good_files(tmp_path)
    for at, value, text in ((10, 99, "is packed neither"), (16, 1, "cannot be read")):
        path = write_zip(tmp_path / "bad.zip", files)
        content = bytearray(path.read_bytes())
        content[content.find(b"PK\x01\x02") + at] ^= value
        path.write_bytes(bytes(content))
        report = check(path, data)
        assert found(report) == [("bad entry", FIRST)] and text in report.problems[0].text


def test_a_file_cannot_claim_more_memory_than_its_frame_has_pixels(tmp_path: Path, data: Path) -> None:
    files = good_files(tmp_path)
    files[FIRST] = raw_png((60000, 60000), 8, 0, b"")
    bomb = raw_png((9, 13), 8, 0, bytes(1 << 26))  # 64 MB of zeros behind a header of 9x13
    files["1_a/00000005.png"] = bomb
    report = check(write_zip(tmp_path / "bomb.zip", files, deflate=True), data)
    assert ("wrong size", FIRST) in found(report)
    zeros = {**files, FIRST: bytes(1 << 27)}
    assert ("bad entry", FIRST) in found(check(write_zip(tmp_path / "zeros.zip", zeros, deflate=True), data))


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive at all" * 100, b"PK\x05\x06" + bytes(18)])
def test_garbage_is_one_sentence(tmp_path: Path, data: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    if content.startswith(b"PK\x05"):
        assert check(path, data).kinds == {"missing video": 3}  # a sound archive of nothing
        return
    with pytest.raises(RunError, match=r"x\.zip is neither a run nor a zip archive"):
        check(path, data)


def test_a_cut_archive_and_damaged_bytes_never_pass_and_never_crash(tmp_path: Path, data: Path) -> None:
    whole = write_zip(tmp_path / "x.zip", good_files(tmp_path)).read_bytes()
    path = tmp_path / "bad.zip"
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(RunError):
            check(path, data)
    random = np.random.default_rng(0)
    passed = 0
    for _ in range(300):
        content = bytearray(whole)
        for at in random.integers(0, len(whole), 3):
            content[at] ^= 1 << int(random.integers(8))
        path.write_bytes(bytes(content))
        try:
            passed += not check(path, data).problems
        except RunError:
            continue
    assert passed < 100  # time stamps, permissions and attributes may flip without harm


def test_a_directory_that_lies_about_itself(tmp_path: Path, data: Path) -> None:
    whole = write_zip(tmp_path / "x.zip", good_files(tmp_path)).read_bytes()
    end = whole.rfind(b"PK\x05\x06")
    path = tmp_path / "bad.zip"
    path.write_bytes(whole[: end + 12] + struct.pack("<I", 0xFFFFFF00) + whole[end + 16 :])
    with pytest.raises(RunError, match="zip archive that can be read"):
        check(path, data)
    path.write_bytes(whole[: end + 16] + struct.pack("<I", 9) + whole[end + 20 :])
    assert check(path, data).kinds == {"bad entry": 6}


def test_an_unfinished_or_missing_video_of_a_run(tmp_path: Path, data: Path) -> None:
    run = good_run(tmp_path)
    (run / ".vsscli" / "done" / "3_c.json").unlink()
    assert found(check(run, data)) == [("unfinished video", "3_c")]
    for path in (run / "3_c").iterdir():
        path.unlink()
    (run / "3_c").rmdir()
    assert found(check(run, data)) == [("missing video", "3_c")]


def test_a_run_whose_maps_are_not_those_of_its_record(tmp_path: Path, data: Path) -> None:
    run = good_run(tmp_path)
    (run / FIRST).write_bytes(png())
    assert found(check(run, data)) == [("changed video", "1_a")]
    record = run / ".vsscli" / "done" / "1_a.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "labels": "0"}))
    assert found(check(run, data)) == [("changed video", "1_a")]


def test_a_run_of_other_classes(tmp_path: Path, data: Path) -> None:
    run = make_run(tmp_path / "run", VIDEOS, table=camvid_classes())
    with pytest.raises(RunError, match=r"holds the 11 classes of camvid, .* the 124 classes of vspw"):
        check(run, data)


def test_another_split(tmp_path: Path, data: Path) -> None:
    report = verify(open_source(good_run(tmp_path)), open_dataset(data, "val"), workers=1)
    assert report.kinds == {"extra video": 3, "missing video": 1}


@pytest.mark.parametrize(("ids", "shifted"), [((1, 124), True), ((0, 123), False), ((0, 124), False), ((1, 5), False)])
def test_ids_that_begin_at_one(tmp_path: Path, data: Path, ids: tuple[int, int], shifted: bool) -> None:
    files = {}
    for i, name in enumerate(good_files(tmp_path)):
        files[name] = png(np.full(VIDEOS[name.split("/")[0]][1:], ids[i % 2], np.uint8))
    assert check(write_zip(tmp_path / "x.zip", files), data).shifted is shifted


def test_archives_are_read_afresh_and_let_go(tmp_path: Path, data: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"1_a/x.png": b""})
    source = open_source(path)
    good = write_zip(tmp_path / "good.zip", good_files(tmp_path))
    good.replace(path)
    assert verify(source, dataset(data), workers=1).problems == ()
    assert str(path) not in [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]


def test_plain_folders_have_no_split_and_no_classes(tmp_path: Path, data: Path) -> None:
    plain = tmp_path / "plain"
    for video in VIDEOS:
        (plain / video).mkdir(parents=True)
        for path in (data / "data" / video / "origin").iterdir():
            (plain / video / path.name).write_bytes(path.read_bytes())
    files = good_files(tmp_path)
    files[FIRST] = png(GRAY + np.uint8(254))
    report = check(write_zip(tmp_path / "x.zip", files), plain)
    assert report.problems == () and report.classes is None
    ours = check(good_run(tmp_path, classes=124), plain)
    assert ours.problems == () and ours.classes == 124


def test_a_source_or_a_dataset_that_is_not_there(tmp_path: Path, data: Path) -> None:
    with pytest.raises(OptionError, match="nowhere is not there"):
        open_source(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="holds no label maps"):
        open_source(tmp_path / "empty")
    (data / "data" / "1_a" / "origin" / "00000003.jpg").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        check(good_run(tmp_path), data)
