"""``config.json`` of a DVIS++ model: there and back, and every wrong entry named."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.dvis.cases import OFFLINE, config_of
from vsscli.errors import ModelError
from vsscli.models.dvis.config import (
    BackboneConfig,
    DvisConfig,
    HeadConfig,
    ResNetBackbone,
    SwinBackbone,
    ViTAdapterBackbone,
    from_json,
    to_json,
)

FILE = "model/config.json"
NUMBERS = st.integers(1, 5000)
LAYERS = st.integers(1, 1000)
FOUR = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
DEPTHS = st.tuples(LAYERS, LAYERS, LAYERS, LAYERS)
VITS = st.builds(
    lambda depth, heads, per_head, width, ratio: ViTAdapterBackbone(
        dim=heads * per_head, depth=4 * depth, heads=heads, deform_heads=heads, prior_width=width, ffn_ratio=ratio
    ),
    st.integers(1, 12),
    st.integers(1, 32),
    LAYERS,
    NUMBERS,
    st.floats(0.01, 8),
)
BACKBONES: st.SearchStrategy[BackboneConfig] = st.one_of(
    st.builds(ResNetBackbone, NUMBERS, st.tuples(*[st.integers(4, 5000)] * 4), DEPTHS),
    st.builds(SwinBackbone, NUMBERS, DEPTHS, FOUR, st.integers(1, 64)),
    VITS,
)
HEADS = st.builds(HeadConfig, LAYERS, st.sampled_from([1, 2, 8, 64]), NUMBERS)


@st.composite
def configs(draw: st.DrawFn) -> DvisConfig:
    kind = draw(st.sampled_from(["segmenter", "online", "offline"]))
    return DvisConfig(
        kind,
        draw(BACKBONES),
        tuple(draw(st.lists(st.text(), min_size=1, max_size=5))),
        draw(NUMBERS),
        32 * draw(st.integers(1, 20)),
        draw(st.sampled_from([1, 2, 8, 32])),
        draw(LAYERS),
        draw(NUMBERS),
        draw(LAYERS),
        draw(NUMBERS),
        reid=kind != "segmenter" or draw(st.booleans()),
        tracker=None if kind == "segmenter" else draw(HEADS),
        refiner=draw(HEADS) if kind == "offline" else None,
        converted=draw(st.dictionaries(st.text(), st.text(), max_size=2)),
    )


@given(configs())
def test_there_and_back(config: DvisConfig) -> None:
    entries = json.loads(json.dumps(to_json(config)))
    assert from_json(entries, FILE) == config
    assert entries["model_type"] == "dvis" and entries["id2label"]["0"] == config.labels[0]


def test_what_was_converted_may_be_left_unsaid() -> None:
    entries = to_json(OFFLINE["r50"])
    del entries["converted"]
    assert from_json(entries, FILE) == OFFLINE["r50"]


def places(entries: dict[str, Any], prefix: str = "") -> list[str]:
    """Every entry, with dots where objects lie in objects."""
    found = []
    for name, value in entries.items():
        found.append(prefix + name)
        if isinstance(value, dict) and name in ("backbone", "tracker", "refiner"):
            found += places(value, f"{prefix}{name}.")
    return found


def at(entries: dict[str, Any], place: str) -> tuple[dict[str, Any], str]:
    *path, last = place.split(".")
    for name in path:
        entries = entries[name]
    return entries, last


def plain(family: str) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads(json.dumps(to_json(OFFLINE[family])))
    return entries


EVERY = [(family, place) for family in ("r50", "vitl") for place in places(plain(family))]


@pytest.mark.parametrize(("family", "place"), [case for case in EVERY if case[1] != "converted"])
def test_a_missing_entry_is_named(family: str, place: str) -> None:
    entries = plain(family)
    owner, last = at(entries, place)
    del owner[last]
    with pytest.raises(ModelError, match=rf"{FILE}: {place}\b"):
        from_json(entries, FILE)


@pytest.mark.parametrize(("family", "place"), EVERY)
def test_an_entry_of_the_wrong_type_is_named(family: str, place: str) -> None:
    fits = {"reid": True, "backbone.ffn_ratio": 1.5}
    for value in ([], "?", -1, 1.5, True, {"0": 1}, [1, 2, 3], None, [1, 2, 3, 0], 0, float("inf"), float("nan")):
        if place in fits and value is fits[place]:
            continue
        entries = plain(family)
        owner, last = at(entries, place)
        owner[last] = value
        with pytest.raises(ModelError) as found:
            from_json(entries, FILE)
        assert found.value.message.startswith(f"{FILE}: ")
        assert last in found.value.message or f"it has no {last}" in found.value.message


@pytest.mark.parametrize(
    ("place", "value", "largest"),
    [
        ("decoder_layers", 1_000_000, 1000),
        ("encoder_layers", 1001, 1000),
        ("tracker.layers", 1001, 1000),
        ("refiner.layers", 1001, 1000),
        ("backbone.depths", [3, 4, 10**9, 3], 1000),
        ("backbone.widths", [4, 4, 10**9, 4], 100_000),
        ("queries", 10_001, 10_000),
        ("width", 32 * 10**6, 100_000),
        ("tracker.ffn", 10**30, 100_000),
    ],
)
def test_numbers_beyond_any_model_are_named(place: str, value: Any, largest: int) -> None:
    entries = plain("r50")
    owner, last = at(entries, place)
    owner[last] = value
    with pytest.raises(ModelError, match=rf"{FILE}: {place} is .* and {largest} is the largest"):
        from_json(entries, FILE)


@pytest.mark.parametrize("place", ["more", "backbone.more", "tracker.more"])
def test_an_unknown_entry_is_named(place: str) -> None:
    entries = plain("r50")
    owner, last = at(entries, place)
    owner[last] = 1
    with pytest.raises(ModelError, match=f"{FILE}: {place} is an entry that no such model has"):
        from_json(entries, FILE)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "both"}, "not one of segmenter, online, offline"),
        ({"kind": "online"}, "'online' and it has a refiner"),
        ({"refiner": None}, "'offline' and it has no refiner"),
        ({"tracker": None}, "'offline' and it has no tracker"),
        ({"kind": "segmenter"}, "'segmenter' and it has a tracker"),
        ({"reid": False}, "no identities to track by"),
        ({"heads": 7}, "its width 256"),
        ({"width": 250, "heads": 10}, "its width 250"),
        ({"tracker": HeadConfig(heads=7)}, "the width 512"),
        ({"backbone": ViTAdapterBackbone(depth=6)}, "a ViT of 6 blocks"),
        ({"backbone": ViTAdapterBackbone(deform_heads=7)}, "not divisible"),
    ],
)
def test_parts_must_fit_together(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError) as found:
        replace(OFFLINE["r50"], **changes)
    assert said in found.value.message
    if not isinstance(changes.get("backbone"), ViTAdapterBackbone) and "kind" in changes:
        with pytest.raises(ModelError, match=f"{FILE}: "):
            from_json({**plain("r50"), **changes}, FILE)


def test_another_type_of_model_is_refused() -> None:
    with pytest.raises(ModelError, match=f"{FILE}: model_type is not 'dvis'"):
        from_json({**plain("r50"), "model_type": "mask2former"}, FILE)


def test_sizes_that_follow() -> None:
    assert config_of("dvis_r50_online").head_width == 512
    assert [b.channels for b in (ResNetBackbone(), SwinBackbone(), ViTAdapterBackbone())] == [
        (256, 512, 1024, 2048),
        (96, 192, 384, 768),
        (1024,) * 4,
    ]
