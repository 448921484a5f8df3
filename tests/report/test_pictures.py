"""Small pictures, decoded again and compared with what they were made of; frames evenly spread; readable colours."""

import base64
import io
import re
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from vsscli.data.classes import IGNORE, vspw_classes
from vsscli.report.overlay import Legend, blend
from vsscli.report.pictures import (
    LONGEST,
    draw_errors,
    draw_heat,
    draw_labels,
    heat_palette,
    small_frame,
    small_labels,
    small_size,
)
from vsscli.report.strip import spread

TABLE = vspw_classes()
RANDOM = np.random.default_rng(0)
LABELS = np.where(RANDOM.random((30, 40)) < 0.1, IGNORE, RANDOM.integers(0, 124, (30, 40))).astype(np.uint8)


def decoded(text: str, mode: str = "RGBA") -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        return np.asarray(image.convert(mode))


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_a_small_size_fits_and_keeps_the_shape(height: int, width: int) -> None:
    h, w = small_size(height, width)
    assert 1 <= h <= min(height, LONGEST) and 1 <= w <= min(width, LONGEST)
    assert abs(h * width - w * height) <= max(height, width) * max(1, h / 2, w / 2) / min(h, w) + max(height, width)


def test_labels_have_the_colours_of_their_classes() -> None:
    pixels = decoded(draw_labels(LABELS, TABLE))
    there = LABELS != IGNORE
    assert (pixels[there][:, :3] == np.array(TABLE.colors)[LABELS[there]]).all()
    assert (pixels[..., 3] == np.where(there, 255, 0)).all()


def test_a_small_map_holds_no_other_labels() -> None:
    large = np.kron(LABELS, np.ones((25, 25), np.uint8))
    assert (small_labels(large) == np.kron(LABELS, np.ones((10, 10), np.uint8))).all()


def test_errors_are_where_the_map_is_wrong() -> None:
    truth = LABELS.copy()
    wrong = np.zeros(LABELS.shape, bool)
    wrong[3:9, 4:20] = True
    labels = np.where(wrong, (truth.astype(int) + 1) % 124, truth).astype(np.uint8)
    pixels = decoded(draw_errors(labels, truth))
    void = truth == IGNORE
    assert (pixels[wrong & ~void] == (196, 24, 48, 255)).all()
    assert (pixels[void] == (140, 148, 158, 255)).all()
    assert (pixels[~wrong & ~void][:, 3] == 0).all()


def test_heat_grows_brighter() -> None:
    luma = np.frombuffer(heat_palette(), np.uint8).reshape(256, 3) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luma) >= 0).all() and luma[255] - luma[0] > 200
    shares = np.linspace(0, 1, 20, dtype=np.float32)[None].repeat(4, 0)
    pixels = decoded(draw_heat(shares)).astype(int)
    assert (pixels[:, 0, 3] == 0).all() and (pixels[:, 1:, 3] == 255).all(), "what never changes is see-through"
    assert (np.diff(pixels[0, 1:, :3].sum(1)) >= 0).all()


def test_a_frame_is_still_that_frame() -> None:
    image = np.zeros((300, 800, 3), np.uint8)
    image[:, 400:] = (200, 40, 90)
    pixels = decoded(small_frame(image), "RGB").astype(int)
    assert pixels.shape == (150, 400, 3)
    assert np.abs(pixels[:, 210:] - (200, 40, 90)).max() < 8 and pixels[:, :190].max() < 8


@given(st.integers(1, 500), st.integers(1, 40))
def test_frames_are_spread_evenly(count: int, most: int) -> None:
    places = spread(count, most)
    assert len(places) == min(count, most) and list(places) == sorted(set(places))
    assert places[0] == 0 and (most == 1 or places[-1] == count - 1)
    steps = np.diff(places)
    assert not len(steps) or steps.max() - steps.min() <= 1


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_an_overlay_lies_between_frame_and_colour(seed: int, opacity: float) -> None:
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (*LABELS.shape, 3), np.uint8)
    shown = blend(image, LABELS, TABLE, opacity).astype(int)
    colors = np.zeros((256, 3))
    colors[:124] = TABLE.colors
    wanted = image + (colors[LABELS] - image) * np.where(LABELS == IGNORE, 0, opacity)[..., None]
    assert np.abs(shown - wanted).max() <= 0.5 + 1e-4
    assert (blend(image, LABELS, TABLE, 0) == image).all()


@pytest.mark.parametrize("width", [20, 97, 427])
def test_a_legend_names_every_class_and_keeps_its_size(width: int) -> None:
    """Also where a name is wider than the picture. Every class has its colour below the picture."""
    classes = list(range(0, 124, 5))
    legend = Legend(width, 240, TABLE, classes, ("run", "truth"))
    pictures = [legend.add(np.full((40, width, 3), shade, np.uint8)) for shade in (0, 200)]
    assert pictures[0].shape == pictures[1].shape and pictures[0].shape[1] == width
    below = {tuple(color) for color in pictures[0][-(pictures[0].shape[0] - 60) :].reshape(-1, 3).tolist()}
    assert {TABLE.colors[label] for label in classes} <= below


def test_one_head_stands_above_too() -> None:
    picture = np.zeros((40, 97, 3), np.uint8)
    bare, named = (Legend(97, 240, TABLE, [0], heads).add(picture) for heads in ((), ("run",)))
    assert len(named) > len(bare) and (named[-len(bare) :] == bare).all()


def luminance(color: str) -> float:
    parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_wcag_aa() -> None:
    """Text 4.5 to 1, lines and dots 3 to 1, in the light and in the dark."""
    style = (files("vsscli.report") / "page" / "report.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", style, re.S)[:2]
    for theme in (light, dark):
        colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for paper in ("paper", "sheet", "mark"):
            for ink in ("ink", "soft", "link"):
                assert contrast(colors[ink], colors[paper]) >= 4.5, (ink, paper)
        for line in [*(f"s{i}" for i in range(8)), "strong-rule", "focus"]:
            assert contrast(colors[line], colors["paper"]) >= (2.0 if line == "strong-rule" else 3.0), line
