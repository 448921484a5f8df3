"""The image of a question: what is in it, and its bytes."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vsscli.postprocess.picture import DIMMED, LONGEST, RED, draw, outline


def frame(h: int, w: int) -> np.ndarray:
    ramp = np.add.outer(np.arange(h), np.arange(w)) % 200
    return np.stack([ramp, ramp // 2, 255 - ramp], -1).astype(np.uint8)


def disc(h: int, w: int) -> np.ndarray:
    y, x = np.ogrid[:h, :w]
    found: np.ndarray = (y - h / 2) ** 2 + (x - w / 2) ** 2 < (min(h, w) / 4) ** 2
    return found


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
def test_the_region_stays_as_it_is_and_the_rest_is_dimmed_or_red(h: int, w: int, seed: int) -> None:
    pixels, region = frame(h, w), np.random.default_rng(seed).random((h, w)) < 0.3
    shown = outline(pixels, region)
    assert (shown[region] == pixels[region]).all()
    red = (shown == RED).all(-1) & ~region
    rest = ~region & ~red
    assert (shown[rest] == (pixels[rest] * np.float32(DIMMED)).astype(np.uint8)).all()
    if region.any() and not region.all():
        assert red.any()
    touching = np.zeros_like(region)
    touching[1:] |= region[:-1]
    touching[:-1] |= region[1:]
    touching[:, 1:] |= region[:, :-1]
    touching[:, :-1] |= region[:, 1:]
    assert (red | region)[touching].all(), "the line leaves no gap"


@pytest.mark.parametrize(
    ("size", "expected"),
    [((480, 853), (432, 768)), ((300, 400), (300, 400)), ((2000, 100), (768, 38)), ((1, 1), (1, 1))],
)
@pytest.mark.parametrize("how", ["outlined", "plain"])
def test_size_and_bytes(size: tuple[int, int], expected: tuple[int, int], how: str) -> None:
    content, shown = draw(frame(*size), disc(*size), how)
    assert shown == expected and max(shown) <= LONGEST
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected[::-1])
        assert not image.getexif() and "comment" not in image.info
    assert draw(frame(*size), disc(*size), how) == (content, shown), "equal pixels, equal bytes"


def test_plain_is_the_frame() -> None:
    image = frame(90, 120)
    content, _ = draw(image, disc(90, 120), "plain")
    with Image.open(io.BytesIO(content)) as decoded:
        difference = np.abs(np.asarray(decoded).astype(int) - image)
    assert difference.mean() < 4
    assert content == draw(image, ~disc(90, 120), "plain")[0], "the region leaves no trace"


def test_outlined_shows_the_region_through_jpeg() -> None:
    image, region = np.full((200, 300, 3), 200, np.uint8), disc(200, 300)
    with Image.open(io.BytesIO(draw(image, region, "outlined")[0])) as decoded:
        shown = np.asarray(decoded).astype(int)
    assert abs(shown[100, 150] - 200).max() < 12
    assert abs(shown[5, 5] - 200 * DIMMED).max() < 12
    row = shown[100]
    assert (row[:, 0] - row[:, 1] > 80).any(), "there is red"
