"""VSPW folders as found in the wild."""

import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.trees import add_video, frame, save, stored, vspw_tree
from vsscli.data.lists import is_name
from vsscli.data.open import layout_at, open_dataset
from vsscli.data.vspw import VspwDataset, vspw_numbering
from vsscli.errors import DataError, OptionError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return vspw_tree(tmp_path / "VSPW")


@pytest.mark.parametrize(
    "text",
    [
        b"2_b\n1_a\n",
        b"2_b\n1_a",
        b"\n2_b\n\n  \n1_a\n\n",
        b"2_b\r\n1_a\r\n",
        b"\xef\xbb\xbf2_b\n1_a\n",
        b"2_b  \n\t1_a\n",
        b"._2_b\n2_b\n.DS_Store\n1_a",
    ],
    ids=["plain", "no final newline", "blank lines", "CRLF", "BOM", "spaces", "dot names"],
)
def test_lists_as_editors_leave_them(root: Path, text: bytes) -> None:
    (root / "val.txt").write_bytes(text)
    dataset = open_dataset(root, "val")
    assert dataset.names() == ("1_a", "2_b")
    assert dataset.listed() == ("2_b", "1_a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "names nothing"),
        (b"\n \r\n._x\n", "names nothing"),
        (b"1_a\nCa\xf1on\n", "not UTF-8"),
        (b"data/1_a\n", "'data/1_a' is not the name"),
        (b"..\\1_a\n1_a\n", None),
        (b"1_a\\x\n", "is not the name"),
        (b"1\0a\n", "is not the name"),
        (b"x" * 300, "is not the name"),
        (b"1_a\n2_b\n1_a\n", "names 1_a twice"),
        ("1_a\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_lists_that_are_refused(root: Path, text: bytes, said: str | None) -> None:
    (root / "val.txt").write_bytes(text)
    if said is None:  # begins with a dot: left out like other dot names
        assert open_dataset(root, "val").names() == ("1_a",)
        return
    with pytest.raises(DataError, match=said) as caught:
        open_dataset(root, "val")
    assert str(root) in str(caught.value)


def test_repeats_can_be_looked_at(root: Path) -> None:
    (root / "val.txt").write_text("2_b\n1_a\n2_b\n2_b\n")
    dataset = open_dataset(root, "val", flawed=True)
    assert (dataset.repeated, dataset.listed(), dataset.names()) == (("2_b",), ("2_b", "1_a"), ("1_a", "2_b"))


def test_only_the_split_asked_for_must_have_a_list(root: Path) -> None:
    (root / "test.txt").unlink()
    assert open_dataset(root, "val").split == "val"
    with pytest.raises(DataError, match=r"no list .*test\.txt") as caught:
        open_dataset(root, "test")
    assert "Lists that are there: val." in caught.value.hint


def test_a_list_of_ones_own(root: Path) -> None:
    (root / "mini.txt").write_text("2_b\n")
    assert open_dataset(root, "mini").names() == ("2_b",)


@pytest.mark.parametrize("split", ["", "../val", "data/x", "..", "v\nal", "x" * 300, "\udcff"])
def test_a_split_that_can_be_no_list(root: Path, split: str) -> None:
    with pytest.raises(OptionError, match="--split"):
        open_dataset(root, split)


def test_a_list_that_is_a_folder(root: Path) -> None:
    (root / "val.txt").unlink()
    (root / "val.txt").mkdir()
    with pytest.raises(DataError, match="no list"):
        open_dataset(root, "val")


def test_frames_keep_their_names_and_gaps(root: Path) -> None:
    video = open_dataset(root, "val").video("1_a")
    assert video.frames == ("00000005", "00000006", "00000008")
    assert video.masked() == video.frames
    images = list(video.images())
    assert [image.shape for image in images] == [(24, 32, 3)] * 3
    assert np.abs(images[2].astype(int) - frame(8)).mean() < 8  # a JPEG
    assert (video.stored_mask("00000008") == stored(8)).all()


def test_apple_double_files_and_other_things_are_no_frames(root: Path) -> None:
    folder = root / "data" / "1_a"
    (folder / "origin" / "._00000005.jpg").write_bytes(b"x")
    (folder / "mask" / "._00000005.png").write_bytes(b"x")
    (folder / "origin" / "Thumbs.db").write_bytes(b"x")
    video = open_dataset(root, "val").video("1_a")
    assert video.frames == video.masked() == ("00000005", "00000006", "00000008")


def test_suffixes_in_any_case(tmp_path: Path) -> None:
    folder = vspw_tree(tmp_path, ("1_a",)) / "data" / "1_a"
    (folder / "origin" / "00000006.jpg").rename(folder / "origin" / "00000006.JPG")
    save(folder / "origin" / "00000009.png", frame(9))
    assert open_dataset(tmp_path).video("1_a").frames == ("00000005", "00000006", "00000008", "00000009")


def test_two_files_of_one_frame(root: Path) -> None:
    save(root / "data" / "1_a" / "origin" / "00000005.png", frame(5))
    with pytest.raises(DataError, match=r"two files have the name '00000005' \(00000005\.jpg and 00000005\.png\)"):
        open_dataset(root).video("1_a")


def test_masks_without_frames_are_told_apart(root: Path) -> None:
    extra = save(root / "data" / "1_a" / "mask" / "00000007.png", stored())
    (root / "data" / "1_a" / "mask" / "00000005.png").unlink()
    video = VspwDataset(root, "val").video("1_a")
    assert video.loose_masks == (extra,)
    assert video.masked() == ("00000006", "00000008")
    with pytest.raises(DataError, match="Frame 00000005 of video 1_a has no mask"):
        video.labels("00000005")


def test_a_split_without_masks(root: Path) -> None:
    video = open_dataset(root, "test").video("3_c")
    assert not video.has_masks()
    with pytest.raises(DataError, match="no mask"):
        video.stored_mask("00000005")


def test_stored_values_become_labels() -> None:
    labels, odd = vspw_numbering().labels, vspw_numbering().odd
    assert labels[0] == labels[255] == 255
    assert [int(labels[v]) for v in range(1, 125)] == list(range(124))
    assert odd == set(range(125, 255))
    assert all(labels[v] == 255 for v in odd)


def test_odd_values_are_void(root: Path) -> None:
    mask = stored()
    mask[0, :3] = 252, 125, 254
    save(root / "data" / "1_a" / "mask" / "00000005.png", mask)
    labels = open_dataset(root).video("1_a").labels("00000005")
    assert labels[0].tolist() == [255] * 32
    assert set(np.unique(labels)) == {0, 1, 123, 255}


def test_missing_and_empty_videos(root: Path) -> None:
    (root / "val.txt").write_text("1_a\n9_gone\n8_empty\n")
    (root / "data" / "8_empty" / "origin").mkdir(parents=True)
    dataset = open_dataset(root)
    with pytest.raises(DataError, match=r"9_gone is in val\.txt but .*origin is not there"):
        dataset.video("9_gone")
    with pytest.raises(DataError, match="8_empty is empty: no image in"):
        dataset.video("8_empty")
    with pytest.raises(OptionError, match="no video '1_b'") as caught:
        dataset.video("1_b")
    assert "Did you mean 1_a" in caught.value.hint


def test_what_no_list_names(root: Path) -> None:
    add_video(root, "7_new")
    (root / "data" / ".hidden").mkdir()
    (root / "data" / "notes.txt").write_text("x")
    assert VspwDataset.unlisted(root) == ("7_new",)
    assert VspwDataset.splits(root) == ("val", "test")
    assert layout_at(root) is VspwDataset


def test_the_digest_follows_names_and_sizes(root: Path) -> None:
    video = open_dataset(root).video("1_a")
    before = video.digest
    assert before == open_dataset(root).video("1_a").digest != open_dataset(root).video("2_b").digest
    path = root / "data" / "1_a" / "origin" / "00000006.jpg"
    path.write_bytes(path.read_bytes() + b"\0")
    assert open_dataset(root).video("1_a").digest != before
    path.unlink()
    with pytest.raises(DataError, match=r"00000006\.jpg cannot be read"):
        _ = video.digest


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"back\\slash"])
def test_names_that_no_list_or_archive_can_hold(root: Path, name: bytes) -> None:
    folder = root / "data" / "1_a" / "origin"
    (folder / "00000006.jpg").rename(folder / os.fsdecode(name + b".jpg"))
    with pytest.raises(DataError, match="cannot be the name of a frame"):
        open_dataset(root).video("1_a")


