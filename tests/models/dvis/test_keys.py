"""Official names to ours and back: every key of every list, differences listed, classes in their order."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.fixtures.formula import weights
from tests.fixtures.recorded import class_order, key_list, recorded
from tests.models.dvis.cases import OFFLINE, class_prob, config_of, load, offline_arrays, pixels, watch, watched
from vsscli.infer.semantic import label_map_from_queries
from vsscli.models.dvis.config import DvisConfig, HeadConfig, SwinBackbone
from vsscli.models.dvis.keys import Translation, not_needed, official_to_ours, permute_classes, translate, untranslate
from vsscli.models.dvis.model import Dvis, build

#: Every list, with the number of its keys that the network has no use for.
ARCHS = {
    "dvis_r50_minvis": 1,
    "dvis_r50_segmenter": 1,
    "dvis_r50_online": 1,
    "dvis_r50_offline": 1,
    "dvis_tiny_online": 1,
    "dvis_tiny_offline": 1,
    "dvis_tinyvit_online": 4,
    "dvis_tinyvit_offline": 4,
    "dvis_vitl_online": 4,
    "dvis_vitl_offline": 4,
}
COUNTS = {
    "dvis_r50_minvis": 558,
    "dvis_r50_segmenter": 564,
    "dvis_r50_online": 690,
    "dvis_r50_offline": 882,
    "dvis_vitl_online": 955,
    "dvis_vitl_offline": 1147,
}


def without_numbers(arch: str) -> dict[str, Tensor]:
    """A file's tensors as names and shapes only."""
    return {name: torch.empty(shape, device="meta") for name, shape in key_list(arch).items()}


def complete(translation: Translation) -> bool:
    return not (translation.missing or translation.unused or translation.misshapen)


@pytest.mark.parametrize("arch", ARCHS)
def test_every_key_both_ways(arch: str) -> None:
    official, config = without_numbers(arch), config_of(arch)
    assert len(official) == COUNTS.get(arch, len(official))
    table = official_to_ours(config)
    assert len(set(official) - set(table)) == ARCHS[arch] and not set(table) - set(official)
    ours = [key for keys in table.values() for key in keys]
    assert len(ours) == len(set(ours))
    translation = translate(official, config)
    assert complete(translation)
    wanted = {key: value.shape for key, value in build(config).state_dict().items()}
    assert {key: value.shape for key, value in translation.state_dict.items()} == wanted
    back = untranslate(translation.state_dict, config)
    assert {name: value.shape for name, value in back.items()} == {name: official[name].shape for name in table}


@pytest.mark.parametrize("arch", ["dvis_tiny_offline", "dvis_tinyvit_offline"])
@pytest.mark.parametrize("seed", ["public", "another"])
def test_every_number_both_ways(arch: str, seed: str) -> None:
    official, config = weights(key_list(arch), seed), config_of(arch)
    translation = translate(official, config)
    build(config).load_state_dict(translation.state_dict, assign=True)
    assert all(value.dtype in (torch.float32, torch.int64) for value in translation.state_dict.values())
    back = untranslate(translation.state_dict, config)
    assert all(value.equal(official[name]) for name, value in back.items())
    again = translate(back, config)
    assert complete(again)
    assert all(value.equal(again.state_dict[key]) for key, value in translation.state_dict.items())


def test_what_is_not_needed_is_told_but_for_counters() -> None:
    vit = [f"backbone.vit_module.{name}" for name in ("mask_token", "norm.bias", "norm.weight")]
    assert not_needed(key_list("dvis_tinyvit_online")) == [*vit, "criterion.empty_weight"]
    assert not_needed(key_list("dvis_tiny_online")) == ["criterion.empty_weight"]


