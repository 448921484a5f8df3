"""Folders of images and video files."""

import builtins
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.trees import frame, rotate_mp4, save, save_video
from vsscli.data.dataset import natural_key
from vsscli.data.open import layout_at, open_dataset
from vsscli.data.plain import PlainDataset, VideoFile
from vsscli.data.video_backend import load_cv2
from vsscli.errors import DataError, DeviceError, OptionError


def test_a_folder_of_videos(tmp_path: Path) -> None:
    for name in ("b", "a"):
        for number in (1, 2, 10):
            save(tmp_path / name / f"frame{number}.png", frame(number))
    save(tmp_path / ".cache" / "x.png", frame())
    (tmp_path / "notes.txt").write_text("x")
    dataset = open_dataset(tmp_path, "any split")
    assert (dataset.kind, dataset.split, dataset.classes) == ("plain", None, None)
    assert dataset.names() == dataset.listed() == ("a", "b")
    video = dataset.video("a")
    assert video.frames == ("frame1", "frame2", "frame10")
    assert [(image == frame(n)).all() for image, n in zip(video.images(), (1, 2, 10), strict=True)] == [True] * 3
    assert video.image_size("frame2") == frame().shape[:2]
    assert not video.has_masks()
    with pytest.raises(OptionError, match="no video 'c'"):
        dataset.video("c")
    assert layout_at(tmp_path) is PlainDataset


def test_a_folder_of_images_is_one_video(tmp_path: Path) -> None:
    save(tmp_path / "clip" / "1.jpg", frame())
    dataset = open_dataset(tmp_path / "clip")
    assert dataset.names() == ("clip",)
    assert dataset.video("clip").frames == ("1",)


def test_images_and_videos_in_one_folder_are_ambiguous(tmp_path: Path) -> None:
    save(tmp_path / "1.jpg", frame())
    save(tmp_path / "more" / "1.jpg", frame())
    with pytest.raises(DataError, match=r"holds images and also videos \(more\)"):
        open_dataset(tmp_path)


def test_an_empty_folder_among_videos_stands_for_a_lost_one(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.jpg", frame())
    (tmp_path / "lost").mkdir()
    save(tmp_path / "doc" / "sub" / "1.jpg", frame())
    dataset = open_dataset(tmp_path)
    assert dataset.names() == ("a", "lost")
    with pytest.raises(DataError, match="Video lost is empty"):
        dataset.video("lost")


def test_videos_that_no_run_could_hold(tmp_path: Path) -> None:
    save(tmp_path / "in" / "new\nline" / "1.jpg", frame())
    with pytest.raises(DataError, match=r"'new\\nline' cannot be the name"):
        open_dataset(tmp_path / "in")
    with pytest.raises(DataError, match="cannot be the name"):
        open_dataset(tmp_path / "in" / "new\nline")
    (tmp_path / "a\\b.mp4").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be the name"):
        open_dataset(tmp_path / "a\\b.mp4")


def test_nothing_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "x.txt").write_text("x")
    for path in (tmp_path, tmp_path / "a", tmp_path / "x.txt"):
        with pytest.raises(DataError, match="is no dataset: looked for"):
            open_dataset(path)


@given(st.lists(st.integers(0, 10**9), unique=True, min_size=1))
def test_frames_are_in_the_order_of_their_numbers(numbers: list[int]) -> None:
    names = [f"f{number}" for number in numbers]
    assert sorted(names, key=natural_key) == [f"f{number}" for number in sorted(numbers)]
    padded = [f"{number:010d}" for number in numbers]
    assert sorted(padded, key=natural_key) == sorted(padded)


@given(st.lists(st.text(), unique=True))
def test_any_names_have_one_order(names: list[str]) -> None:
    turned = names[::-1]
    assert sorted(names, key=natural_key) == sorted(turned, key=natural_key)


