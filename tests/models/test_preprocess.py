"""From a frame to the input of a network."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.models.tiny import picture
from vsscli.errors import ModelError
from vsscli.models.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess, prepare, read_preprocess

DEFAULT = Preprocess(720, 1333, divisor=32)


def write(folder: Path, entries: Any, name: str = "preprocessor_config.json") -> Path:
    (folder / name).write_text(json.dumps(entries))
    return folder


def test_a_frame_is_normalised_and_padded_behind() -> None:
    image = picture(50, 70)
    found = prepare(image, (50, 70), DEFAULT)
    assert found.shape == (3, 64, 96)
    assert found.dtype == torch.float32
    wanted = (image.astype(np.float64) - IMAGENET_MEAN) / IMAGENET_STD
    np.testing.assert_allclose(found[:, :50, :70].permute(1, 2, 0), wanted, atol=1e-6)
    assert not found[:, 50:].any()
    assert not found[:, :, 70:].any()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_a_frame_is_resized_on_8_bits_as_pillow_does(h: int, w: int, new_h: int, new_w: int) -> None:
    image = picture(h, w)
    found = prepare(image, (new_h, new_w), Preprocess(None, None, (0, 0, 0), (1, 1, 1)))
    wanted = Image.fromarray(image).resize((new_w, new_h), Image.Resampling.BILINEAR)
    assert np.array_equal(found.permute(1, 2, 0), np.asarray(wanted))


def test_the_filter_is_the_model_s() -> None:
    image = picture(20, 20)
    plain = Preprocess(None, None, (0, 0, 0), (1, 1, 1), resample=3)
    wanted = Image.fromarray(image).resize((40, 30), Image.Resampling.BICUBIC)
    assert np.array_equal(prepare(image, (30, 40), plain).permute(1, 2, 0), np.asarray(wanted))


def test_a_frame_is_not_changed() -> None:
    image = picture(20, 20)
    image.setflags(write=False)
    prepare(image, (20, 20), DEFAULT)


def test_without_a_file_the_family_decides(tmp_path: Path) -> None:
    assert read_preprocess(tmp_path, DEFAULT) is DEFAULT
    assert read_preprocess(write(tmp_path, {}), DEFAULT) == DEFAULT


@pytest.mark.parametrize(
    ("entries", "sides"),
    [
        ({"size": {"shortest_edge": 512, "longest_edge": 2048}}, (512, 2048)),
        ({"size": {"shortest_edge": 640, "longest_edge": None}}, (640, None)),
        ({"size": {"height": 512, "width": 640}}, (512, 2048)),
        ({"size": 512}, (512, 2048)),
        ({"size": 800, "max_size": 1333}, (800, 1333)),
        ({"size": {"shortest_edge": 512}, "do_resize": False}, (None, None)),
    ],
)
def test_sizes_of_a_file(tmp_path: Path, entries: dict[str, Any], sides: tuple[int | None, int | None]) -> None:
    found = read_preprocess(write(tmp_path, entries), DEFAULT)
    assert (found.short, found.cap) == sides
    assert found.divisor == 32


def test_colours_of_a_file(tmp_path: Path) -> None:
    entries = {"image_mean": [0.5, 0.25, 0.1], "image_std": 0.2, "rescale_factor": 1 / 255, "resample": 3}
    found = read_preprocess(write(tmp_path, entries), DEFAULT)
    assert found.mean == pytest.approx((127.5, 63.75, 25.5))
    assert found.std == pytest.approx((51, 51, 51))
    assert found.resample == Image.Resampling.BICUBIC
    found = read_preprocess(write(tmp_path, {**entries, "do_rescale": False}), DEFAULT)
    assert found.mean == pytest.approx((0.5, 0.25, 0.1))
    found = read_preprocess(write(tmp_path, {**entries, "do_normalize": False}), DEFAULT)
    image = picture(4, 4)
    assert torch.allclose(prepare(image, (4, 4), found)[:, :4, :4].permute(1, 2, 0) * 255, torch.tensor(image).float())


def test_a_processor_with_an_image_processor_inside(tmp_path: Path) -> None:
    write(tmp_path, {"image_processor": {"size": {"shortest_edge": 300}}}, "processor_config.json")
    assert read_preprocess(tmp_path, DEFAULT).short == 300


@pytest.mark.parametrize(
    "entries",
    [
        {"size": {"longest_edge": 5}},
        {"size": {"shortest_edge": 0}},
        {"size": "large"},
        {"size": {"shortest_edge": "large"}},
        {"image_mean": [0.5, 0.5]},
        {"image_mean": "gray"},
        {"image_mean": [123.675, 116.28, 103.53]},
        {"image_mean": [0.5, 0.5, -0.5]},
        {"image_std": 0},
        {"image_std": -0.2},
        {"image_std": [0.2, -0.2, 0.2]},
        {"size": {"shortest_edge": 720, "longest_edge": 719}},
        {"size": 720, "max_size": 719},
        {"size": [720, 1333]},
        {"image_processor": [1]},
        {"image_std": [1, 1, float("nan")]},
        {"resample": 77},
        {"image_processor": 3},
        [],
    ],
)
def test_a_file_that_makes_no_sense(entries: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"preprocessor_config\.json") as caught:
        read_preprocess(write(tmp_path, entries), DEFAULT)
    assert "attribute" not in caught.value.message


def test_a_cap_may_be_the_short_side(tmp_path: Path) -> None:
    found = read_preprocess(write(tmp_path, {"size": {"shortest_edge": 720, "longest_edge": 720}}), DEFAULT)
    assert (found.short, found.cap) == (720, 720)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").mkdir()
    with pytest.raises(ModelError, match=r"preprocessor_config\.json cannot be read"):
        read_preprocess(tmp_path, DEFAULT)


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(ModelError, match=r"preprocessor_config\.json cannot be read"):
        read_preprocess(tmp_path, DEFAULT)


def test_mask2former_as_published(tmp_path: Path) -> None:
    from transformers.models.mask2former.image_processing_pil_mask2former import Mask2FormerImageProcessorPil

    Mask2FormerImageProcessorPil(size={"shortest_edge": 512, "longest_edge": 2048}).save_pretrained(tmp_path)
    found = read_preprocess(tmp_path, DEFAULT)
    assert (found.short, found.cap, found.divisor) == (512, 2048, 32)
    assert found.mean == pytest.approx(IMAGENET_MEAN)
    assert found.std == pytest.approx(IMAGENET_STD)