def test_thirds_of_packed_tensors_share_no_memory() -> None:
    state = translate(weights(key_list("dvis_tiny_online")), config_of("dvis_tiny_online")).state_dict
    assert len({value.untyped_storage().data_ptr() for value in state.values()}) == len(state)
    assert all(value.is_contiguous() for value in state.values())


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_every_difference_is_listed(data: st.DataObject) -> None:
    official, config = without_numbers("dvis_tiny_offline"), config_of("dvis_tiny_offline")
    names = st.sampled_from(sorted(set(official) - {"criterion.empty_weight"}))
    gone = data.draw(st.sets(names, max_size=4))
    bent = data.draw(st.sets(names, max_size=4)) - gone
    strange = data.draw(st.sets(st.sampled_from(["pixel_mean", "backbone.fc.weight", "tracker.x", "x"])))
    for name in gone:
        del official[name]
    for name in bent:
        official[name] = torch.empty(*official[name].shape, 2, device="meta")
    official |= {name: torch.empty(1, device="meta") for name in strange}
    found = translate(official, config)
    assert (found.missing, found.unused) == (sorted(gone), sorted(strange))
    assert [said.split()[0] for said in found.misshapen] == sorted(bent)
    assert complete(found) == (not gone and not bent and not strange)
    for said in found.misshapen:
        assert (
            f"{list(official[said.split()[0]].shape)} instead of {list(official[said.split()[0]].shape)[:-1]}" in said
        )


def test_a_packed_tensor_of_another_size_is_misshapen() -> None:
    official = without_numbers("dvis_tiny_online")
    name = "sem_seg_head.predictor.transformer_self_attention_layers.0.self_attn.in_proj_weight"
    official[name] = official[name][:-1]
    found = translate(official, config_of("dvis_tiny_online"))
    assert found.misshapen == [f"{name} [191, 64] instead of [192, 64]"]


@pytest.mark.parametrize(
    ("arch", "config", "missing", "unused"),
    [
        ("dvis_tiny_online", "dvis_tiny_offline", "refiner.", ""),
        ("dvis_tiny_offline", "dvis_tiny_online", "", "refiner."),
        ("dvis_r50_minvis", "dvis_r50_segmenter", "sem_seg_head.predictor.reid_embed.", ""),
        ("dvis_r50_segmenter", "dvis_r50_minvis", "", "sem_seg_head.predictor.reid_embed."),
    ],
)
def test_another_kind_of_model_is_told(arch: str, config: str, missing: str, unused: str) -> None:
    found = translate(without_numbers(arch), config_of(config))
    assert bool(found.missing) == bool(missing) and all(name.startswith(missing) for name in found.missing)
    assert bool(found.unused) == bool(unused) and all(name.startswith(unused) for name in found.unused)
    assert not found.misshapen


def test_counters_may_be_missing_and_are_kept_where_they_are() -> None:
    official, config = weights(key_list("dvis_tinyvit_online")), config_of("dvis_tinyvit_online")
    counters = [name for name in official if name.endswith("num_batches_tracked")]
    official[counters[0]] = torch.tensor(7)
    del official[counters[1]]
    found = translate(official, config)
    assert complete(found)
    (first,), (second,) = (official_to_ours(config)[name] for name in counters[:2])
    assert found.state_dict[first] == 7 and found.state_dict[second] == 0


@pytest.mark.parametrize(
    "dim_heads", [(96, (3, 6, 12, 24), 7, (2, 2, 6, 2)), (192, (6, 12, 24, 48), 12, (2, 2, 18, 2))]
)
def test_swin_by_shapes_and_round_trip(dim_heads: Any) -> None:
    """Tiny and Large: the shapes that Mask2Former's Swin has, and no key of ours left out."""
    dim, heads, window, depths = dim_heads
    config = DvisConfig("online", SwinBackbone(dim, depths, heads, window), OFFLINE["r50"].labels, tracker=HeadConfig())
    wanted = build(config).state_dict()
    shapes = {name: value.shape for name, value in untranslate(wanted, config).items()}
    assert {key for keys in official_to_ours(config).values() for key in keys} == set(wanted)
    for stage in range(4):
        block = f"backbone.layers.{stage}.blocks.{depths[stage] - 1}."
        wide = dim * 2**stage
        assert shapes[f"{block}attn.qkv.weight"] == (3 * wide, wide)
        assert shapes[f"{block}attn.relative_position_bias_table"] == ((2 * window - 1) ** 2, heads[stage])
        assert shapes[f"{block}mlp.fc1.weight"] == (4 * wide, wide)
        assert shapes[f"backbone.norm{stage}.weight"] == (wide,)
        if stage < 3:
            assert shapes[f"backbone.layers.{stage}.downsample.reduction.weight"] == (2 * wide, 4 * wide)
    rest = [name for name in shapes if name.startswith("backbone.") and ".layers." not in name]
    assert sorted(rest) == sorted(
        [f"backbone.patch_embed.{part}.{kind}" for part in ("norm", "proj") for kind in ("bias", "weight")]
        + [f"backbone.norm{stage}.{kind}" for stage in range(4) for kind in ("bias", "weight")]
    )