@pytest.mark.parametrize(("suffix", "code"), [(".mp4", "mp4v"), (".avi", "MJPG"), (".MKV", "MJPG")])
def test_a_video_file_is_a_video(tmp_path: Path, suffix: str, code: str) -> None:
    path = tmp_path / f"drive{suffix.lower()}"
    save_video(path, 6, code=code)
    path = path.rename(tmp_path / f"drive{suffix}")
    dataset = open_dataset(path)
    assert dataset.names() == ("drive",)
    video = dataset.video("drive")
    assert video.frames == tuple(f"{number:08d}" for number in range(1, 7))
    images = list(video.images())
    assert [image.shape for image in images] == [(48, 96, 3)] * 6
    assert video.image_size("00000001") == (48, 96)
    assert images[0][30, 20, 0] > 200 > 60 > images[0][30, 20, 2]  # red, not blue
    for number, image in enumerate(images):
        assert image[4 * number + 1, 70].min() > 150  # the bar of this frame
    assert not video.has_masks()


def test_a_folder_of_video_files_and_folders(tmp_path: Path) -> None:
    save_video(tmp_path / "b.mp4", 2)
    save(tmp_path / "a" / "1.jpg", frame())
    dataset = open_dataset(tmp_path)
    assert dataset.names() == ("a", "b")
    assert len(dataset.video("b").frames) == 2


@pytest.mark.parametrize("other", ["x.avi", "x"])
def test_two_inputs_of_one_name(tmp_path: Path, other: str) -> None:
    save_video(tmp_path / "x.mp4", 2)
    if other == "x":
        save(tmp_path / "x" / "1.jpg", frame())
    else:
        save_video(tmp_path / other, 2, code="MJPG")
    with pytest.raises(DataError, match="'x' is the name of 2 inputs"):
        open_dataset(tmp_path)


def test_rotation_is_honoured(tmp_path: Path) -> None:
    path = save_video(tmp_path / "phone.mp4", 3)
    rotate_mp4(path, 48)
    video = VideoFile(path)
    first = next(video.images())
    assert first.shape == (96, 48, 3)
    assert video.image_size("00000001") == (96, 48)
    assert first[20, 20, 0] > 200 > 60 > first[80, 20, 0]  # what was left is up
    assert first[20, 46].min() > 150  # and what was up, the bar of the first frame, is right


def test_containers_that_lie_are_counted(tmp_path: Path) -> None:
    path = save_video(tmp_path / "cut.avi", 20, code="MJPG")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.8)])
    video = VideoFile(path)
    assert video.claimed == 20
    assert 0 < len(video.frames) < 20
    assert len(list(video.images())) == len(video.frames)


@pytest.mark.parametrize("content", [b"", b"junk" * 500, None], ids=["empty", "junk", "half"])
def test_broken_video_files_are_named_and_quiet(
    tmp_path: Path, content: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    path = save_video(tmp_path / "x_001.mp4", 6)
    path.write_bytes(path.read_bytes()[:600] if content is None else content)
    with pytest.raises(DataError, match=r"x_001\.mp4: this video cannot be opened"):
        _ = VideoFile(path).frames
    assert VideoFile(path).claimed == 0
    assert capfd.readouterr() == ("", "")


def test_a_damaged_stream_is_quiet_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = save_video(tmp_path / "x.mp4", 12)
    content = bytearray(path.read_bytes())
    start = content.find(b"mdat") + 60
    content[start : start + 200] = np.random.default_rng(1).bytes(200)
    path.write_bytes(content)
    video = VideoFile(path)
    try:
        assert len(list(video.images())) == len(video.frames)
    except DataError as error:
        assert "x.mp4" in error.message
    assert capfd.readouterr() == ("", "")


def test_the_digest_of_a_file_follows_its_size(tmp_path: Path) -> None:
    path = save_video(tmp_path / "x.mp4", 2)
    before = VideoFile(path).digest
    path.write_bytes(path.read_bytes() + b"\0")
    assert VideoFile(path).digest != before
    path.unlink()
    with pytest.raises(DataError, match=r"x\.mp4 cannot be read"):
        _ = VideoFile(path).digest


def test_opencv_without_its_system_library(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def bare(name: str, *arguments: Any, **more: Any) -> ModuleType:
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", bare)
    with pytest.raises(DeviceError) as caught:
        load_cv2()
    assert caught.value.message == "OpenCV cannot be imported (libGL.so.1)."
    assert "libgl1" in caught.value.hint
    assert "opencv-python-headless" in caught.value.hint


def test_opening_folders_needs_no_opencv(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.jpg", frame())
    code = (
        "import sys; from pathlib import Path; from vsscli.data.open import open_dataset;"
        "list(open_dataset(Path(sys.argv[1])).video('a').images()); assert 'cv2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
