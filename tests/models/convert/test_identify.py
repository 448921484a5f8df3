"""What a checkpoint is, from names and shapes."""

from dataclasses import replace
from math import nextafter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.convert.official import configs, find, shapes, shapes_of
from vsscli.data.classes import vspw_classes
from vsscli.errors import ModelError, OptionError, VssError
from vsscli.models.convert.identify import Settings, parse_settings
from vsscli.models.dvis.config import DvisConfig, HeadConfig, ResNetBackbone, ViTAdapterBackbone

R50 = ResNetBackbone()
VITL = ViTAdapterBackbone()
TINY = ResNetBackbone(16, (64, 128, 256, 512), (3, 4, 6, 3))
TINY_VIT = ViTAdapterBackbone(dim=96, depth=8, heads=4, deform_heads=4, prior_width=16)
HEAD, SMALL_HEAD = HeadConfig(6, 8, 2048), HeadConfig(3, 8, 128)
NAMES = vspw_classes().names
FULL = DvisConfig("offline", R50, NAMES, tracker=HEAD, refiner=HEAD)
SMALL = DvisConfig("offline", TINY, NAMES, 20, 64, 8, 2, 1024, 4, 128, True, SMALL_HEAD, SMALL_HEAD)

#: The models that the specification describes in words.
EXPECTED = {
    "dvis_r50_offline": FULL,
    "dvis_r50_online": replace(FULL, kind="online", refiner=None),
    "dvis_r50_segmenter": replace(FULL, kind="segmenter", tracker=None, refiner=None),
    "dvis_r50_minvis": replace(FULL, kind="segmenter", tracker=None, refiner=None, reid=False),
    "dvis_vitl_offline": replace(FULL, backbone=VITL, queries=200),
    "dvis_vitl_online": replace(FULL, backbone=VITL, queries=200, kind="online", refiner=None),
    "dvis_tiny_offline": SMALL,
    "dvis_tiny_online": replace(SMALL, kind="online", refiner=None),
    "dvis_tinyvit_offline": replace(SMALL, backbone=TINY_VIT),
}


@pytest.mark.parametrize("arch", EXPECTED)
def test_the_published_models_and_their_small_sisters(arch: str) -> None:
    found = find(shapes(arch))
    assert found.config == EXPECTED[arch]
    assert found.settings.class_order == "dvis"


@given(configs())
@settings(max_examples=60, deadline=None)
def test_identification_inverts_the_making_of_shapes(config: DvisConfig) -> None:
    assert find(shapes_of(config)).config == config


def test_a_ratio_that_rounding_would_spoil() -> None:
    assert int(4 / 196 * 196) == 3
    ratio = nextafter(4 / 196, 1)
    backbone = ViTAdapterBackbone(dim=196, depth=4, heads=4, deform_heads=4, prior_width=4, ffn_ratio=ratio)
    config = replace(SMALL, backbone=backbone)
    of = shapes_of(config)
    assert of["backbone.interactions.0.extractor.ffn.fc1.weight"] == (4, 196)
    assert find(of).config == config


def test_what_is_told() -> None:
    found = find(shapes("dvis_vitl_offline"))
    told = "\n".join(found.inferred)
    for part in ("offline", "24 blocks of 1024", "16 heads", "200 queries of 256", "124 classes", "6 layers, 512 ch"):
        assert part in told
    assumed = "\n".join(found.assumed)
    for part in ("short=720", "cap=1333", "heads=8", "points=4", "vit_heads=16", "class_order=dvis", "VSPW's"):
        assert part in assumed
    assert "8 attention heads in each layer of the tracker and of the refiner (heads=8)" in assumed
    assert "16 attention heads in the ViT, as many as in the adapter (vit_heads=16)" in assumed
    assert not found.chosen
    assumed = "\n".join(find(shapes("dvis_r50_minvis")).assumed)
    assert "(heads=" not in assumed and "points" not in assumed
    assumed = "\n".join(find(shapes("dvis_r50_online")).assumed)
    assert "8 attention heads in each layer of the tracker (heads=8)" in assumed


def test_what_was_set_is_not_assumed() -> None:
    found = find(shapes("dvis_tinyvit_offline"), parse_settings(["short=720", "vit_heads=16", "class_order=kept"]))
    assert found.chosen == (
        "short side 720 of the frames (test size) (short=720)",
        "16 attention heads in the ViT (vit_heads=16)",
        "channels in the order of the classes; they stay (class_order=kept)",
    )
    assert len(found.assumed) == 4 and not any("short" in line or "vit_heads" in line for line in found.assumed)


@pytest.mark.parametrize("words", [["short=8", "cap=4"], ["short=1440"], ["cap=719"]])
def test_a_long_side_below_the_short_one(words: list[str]) -> None:
    with pytest.raises(OptionError, match=r"at most \d+ \(cap\), is below the short side, \d+ \(short\)"):
        parse_settings(words)


def test_a_square_is_no_contradiction() -> None:
    assert parse_settings(["short=720", "cap=720"]) == Settings(720, 720)


