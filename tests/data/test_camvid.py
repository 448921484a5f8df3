"""CamVid: a second dataset behind the same door."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.trees import SIZE, camvid_tree, frame, save, vspw_tree
from vsscli.data.camvid import CLASSES, CamvidDataset, camvid_classes, camvid_numbering
from vsscli.data.open import layout_at, open_dataset
from vsscli.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return camvid_tree(tmp_path / "CamVid")


def test_the_door_is_one(root: Path, tmp_path: Path) -> None:
    assert (layout_at(root), open_dataset(root).kind) == (CamvidDataset, "camvid")
    assert open_dataset(vspw_tree(tmp_path / "VSPW")).kind == "vspw"


def test_sequences_are_videos(root: Path) -> None:
    dataset = open_dataset(root, "train")
    assert dataset.names() == ("0001TP", "0016E5")
    video = dataset.video("0001TP")
    assert video.frames == video.masked() == ("0001TP_000030", "0001TP_000060")
    assert (next(video.images()) == frame(0)).all()
    assert video.image_size("0001TP_000060") == SIZE
    assert open_dataset(root, "val").names() == ("0016E5",)
    assert CamvidDataset.splits(root) == ("train", "val")


def test_labels_and_void(root: Path) -> None:
    labels = open_dataset(root, "train").video("0001TP").labels("0001TP_000060")
    assert (labels[:3] == 255).all()
    assert (labels[3:] == 1).all()
    numbering = camvid_numbering()
    assert numbering.labels[:11].tolist() == list(range(11))
    assert set(numbering.labels[11:].tolist()) == {255}
    assert numbering.odd == set(range(12, 255))


def test_the_classes() -> None:
    table = camvid_classes()
    assert len(table) == 11
    assert table.names[0] == "sky"
    assert table.colors[3] == (128, 64, 128)
    assert [name for name, thing in zip(table.names, table.things, strict=True) if thing] == [
        "car",
        "pedestrian",
        "bicyclist",
    ]
    colors = [color for _, _, group in CLASSES for color in group]
    assert len(colors) == len(set(colors)) == 31  # the 32 original classes without void


def test_masks_in_colours(root: Path) -> None:
    colored = np.zeros((*SIZE, 3), np.uint8)
    for row, (_, _, group) in enumerate(CLASSES):
        for column, color in enumerate(group):
            colored[row, column] = color
    save(root / "valannot" / "0016E5_07959.png", colored)
    video = open_dataset(root, "val").video("0016E5")
    labels = video.labels("0016E5_07959")
    for row, (_, _, group) in enumerate(CLASSES):
        assert labels[row].tolist() == [row] * len(group) + [255] * (SIZE[1] - len(group))
    assert video.stored_mask("0016E5_07959").max() == 11


def test_masks_of_another_name_and_lists_without_masks(root: Path) -> None:
    mask = root / "valannot" / "0016E5_07959.png"
    mask.rename(mask.with_name("0016E5_07959_L.png"))
    (root / "val.txt").write_text("val/0016E5_07959.png valannot/0016E5_07959_L.png")
    assert open_dataset(root, "val").video("0016E5").masked() == ("0016E5_07959",)
    (root / "val.txt").write_text("C:\\CamVid\\val\\0016E5_07959.png\r\n")
    video = open_dataset(root, "val").video("0016E5")
    assert isinstance(video.frames, tuple)
    assert (video.frames, video.masked()) == (("0016E5_07959",), ())


def test_what_is_missing_and_what_no_list_names(root: Path) -> None:
    (root / "trainannot" / "0001TP_000030.png").unlink()
    save(root / "trainannot" / "0001TP_000099.png", np.zeros(SIZE, np.uint8))
    save(root / "train" / "Seq05VD_f00000.png", frame())
    video = CamvidDataset(root, "train").video("0001TP")
    assert video.masked() == ("0001TP_000060",)
    assert [path.name for path in video.loose_masks] == ["0001TP_000099.png"]
    assert CamvidDataset.unlisted(root) == ("train/Seq05VD_f00000.png",)


def test_a_frame_listed_twice(root: Path) -> None:
    text = (root / "train.txt").read_text()
    (root / "train.txt").write_text(text + text.splitlines()[0])
    with pytest.raises(DataError, match="names 0001TP_000030 twice"):
        open_dataset(root, "train")
    assert open_dataset(root, "train", flawed=True).video("0001TP").frames == ("0001TP_000030", "0001TP_000060")


@pytest.mark.parametrize("line", ["0001TP", "a.png b.png c.png", "train/x.txt trainannot/x.png", "a.png ../"])
def test_lines_that_name_no_frame(root: Path, line: str) -> None:
    (root / "train.txt").write_text(f"{line}\n")
    with pytest.raises(DataError, match=r"train\.txt: the line .* is not 'FRAME\.png MASK\.png'"):
        open_dataset(root, "train")


def test_a_split_without_its_list(root: Path) -> None:
    with pytest.raises(DataError, match=r"no list .*test\.txt") as caught:
        open_dataset(root, "test")
    assert "Lists that are there: train, val." in caught.value.hint
    for name in ("train.txt", "val.txt"):
        (root / name).unlink()
    with pytest.raises(DataError, match=r"no list .*train\.txt"):
        open_dataset(root, "train")
