"""Films, decoded again by another library than the one that wrote them."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vsscli.report.film import Film


def pictures(count: int, height: int, width: int) -> list[NDArray[np.uint8]]:
    """A square that moves over a plain ground."""
    found = []
    for i in range(count):
        picture = np.full((height, width, 3), (30, 60, 120), np.uint8)
        picture[8:24, 4 * i : 4 * i + 16] = (220, 180, 40)
        found.append(picture)
    return found


@pytest.mark.parametrize(("height", "width", "fps"), [(48, 64, 15.0), (49, 65, 29.97), (33, 40, 1.0)])
def test_what_goes_in_comes_out(tmp_path: Path, height: int, width: int, fps: float) -> None:
    path = tmp_path / "film.mp4"
    with Film(path, fps) as film:
        for picture in pictures(7, height, width):
            film.add(picture)
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(fps, abs=0.01)
    for picture in pictures(7, height, width):
        there, shown = capture.read()
        assert there and shown.shape == (height + height % 2, width + width % 2, 3)
        error = np.abs(shown[:height, :width, ::-1].astype(int) - picture)
        assert error.mean() < 6 and np.percentile(error, 90) < 16
    assert not capture.read()[0]
    content = path.read_bytes()
    assert content.find(b"moov") < content.find(b"mdat"), "a player can begin before it has all of it"
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.codec.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")


def test_equal_pictures_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        with Film(tmp_path / name, 15) as film:
            for picture in pictures(5, 48, 64):
                film.add(picture)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