def test_a_dataset_travels_to_workers(root: Path) -> None:
    dataset = pickle.loads(pickle.dumps(open_dataset(root)))
    assert (dataset.video("1_a").labels("00000005") == open_dataset(root).video("1_a").labels("00000005")).all()


@pytest.mark.parametrize("data", ["nothing", "empty", "a" * 300], ids=["absent", "empty", "too long"])
def test_paths_that_are_no_dataset(tmp_path: Path, data: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path / data)
    assert str(tmp_path / data) in caught.value.message
    if data == "empty":
        assert "looked for VSPW's layout" in caught.value.message


def test_one_step_too_high_or_too_deep(tmp_path: Path) -> None:
    root = vspw_tree(tmp_path / "outer" / "VSPW")
    with pytest.raises(DataError, match=f"Did you mean {root}"):
        open_dataset(tmp_path / "outer")
    with pytest.raises(DataError, match=f"Did you mean {root}"):
        open_dataset(root / "data")
    with pytest.raises(DataError, match="is one video of a dataset"):
        open_dataset(root / "data" / "1_a")


def test_videos_without_lists(tmp_path: Path) -> None:
    add_video(tmp_path, "1_a")
    with pytest.raises(DataError, match=r"no list .*val\.txt"):
        open_dataset(tmp_path)


@given(st.lists(st.text(min_size=1, max_size=12), max_size=8))
def test_any_list_gives_its_names_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    root = tmp_path_factory.mktemp("list")
    (root / "data" / "x" / "origin").mkdir(parents=True)
    (root / "val.txt").write_bytes("\r\n".join(names).encode())
    try:
        listed = open_dataset(root).listed()
    except DataError:
        return
    lines = [line.strip() for name in names for line in re.split(r"[\r\n]", name)]
    assert list(listed) == [line for line in lines if line and not line.startswith(".")]
    assert all(map(is_name, listed))