@pytest.mark.parametrize(
    ("name", "value"), [("short", 720), ("cap", 1333), ("heads", 8), ("points", 4), ("vit_heads", 16)]
)
def test_an_example_that_makes_sense(name: str, value: int) -> None:
    with pytest.raises(OptionError) as caught:
        parse_settings([f"{name}=tiny"])
    assert caught.value.hint == f"For example --set {name}={value}."


def test_settings_overrule_what_is_assumed() -> None:
    chosen = parse_settings(["short=480", "cap=853", "heads=4", "points=2", "vit_heads=16", "class_order=kept"])
    assert chosen == Settings(480, 853, 4, 2, 16, "kept")
    found = find(shapes("dvis_tinyvit_offline"), chosen)
    assert isinstance(found.config, DvisConfig)
    vit = found.config.backbone
    assert isinstance(vit, ViTAdapterBackbone)
    assert (vit.heads, vit.deform_heads, vit.deform_points) == (16, 8, 2)
    assert found.config.tracker == replace(SMALL_HEAD, heads=4) == found.config.refiner
    assert found.settings == chosen


@pytest.mark.parametrize("word", ["", "x=1", "heads", "heads=", "heads=0", "heads=-1", "heads=1.5", "class_order=vspw"])
def test_settings_that_make_no_sense(word: str) -> None:
    with pytest.raises(OptionError, match=f"--set {word}"):
        parse_settings([word])


def test_a_setting_twice() -> None:
    with pytest.raises(OptionError, match="heads is given twice"):
        parse_settings(["heads=8", "heads=4"])


@pytest.mark.parametrize("word", ["points=2", "vit_heads=4"])
def test_settings_of_another_backbone(word: str) -> None:
    with pytest.raises(OptionError, match="no ViT-Adapter"):
        find(shapes("dvis_tiny_online"), parse_settings([word]))


def test_settings_of_another_stage() -> None:
    with pytest.raises(OptionError, match="no tracker"):
        find(shapes("dvis_r50_minvis"), parse_settings(["heads=4"]))


def test_heads_that_do_not_divide() -> None:
    with pytest.raises(ModelError, match="no multiple of 7 heads"):
        find(shapes("dvis_tiny_online"), parse_settings(["heads=7"]))


def test_other_classes_keep_their_order() -> None:
    of = shapes("dvis_tiny_online") | {"sem_seg_head.predictor.class_embed.weight": (41, 64)}
    found = find(of)
    assert found.config.labels == tuple(f"LABEL_{i}" for i in range(40)) and found.settings.class_order == "kept"
    with pytest.raises(OptionError, match="an order of 124 classes, and here are 40"):
        find(of, parse_settings(["class_order=dvis"]))


@pytest.mark.parametrize("gone", range(4))
def test_a_layer_that_is_missing_does_not_make_a_shallower_model(gone: int) -> None:
    of = {name: size for name, size in shapes("dvis_tiny_online").items() if f"_attention_layers.{gone}." not in name}
    config = find(of).config
    assert isinstance(config, DvisConfig) and config.decoder_layers == (4 if gone < 3 else 3)


def test_no_classes() -> None:
    with pytest.raises(ModelError, match=r"no classes: .*class_embed has one row"):
        find(shapes("dvis_tiny_online") | {"sem_seg_head.predictor.class_embed.weight": (1, 64)})


@pytest.mark.parametrize(
    "of", [{}, {"conv.weight": (3, 3)}, {"backbone.stem.conv1.weight": (64, 3, 7, 7)}, {"sem_seg_head": ()}]
)
def test_what_is_none_of_these(of: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ModelError, match=r"no model that is known: .* sem_seg_head\.predictor .*, but") as caught:
        find(of)
    assert "MinVIS, CTVIS or DVIS++" in caught.value.hint


LOOKED_AT = (
    *(f"sem_seg_head.predictor.{name}.weight" for name in ("class_embed", "query_feat")),
    *("backbone.vit_module.cls_token", "backbone.vit_module.pos_embed", "backbone.stem.conv1.weight"),
    "backbone.interactions.0.extractor.attn.attention_weights.weight",
    "backbone.interactions.0.extractor.ffn.fc1.weight",
    "sem_seg_head.pixel_decoder.transformer.encoder.layers.0.self_attn.attention_weights.weight",
    "backbone.layers.0.blocks.0.attn.relative_position_bias_table",
)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_any_names_and_shapes_give_a_model_or_a_sentence(data: st.DataObject) -> None:
    """Weights gone, and shapes of any kind in the places that are looked at."""
    whole = shapes(data.draw(st.sampled_from(["dvis_tiny_offline", "dvis_tinyvit_offline"])))
    places = st.sampled_from(sorted(whole))
    gone = data.draw(st.sets(places, max_size=30))
    shape = st.lists(st.integers(0, 5000), max_size=5).map(tuple)
    looked_at = st.one_of(places, st.sampled_from(LOOKED_AT))
    of = {name: size for name, size in whole.items() if name not in gone} | data.draw(
        st.dictionaries(looked_at, shape, max_size=10)
    )
    try:
        find(of)
    except VssError as error:
        assert error.message
