"""``config.json`` of VidEoMT, PMT and LVMT: there and back, and every wrong entry named."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.vmt.cases import config_of
from vsscli.errors import ModelError
from vsscli.models.vmt.config import EncoderConfig, VmtConfig, from_json, to_json

FILE = "model/config.json"
FULL = {arch: config_of(arch) for arch in ("videomt_vitl", "pmt_dinov2_vitl", "lvmt_dinov3_vitl")}


@st.composite
def configs(draw: st.DrawFn) -> VmtConfig:
    """Any model that can be."""
    kind = draw(st.sampled_from(["videomt", "pmt", "lvmt"]))
    encoder_type = "dinov2" if kind == "videomt" else draw(st.sampled_from(["dinov2", "dinov3"]))
    heads, blocks, levels = draw(st.integers(1, 16)), draw(st.integers(1, 9)), draw(st.integers(1, 6))
    vit = EncoderConfig(
        encoder_type,
        dim=4 * heads * draw(st.integers(1, 32)),
        depth=max(blocks, levels) * draw(st.integers(1, 6)) if kind == "videomt" else levels * draw(st.integers(1, 9)),
        heads=heads,
        registers=draw(st.integers(0, 8)),
        grid=draw(st.integers(1, 100)) if encoder_type == "dinov2" else None,
    )
    labels = tuple(f"class {i}" for i in range(draw(st.integers(1, 5))))
    converted = draw(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2))
    more = (None if kind == "videomt" else levels, converted)
    return VmtConfig(kind, vit, labels, draw(st.integers(1, 300)), blocks, *more)


@given(configs())
def test_there_and_back(config: VmtConfig) -> None:
    assert from_json(json.loads(json.dumps(to_json(config))), FILE) == config


def plain(arch: str) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads(json.dumps(to_json(FULL[arch])))
    return entries


def at(entries: dict[str, Any], place: str) -> tuple[dict[str, Any], str]:
    *path, last = place.split(".")
    for name in path:
        entries = entries[name]
    return entries, last


def places(entries: dict[str, Any]) -> list[str]:
    inner = [f"encoder.{name}" for name in entries["encoder"]]
    return [name for name in entries if name not in ("model_type", "id2label", "converted")] + inner


EVERY = [(arch, place) for arch in FULL for place in places(plain(arch))]


@pytest.mark.parametrize(("arch", "place"), EVERY)
def test_a_missing_entry_is_named(arch: str, place: str) -> None:
    entries = plain(arch)
    owner, last = at(entries, place)
    del owner[last]
    with pytest.raises(ModelError, match=rf"{FILE}: {place}\b.* missing"):
        from_json(entries, FILE)


@pytest.mark.parametrize(("arch", "place"), EVERY)
@pytest.mark.parametrize("value", [[], "?", -1, 1.5, True, {"0": 1}, 10**9], ids=str)
def test_an_entry_of_the_wrong_type_is_named(arch: str, place: str, value: Any) -> None:
    entries = plain(arch)
    owner, last = at(entries, place)
    owner[last] = value
    with pytest.raises(ModelError) as found:
        from_json(entries, FILE)
    assert found.value.message.startswith(f"{FILE}: ") and last in found.value.message


@pytest.mark.parametrize("place", ["more", "encoder.more"])
def test_an_unknown_entry_is_named(place: str) -> None:
    entries = plain("lvmt_dinov3_vitl")
    owner, last = at(entries, place)
    owner[last] = 1
    with pytest.raises(ModelError, match=f"{FILE}: {place} is an entry that no such model has"):
        from_json(entries, FILE)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"model_type": "dvis"}, "model_type is not 'vmt'"),
        ({"model_type": "vmt", "id2label": {}}, "id2label does not name"),
        ({"model_type": "vmt", "id2label": {"0": "a"}, "converted": [1]}, "converted is"),
        ({"model_type": "vmt", "id2label": {"0": "a"}}, "encoder is missing"),
    ],
)
def test_what_is_no_such_file(entries: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=f"{FILE}: {said}"):
        from_json(entries, FILE)


VIT = FULL["videomt_vitl"].encoder
VIT3 = FULL["lvmt_dinov3_vitl"].encoder


@pytest.mark.parametrize(
    ("arch", "changes", "said"),
    [
        ("videomt_vitl", {"kind": "eomt"}, "not one of videomt, pmt, lvmt"),
        ("videomt_vitl", {"blocks": 25}, "cannot pass 25 of the encoder's 24 blocks"),
        ("videomt_vitl", {"levels": 4}, "it is a VidEoMT and has 4 levels"),
        ("videomt_vitl", {"encoder": VIT3}, "only its variant with a DINOv2 encoder"),
        ("videomt_vitl", {"encoder": replace(VIT, grid=None)}, "a dinov2 with no grid"),
        ("videomt_vitl", {"encoder": replace(VIT, type="dinov4")}, "not one of dinov2, dinov3"),
        ("videomt_vitl", {"encoder": replace(VIT, heads=512)}, "512 heads of a multiple of 4"),
        ("lvmt_dinov3_vitl", {"encoder": replace(VIT3, grid=3)}, "a dinov3 with a grid"),
        ("lvmt_dinov3_vitl", {"levels": None}, "it is a LVMT and has no levels"),
        ("pmt_dinov2_vitl", {"levels": 5}, "5 levels of 1024 channels cannot come from 24 blocks"),
    ],
)
def test_parts_must_fit_together(arch: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError) as found:
        replace(FULL[arch], **changes)
    assert said in found.value.message


def test_what_is_kept_is_the_smaller() -> None:
    """Patches and mask embeddings where a frame is large, mask logits where it is small."""
    config = FULL["videomt_vitl"]
    assert config.kept_numbers(46 * 80) == (46 * 80 + 200) * 1024 < 200 * 184 * 320
    assert config.kept_numbers(60) == 16 * 200 * 60 < (60 + 200) * 1024
