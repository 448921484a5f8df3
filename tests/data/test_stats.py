"""``data stats``: what is counted is what is there."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.trees import SIZE, add_video, camvid_tree, frame, save, save_video, stored, vspw_tree
from vsscli.cli.main import run
from vsscli.data.open import open_dataset
from vsscli.data.stats import count_video, describe
from vsscli.data.vspw import vspw_numbering


def count(root: Path, split: str = "val") -> dict[str, object]:
    dataset = open_dataset(root, split)
    return describe(dataset, [count_video(dataset, name) for name in dataset.names()])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Videos of 3, 9 and 20 frames; one of another size."""
    vspw_tree(tmp_path / "VSPW", ("1_a",))
    add_video(tmp_path / "VSPW", "2_b", range(9))
    add_video(tmp_path / "VSPW", "4_d", range(100, 120), size=(20, 30))
    (tmp_path / "VSPW" / "val.txt").write_text("1_a\n2_b\n4_d\n")
    return tmp_path / "VSPW"


def test_counts(root: Path) -> None:
    result = count(root)
    assert {key: result[key] for key in ("dataset", "split", "videos", "frames", "masks")} == {
        "dataset": "vspw",
        "split": "val",
        "videos": 3,
        "frames": 32,
        "masks": 32,
    }
    assert result["length"] == {"min": 3, "median": 9.0, "max": 20}
    assert result["windows"] == {"8": 1 + 12, "16": 4}
    assert result["sizes"] == [{"height": 24, "width": 32, "videos": 2}, {"height": 20, "width": 30, "videos": 1}]
    assert result["odd_values"] == result["failed"] == {}


def test_a_video_as_long_as_the_window_has_none(root: Path) -> None:
    add_video(root, "5_e", range(8))
    (root / "val.txt").write_text("5_e\n")
    assert count(root)["windows"] == {"8": 0, "16": 0}


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(st.sampled_from([0, 1, 2, 3, 124, 130, 252, 255]), min_size=6, max_size=6), min_size=1, max_size=3
    )
)
def test_classes_are_counted_by_hand(tmp_path_factory: pytest.TempPathFactory, masks: list[list[int]]) -> None:
    root = vspw_tree(tmp_path_factory.mktemp("count"), ("1_a",))
    for number, values in zip((5, 6, 8), masks, strict=False):
        save(root / "data" / "1_a" / "mask" / f"{number:08d}.png", np.array([values], np.uint8))
    for number in (5, 6, 8)[len(masks) :]:
        (root / "data" / "1_a" / "mask" / f"{number:08d}.png").unlink()
    result = count(root)
    flat = [value for values in masks for value in values]
    per_class = result["per_class"]
    assert isinstance(per_class, list)
    for i, row in enumerate(per_class):
        assert row["id"] == i
        assert row["pixels"] == flat.count(i + 1)
        assert row["frames"] == sum(i + 1 in values for values in masks)
        assert row["videos"] == (i + 1 in flat)
    void = sum(flat.count(value) for value in (0, 130, 252, 255))
    assert result["void_share"] == void / len(flat)
    assert result["odd_values"] == {str(v): flat.count(v) for v in (130, 252) if v in flat}
    shares = [row["share"] for row in per_class]
    assert shares == [None] * 124 if void == len(flat) else abs(sum(shares) - 1) < 1e-12


def test_per_video(root: Path) -> None:
    rows = count(root)["per_video"]
    assert isinstance(rows, list)
    void = np.mean(vspw_numbering().labels[stored(0, (20, 30))] == 255)
    assert rows[2] == {
        "video": "4_d",
        "frames": 20,
        "masks": 20,
        "height": 20,
        "width": 30,
        "sizes": 1,
        "classes": 3,
        "void_share": pytest.approx(void),
    }


def test_without_masks(root: Path, tmp_path: Path) -> None:
    result = count(root, "test")
    assert (result["masks"], result["per_class"], result["void_share"]) == (0, None, None)
    save_video(tmp_path / "films" / "x.mp4", 10)
    save(tmp_path / "films" / "y" / "1.png", frame())
    result = count(tmp_path / "films")
    assert (result["dataset"], result["split"], result["frames"], result["windows"]) == (
        "plain",
        None,
        11,
        {"8": 2, "16": 0},
    )
    assert result["sizes"] == [
        {"height": SIZE[0], "width": SIZE[1], "videos": 1},
        {"height": 48, "width": 96, "videos": 1},
    ]


def test_camvid(tmp_path: Path) -> None:
    result = count(camvid_tree(tmp_path), "train")
    per_class = result["per_class"]
    assert isinstance(per_class, list)
    assert [(row["name"], row["frames"]) for row in per_class if row["pixels"]] == [
        ("sky", 1),
        ("building", 1),
        ("pole", 1),
    ]
    assert result["void_share"] == 3 / SIZE[0]


def test_what_cannot_be_read_is_left_out_and_named(root: Path) -> None:
    (root / "data" / "2_b" / "mask" / "00000003.png").write_bytes(b"")
    result = count(root)
    assert (result["videos"], result["frames"]) == (2, 23)
    failed = result["failed"]
    assert isinstance(failed, dict)
    assert list(failed) == ["2_b"]
    assert "00000003.png: this mask is empty" in failed["2_b"]
    for name in ("1_a", "4_d"):
        (root / "data" / name / "origin").rename(root / "data" / name / "gone")
    result = count(root)
    assert (result["videos"], result["frames"], result["per_video"]) == (0, 0, [])


def test_the_command(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables, target = tmp_path / "tables", tmp_path / "stats.json"
    assert run(["data", "stats", str(root), "--workers", "1", "--csv", str(tables), "--json", str(target)]) == 0
    out, err = capsys.readouterr()
    assert "3 videos, 32 frames, 32 masks; 3 to 20 frames a video, median 9\n" in out
    assert "sizes: 32x24 in 2 videos, 30x20 in 1 video\n" in out
    assert "windows: 13 of VC8, 4 of VC16\n" in out
    assert "wall" in out
    assert "wrote" in err
    result = json.loads(target.read_text())
    assert pd.read_csv(tables / "per_class.csv")["pixels"].tolist() == [row["pixels"] for row in result["per_class"]]
    assert pd.read_csv(tables / "per_video.csv")["video"].tolist() == ["1_a", "2_b", "4_d"]
    assert sorted(path.name for path in tables.iterdir()) == ["per_class.csv", "per_video.csv"]

    assert run(["data", "stats", str(root), "--workers", "2", "--json", "-"]) == 0
    assert capsys.readouterr().out == target.read_text()


def test_the_command_without_masks_and_with_failures(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "stats", str(root), "--split", "test", "--workers", "1"]) == 0
    assert "no masks: no classes to count\n" in capsys.readouterr().out
    (root / "data" / "2_b" / "origin" / "00000003.jpg").write_bytes(b"")
    assert run(["data", "stats", str(root), "--workers", "1"]) == 1
    out, err = capsys.readouterr()
    assert "2 videos, 23 frames" in out
    assert "1 video could not be counted" in err
    assert "00000003.jpg: this image is empty" in err
    assert run(["data", "stats", str(root), "--videos", "9_x"]) == 2