def test_swin_numbers_both_ways() -> None:
    config = DvisConfig("segmenter", SwinBackbone(8, (1, 2, 1, 1), (1, 2, 2, 2), 4), ("a",), 5, 32, 8, 1, 32, 2, 32)
    random = torch.Generator().manual_seed(0)
    state = {key: torch.randn(value.shape, generator=random) for key, value in build(config).state_dict().items()}
    official = untranslate(state, config)
    official["backbone.layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(16, 16, dtype=torch.int64)
    back = translate(official, config)
    assert complete(back) and state.keys() == back.state_dict.keys()
    assert all(value.equal(back.state_dict[key]) for key, value in state.items())
    packed = official["backbone.layers.1.blocks.1.attn.qkv.weight"]
    inside = "segmenter.mask2former.model.pixel_level_module.encoder.swin.encoder.layers.1.blocks.1.attention."
    assert packed.equal(torch.cat([state[f"{inside}{part}_proj.weight"] for part in "qkv"]))


@settings(deadline=None, max_examples=10)
@given(st.permutations(range(124)))
def test_permuting_there_and_back_changes_nothing(order: list[int]) -> None:
    config = config_of("dvis_tiny_offline")
    state = _classes_only()
    moved = permute_classes(state, config, order)
    back = permute_classes(moved, config, [order.index(i) for i in range(124)])
    assert len(state) == 6
    for key, value in state.items():
        assert all(moved[key][order[channel]].equal(value[channel]) for channel in range(124))
        assert moved[key][124].equal(value[124]) and back[key].equal(value)


def _classes_only() -> dict[str, Tensor]:
    wanted = build(config_of("dvis_tiny_offline")).state_dict()
    heads = {key: value for key, value in wanted.items() if value.ndim and value.shape[0] == 125}
    return {key: torch.arange(value.numel()).reshape(value.shape).float() for key, value in heads.items()}


@pytest.mark.parametrize("order", [range(123), [0, *range(123)], range(1, 125)])
def test_an_order_of_other_classes_is_refused(order: Any) -> None:
    with pytest.raises(ValueError, match="no permutation of 124"):
        permute_classes({}, config_of("dvis_tiny_offline"), order)


def _label_maps(network: Dvis) -> Tensor:
    seen = watch(network, pixels("clipA"))
    prob, logits = offline_arrays(seen)["class_prob"], offline_arrays(seen)["refiner_masks"]
    size = (96, 160)
    return torch.stack([label_map_from_queries(prob, each, padded=size, network=size, out=size) for each in logits])


def test_permuted_channels_are_the_dataset_s_ids() -> None:
    network, expected = load("tiny"), torch.from_numpy(recorded("tiny_offline_clipA")["semantic_vspw"])
    with torch.no_grad():
        assert (_label_maps(network) == expected).float().mean() < 0.01  # left out: caught
        network.load_state_dict(permute_classes(network.state_dict(), network.config, class_order()), assign=True)
        assert (_label_maps(network) == expected).float().mean() > 0.999
        permuted = watch(network, pixels("clipA"))
    before = watched("tiny", "clipA")
    moved = permuted.followed("class_logits")[..., [*class_order(), 124]]
    torch.testing.assert_close(moved, before.followed("class_logits"), atol=1e-4, rtol=1e-4)
    moved = permuted.segmented("class_logits")[..., [*class_order(), 124]]
    torch.testing.assert_close(moved, before.segmented("class_logits"), atol=1e-4, rtol=1e-4)


def test_no_maximum_with_the_tracker_s_classes_would_show() -> None:
    seen = watched("tiny", "clipA")
    assert recorded("tiny_offline_clipA").error("class_prob", class_prob(seen.refined.class_logits)) > 0.01
