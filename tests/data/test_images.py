"""Frames and masks in every form they have been met in, whole and broken."""

import io
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.data.trees import SIZE, frame, save, stored
from vsscli.data.classes import vspw_classes
from vsscli.data.images import image_mode, image_size, read_image, read_indices, verify_end, verify_image
from vsscli.data.vspw import vspw_numbering
from vsscli.errors import DataError

COLORS = vspw_numbering().colors


def painted(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A stored VSPW mask in the colours of its classes; void black and white."""
    table = np.zeros((256, 3), np.uint8)
    table[1:125] = vspw_classes().colors
    table[255] = 255
    return table[mask]


def png(image: Image.Image, path: Path) -> Path:
    image.save(path, "PNG")
    return path


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.bmp", "x.tif", "x.webp"])
def test_frames_of_every_format(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, frame(3))
    image = read_image(path)
    assert (str(image.dtype), image.shape) == ("uint8", (*SIZE, 3))
    assert np.abs(image.astype(int) - frame(3)).mean() < (8 if name in ("x.jpg", "x.webp") else 0.001)
    assert image_size(path) == verify_image(path) == SIZE


def test_frames_of_other_modes_become_rgb(tmp_path: Path) -> None:
    gray = Image.fromarray(frame(3)[..., 0])
    assert (read_image(png(gray, tmp_path / "l.png")) == frame(3)[..., :1]).all()
    alpha = Image.fromarray(frame(3)).convert("RGBA")
    assert (read_image(png(alpha, tmp_path / "a.png")) == frame(3)).all()
    palette = gray.convert("P")
    assert (read_image(png(palette, tmp_path / "p.png")) == frame(3)[..., :1]).all()


def test_a_frame_beyond_8_bits_is_not_clipped_in_silence(tmp_path: Path) -> None:
    path = save(tmp_path / "deep.png", np.full(SIZE, 4000, np.uint16))
    with pytest.raises(DataError, match=r"deep\.png: this frame has more than 8 bits"):
        read_image(path)


def test_the_orientation_tag_is_not_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "x.jpg", frame(), exif=exif)
    assert read_image(path).shape[:2] == image_size(path) == SIZE


@given(st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False), st.sampled_from("LP"))
def test_gray_and_palette_masks_come_back_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, random: Random, mode: str
) -> None:
    mask = np.array([[random.randrange(256) for _ in range(width)] for _ in range(height)], np.uint8)
    image = Image.fromarray(mask)
    if mode == "P":
        image.putpalette(vspw_classes().palette)
    path = png(image, tmp_path_factory.mktemp("mask") / "m.png")
    assert image_mode(path) == mode
    assert (read_indices(path) == mask).all()
    assert (read_indices(path, COLORS) == mask).all()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_small_palettes_keep_their_indices(tmp_path: Path, bits: int) -> None:
    mask = (np.arange(64).reshape(8, 8) % 2**bits).astype(np.uint8)
    image = Image.fromarray(mask)
    image.putpalette(vspw_classes().palette[: 3 * 2**bits])
    path = tmp_path / "m.png"
    image.save(path, bits=bits)
    assert path.read_bytes()[24] == bits  # the depth in the PNG's header
    assert (read_indices(path) == mask).all()


def test_1_bit_masks_are_0_and_1(tmp_path: Path) -> None:
    mask = np.arange(64).reshape(8, 8) % 3 == 0
    path = png(Image.fromarray(mask), tmp_path / "m.png")
    values = read_indices(path, COLORS)
    assert values.dtype == np.uint8
    assert (values == mask).all()


def test_an_alpha_channel_does_not_make_a_gray_mask_a_picture(tmp_path: Path) -> None:
    mask = stored()
    mask[0] = 120  # as a colour this would be the class wall
    layers = [Image.fromarray(mask), Image.fromarray(np.full(SIZE, 255, np.uint8))]
    assert (read_indices(png(Image.merge("LA", layers), tmp_path / "m.png"), COLORS) == mask).all()


@pytest.mark.parametrize(("top", "said"), [(255, None), (256, "value 256"), (40000, "value 40000")])
def test_16_bit_masks(tmp_path: Path, top: int, said: str | None) -> None:
    mask = stored().astype(np.uint16)
    mask[3, 3] = top
    path = save(tmp_path / "m.png", mask)
    if said is None:
        assert (read_indices(path) == mask).all()
    else:
        with pytest.raises(DataError, match=rf"m\.png: this mask holds the {said}, not one of 0\.\.255"):
            read_indices(path)


def test_float_masks(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.tif", stored().astype(np.float32))
    assert (read_indices(whole, COLORS) == stored()).all()
    for value in (0.5, float("nan"), -1.0):
        mask = stored().astype(np.float32)
        mask[0, 0] = value
        with pytest.raises(DataError, match="holds the value"):
            read_indices(save(tmp_path / "broken.tif", mask), COLORS)


def test_masks_in_colours_are_resolved(tmp_path: Path) -> None:
    mask = np.array([[0, 1, 2], [124, 255, 100]], np.uint8)
    path = save(tmp_path / "m.png", painted(mask))
    assert (read_indices(path, COLORS) == mask).all()
    transparent = png(Image.fromarray(painted(mask)).convert("RGBA"), tmp_path / "t.png")
    assert (read_indices(transparent, COLORS) == mask).all()
    with pytest.raises(DataError, match=r"m\.png: this mask is a colour image \(mode RGB\)"):
        read_indices(path)


def test_every_class_with_a_colour_of_its_own_is_resolved(tmp_path: Path) -> None:
    twice = {c for c in vspw_classes().colors if vspw_classes().colors.count(c) > 1}
    own = [1 + i for i, color in enumerate(vspw_classes().colors) if color not in twice]
    assert len(own) == 122
    mask = np.array([own], np.uint8)
    assert (read_indices(save(tmp_path / "m.png", painted(mask)), COLORS) == mask).all()


def test_colours_that_say_nothing_are_named(tmp_path: Path) -> None:
    shared = next(c for c in vspw_classes().colors if vspw_classes().colors.count(c) > 1)
    for color in (shared, (1, 2, 3)):
        image = painted(stored())
        image[5, 5] = color
        with pytest.raises(DataError) as caught:
            read_indices(save(tmp_path / "m.png", image), COLORS)
        assert f"its colour {color} stands for no class" in caught.value.message


def test_the_content_counts_not_the_suffix(tmp_path: Path) -> None:
    path = save(tmp_path / "x.bmp", frame())
    path.rename(tmp_path / "x.jpg")
    assert (read_image(tmp_path / "x.jpg") == frame()).all()


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda content: b"", r"is empty \(0 bytes\)"),
    "no image": (lambda content: b"<html>not found</html>", "is no image that can be decoded"),
    "half": (lambda content: content[: len(content) // 2], "does not decode|can be decoded"),
    "head only": (lambda content: content[:20], "does not decode|can be decoded"),
    "postscript": (lambda content: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is no image"),
    "gif": (lambda content: b"GIF89a\x01\x00\x01\x00\x00\x00\x00", "is no image"),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_broken_files_are_named(tmp_path: Path, kind: str, suffix: str) -> None:
    path = save(tmp_path / f"x{suffix}", np.tile(frame(3), (8, 8, 1)))
    breaks, said = BROKEN[kind]
    path.write_bytes(breaks(path.read_bytes()))
    for read in (read_image, verify_image, lambda path: read_indices(path, COLORS)):
        with pytest.raises(DataError, match=said) as caught:
            read(path)
        assert caught.value.message.startswith(f"{path}: this ")


def test_absent_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.png: this mask is not there"):
        read_indices(tmp_path / "x.png")
    with pytest.raises(DataError, match=r"x\.png: this image is not there"):
        image_size(tmp_path / "x.png")
    (tmp_path / "y.png").mkdir()
    with pytest.raises(DataError, match=r"y\.png: this frame cannot be read \(Is a directory\)"):
        read_image(tmp_path / "y.png")


def test_a_size_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "x.bmp", frame())
    content = bytearray(path.read_bytes())
    content[18:26] = (60000).to_bytes(4, "little") * 2
    path.write_bytes(content)
    with pytest.raises(DataError, match="does not decode"):
        read_image(path)


def test_a_flipped_byte_of_a_mask_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    Image.fromarray(stored()).save(path, compress_level=0)
    content = bytearray(path.read_bytes())
    content[content.find(b"IDAT") + 40] ^= 4
    path.write_bytes(content)
    with pytest.raises(DataError, match="does not decode"):
        read_indices(path)


def test_verify_sees_a_copy_that_was_never_finished(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jpg", np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(512))  # padded to a sector: nothing is missing
    assert verify_image(path) == (64, 64)
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    with pytest.raises(DataError, match="the end of this frame is missing"):
        verify_image(path)
    path = save(tmp_path / "x.png", stored())
    path.write_bytes(path.read_bytes()[:-12])
    assert (read_indices(path) == stored()).all()
    with pytest.raises(DataError, match="the end of this mask is missing"):
        verify_end(path)


@settings(max_examples=300)
@given(st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP", "BMP"]), st.data())
def test_no_damage_is_more_than_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, form: str, data: st.DataObject
) -> None:
    file = io.BytesIO()
    Image.fromarray(frame()).save(file, form)
    content = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damage") / "x"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    for read in (read_image, image_size, verify_image, lambda path: read_indices(path, COLORS)):
        try:
            read(path)
        except DataError as error:
            assert str(path) in error.message
