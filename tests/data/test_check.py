"""``data check``: every fault is found, told once, and nothing else is."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.trees import SIZE, add_video, camvid_tree, frame, save, save_video, stored, vspw_tree
from vsscli.cli.main import run
from vsscli.data.check import FAULTS, NOTES, check_item, open_splits, summarise
from vsscli.data.classes import vspw_classes
from vsscli.data.images import read_image
from vsscli.errors import DataError


def look(root: Path, split: str = "all") -> dict[str, Any]:
    datasets, findings = open_splits(root, split)
    items = [(i, name) for i, dataset in enumerate(datasets) for name in dataset.names()]
    return summarise(datasets, findings, [check_item(datasets, item) for item in items])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return vspw_tree(tmp_path / "VSPW")


def test_a_sound_dataset(root: Path) -> None:
    result = look(root)
    assert result == {
        "dataset": "vspw",
        "root": str(root),
        "splits": ["val", "test"],
        "videos": 3,
        "frames": 9,
        "masks": 6,
        "clean": True,
        "faults": {},
        "notes": {},
        "odd_values": {},
        "findings": [],
    }


def test_a_sound_camvid_has_a_sequence_in_two_splits(tmp_path: Path) -> None:
    result = look(camvid_tree(tmp_path))
    assert result["clean"]
    assert (result["dataset"], result["splits"], result["videos"], result["frames"]) == (
        "camvid",
        ["train", "val"],
        2,
        4,
    )


def _painted(root: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    colors = np.zeros((256, 3), np.uint8)
    colors[1:125], colors[255] = vspw_classes().colors, 255
    return colors[stored(5)]


def _odd() -> np.ndarray[Any, np.dtype[np.uint8]]:
    mask = stored(5)
    mask[0, :5] = 252
    mask[0, 5] = 130
    return mask


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


V = "data/1_a"
F, M = f"{V}/origin/00000005.jpg", f"{V}/mask/00000005.png"

#: What is done to a sound folder, the kind that must be found, and where.
DAMAGE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "0-byte frame": (lambda r: (r / F).write_bytes(b""), "broken_frame", F),
    "0-byte mask": (lambda r: (r / M).write_bytes(b""), "broken_mask", M),
    "truncated frame": (lambda r: (r / F).write_bytes((r / F).read_bytes()[:-200]), "broken_frame", F),
    "truncated mask": (lambda r: (r / M).write_bytes((r / M).read_bytes()[:-30]), "broken_mask", M),
    "mask without its end": (lambda r: (r / M).write_bytes((r / M).read_bytes()[:-12]), "broken_mask", M),
    "no image": (lambda r: (r / F).write_text("<html>"), "broken_frame", F),
    "a folder for a frame": (lambda r: _folder(r / F), "broken_frame", F),
    "16-bit mask": (lambda r: save(r / M, np.full(SIZE, 999, np.uint16)), "broken_mask", M),
    "colours of nobody": (lambda r: save(r / M, frame()), "broken_mask", M),
    "mask of another size": (lambda r: save(r / M, stored(5, (24, 30))), "mask_size", M),
    "frame without mask": (lambda r: (r / M).unlink(), "frame_without_mask", F),
    "mask without frame": (
        lambda r: save(r / V / "mask/00000007.png", stored()),
        "mask_without_frame",
        f"{V}/mask/00000007.png",
    ),
    "odd values": (lambda r: save(r / M, _odd()), "odd_value", M),
    "no masks": (lambda r: _clear(r / V / "mask"), "video_without_masks", "1_a"),
    "no folder": (lambda r: (r / V).rename(r / "data/.1_a"), "unusable_video", ""),
    "empty video": (lambda r: _clear(r / V / "origin"), "unusable_video", ""),
    "two files of one frame": (lambda r: save(r / F.replace(".jpg", ".png"), frame()), "unusable_video", ""),
    "listed twice": (lambda r: (r / "val.txt").write_text("1_a\n2_b\n1_a"), "listed_twice", ""),
    "in two splits": (lambda r: (r / "train.txt").write_text("1_a\n"), "in_two_splits", ""),
    "empty list": (lambda r: (r / "train.txt").write_text(""), "bad_list", "train.txt"),
    "colours": (lambda r: save(r / M, _painted(r)), "color_mask", M),
    "in no list": (lambda r: add_video(r, "7_new"), "unlisted", ""),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_every_fault_is_found_and_no_other(root: Path, name: str) -> None:
    damage, kind, place = DAMAGE[name]
    damage(root)
    result = look(root)
    assert [(finding["kind"], finding["path"]) for finding in result["findings"]] == [
        (kind, place if kind == "video_without_masks" else str(root / place))
    ]
    finding = result["findings"][0]
    assert finding["fault"] == (kind in FAULTS) == (not result["clean"])
    assert result["faults" if kind in FAULTS else "notes"] == {kind: 1}
    assert finding["detail"]
    if "1_a" in place or kind in ("unusable_video", "in_two_splits"):
        assert finding["video"] == "1_a"


def test_frames_of_another_size_than_the_first(root: Path) -> None:
    save(root / V / "origin/00000006.jpg", frame(6, (20, 32)))
    result = look(root)
    assert result["faults"] == {"frame_size": 1, "mask_size": 1}
    assert result["findings"][0]["detail"] == "32x20, the first frame is 32x24"
    assert result["findings"][1]["detail"] == "32x24, its frame is 32x20"


def test_odd_values_are_counted(root: Path) -> None:
    save(root / M, _odd())
    save(root / "data/2_b/mask/00000006.png", np.full(SIZE, 252, np.uint8))
    result = look(root)
    assert result["odd_values"] == {
        "130": {"pixels": 1, "masks": 1},
        "252": {"pixels": 5 + SIZE[0] * SIZE[1], "masks": 2},
    }
    assert result["findings"][0]["values"] == {"130": 1, "252": 5}


def test_a_split_of_ones_choice(root: Path) -> None:
    (root / "train.txt").write_text("")
    add_video(root, "7_new")
    assert look(root, "val")["clean"]
    assert look(root, "val")["splits"] == ["val"]
    with pytest.raises(DataError, match="names nothing"):
        look(root, "train")
    with pytest.raises(DataError, match="no list"):
        look(root, "other")
    (root / "val.txt").write_text("")
    (root / "test.txt").write_text("")
    with pytest.raises(DataError, match="names nothing"):
        look(root)


def test_video_files(tmp_path: Path) -> None:
    save_video(tmp_path / "good.mp4", 4)
    save_video(tmp_path / "cut.avi", 20, code="MJPG")
    cut = (tmp_path / "cut.avi").read_bytes()
    (tmp_path / "cut.avi").write_bytes(cut[: int(len(cut) * 0.8)])
    (tmp_path / "bad.mp4").write_bytes(b"x")
    result = look(tmp_path)
    assert (result["faults"], result["notes"]) == ({"unusable_video": 1}, {"frame_count": 1})
    assert [finding["video"] for finding in result["findings"]] == ["bad", "cut"]
    assert "20 are claimed" in result["findings"][1]["detail"]
    assert result["splits"] == []


def test_bad_names_are_findings_and_the_others_are_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (b"new\nline", b"latin-\xe9", b"zero", b"good"):
        folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        folder.mkdir()
        save(folder / "1.png", frame(1))
    (tmp_path / "zero.mp4").write_bytes(b"x")
    (tmp_path / "good" / "2.png").write_bytes(b"")
    result = look(tmp_path)
    assert result["faults"] == {"bad_name": 3, "broken_frame": 1} and result["videos"] == 1
    details = [finding["detail"] for finding in result["findings"]]
    assert any(r"'new\nline' cannot be the name" in detail for detail in details)
    assert any("'zero' is the name of 2 inputs (zero and zero.mp4)" in detail for detail in details)
    assert run(["data", "check", str(tmp_path), "--workers", "1"]) == 1
    assert r"latin-\udce9" in capsys.readouterr().out


def test_what_cannot_be_read_is_no_frame_for_the_check_either(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(tmp_path / "v" / "1.png")
    with pytest.raises(DataError, match="more than 8 bits"):
        read_image(tmp_path / "v" / "1.png")
    assert look(tmp_path)["faults"] == {"broken_frame": 1}


def test_the_kinds_are_told_apart() -> None:
    assert not FAULTS.keys() & NOTES.keys()


def test_the_command(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", "check", str(root), "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{root} (val, test): 3 videos, 9 frames, 6 masks\nnothing is wrong\n"
    assert "15 files decoded" in err

    for number in (5, 6, 8):
        (root / V / f"origin/{number:08d}.jpg").write_bytes(b"")
        (root / f"data/2_b/origin/{number:08d}.jpg").write_bytes(b"")
    target = tmp_path / "check.json"
    assert run(["data", "check", str(root), "--workers", "1", "--json", str(target)]) == 1
    out, _ = capsys.readouterr()
    assert "       6  frames that do not decode [broken_frame]\n" in out
    assert f"          {F}: this frame is empty (0 bytes).\n" in out
    assert "... and 3 more\n6 findings\n" in out
    assert len(json.loads(target.read_text())["findings"]) == 6

    assert run(["data", "check", str(root), "--workers", "1", "--json", "-"]) == 1
    assert json.loads(capsys.readouterr().out) == json.loads(target.read_text())


def test_the_command_chooses_videos_and_refuses_nonsense(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / F).write_bytes(b"")
    assert run(["data", "check", str(root), "--videos", "2_b,3_c", "--workers", "1"]) == 0
    assert "2 videos" in capsys.readouterr().out
    for more in (
        ["--videos", "9_x"],
        ["--split", "nothing"],
        ["--json", str(root / "val.txt" / "x")],
        ["--json", str(root)],
    ):
        assert run(["data", "check", str(root), *more]) == 2
        out, err = capsys.readouterr()
        assert (out, err[:7]) == ("", "error: ")
    assert run(["data", "check", str(tmp_path / "nowhere")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_workers_change_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for damage, _, _ in list(DAMAGE.values())[:4]:
        damage(root)
    assert run(["data", "check", str(root), "--json", "-", "--workers", "1"]) == 1
    alone = capsys.readouterr().out
    assert run(["data", "check", str(root), "--json", "-", "--workers", "2"]) == 1
    assert capsys.readouterr().out == alone
