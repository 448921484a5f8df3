"""VidEoMT, PMT and LVMT: what a checkpoint is from names and shapes, its weights there and back, all that is wrong."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from tests.fixtures.formula import weights
from tests.fixtures.recorded import class_order, vmt_key_list
from tests.models.convert.official import find, run
from tests.models.vmt.cases import SMALL, config_of
from tests.models.vmt.test_config import configs
from vsscli.errors import ModelError, OptionError, VssError
from vsscli.models.convert.conversion import Misfit, unneeded
from vsscli.models.convert.identify import Settings, parse_settings
from vsscli.models.convert.reading import read_checkpoint
from vsscli.models.convert.write import ModelFolder
from vsscli.models.vmt.config import VmtConfig
from vsscli.models.vmt.keys import official_to_ours, translate, untranslate
from vsscli.models.vmt.model import build

LARGE = ("videomt_vitl", *(f"{kind}_{encoder}_vitl" for kind in ("pmt", "lvmt") for encoder in ("dinov2", "dinov3")))
NUMBERS = {
    "videomt_vitl": (366, 322_651_390),
    "pmt_dinov3_vitl": (583, 358_112_522),
    "pmt_dinov2_vitl": (512, 359_775_498),
    "lvmt_dinov3_vitl": (585, 363_360_522),
    "lvmt_dinov2_vitl": (514, 365_023_498),
}
FOUR_HEADS = parse_settings(["vit_heads=4"])
VIT = "backbone.encoder.backbone."


def shapes(arch: str) -> dict[str, tuple[int, ...]]:
    return {name: tuple(shape) for name, shape in vmt_key_list(arch).items()}


def nothing(arch: str) -> dict[str, Tensor]:
    """A file's tensors as names and shapes only."""
    return {name: torch.empty(shape, device="meta") for name, shape in vmt_key_list(arch).items()}


@pytest.mark.parametrize("arch", [*LARGE, *SMALL])
def test_the_published_models_and_their_small_sisters(arch: str) -> None:
    found = find(shapes(arch), FOUR_HEADS if "tiny" in arch else None)
    assert found.config == config_of(arch)
    assert found.settings.class_order == "dvis"


@pytest.mark.parametrize("arch", LARGE)
def test_every_key_both_ways(arch: str) -> None:
    official, config = nothing(arch), config_of(arch)
    sizes = [tensor.numel() for tensor in official.values()]
    assert (len(sizes), sum(sizes)) == NUMBERS[arch]
    found = translate(official, config)
    assert not (found.missing or found.unused or found.misshapen)
    wanted = {key: value.shape for key, value in build(config).state_dict().items()}
    assert {key: value.shape for key, value in found.state_dict.items()} == wanted
    table = official_to_ours(config)
    back = untranslate(found.state_dict, config)
    assert {name: value.shape for name, value in back.items()} == {name: official[name].shape for name in table}
    assert set(official) - set(table) == set(unneeded(official, config))


@given(configs())
@settings(max_examples=40, deadline=None)
def test_identification_inverts_the_making_of_shapes(config: VmtConfig) -> None:
    state = build(config).state_dict()
    of = {name: tuple(state[key].shape) for name, (key,) in official_to_ours(config).items()}
    of[f"backbone.{'decoder.' if config.levels else ''}attn_mask_probs"] = (config.blocks,)
    found = find(of, parse_settings([f"vit_heads={config.encoder.heads}"])).config
    assert isinstance(found, VmtConfig)
    if config.encoder.registers:  # none make no tensor of a shape that could tell
        assert (found.kind, found.encoder, found.queries) == (config.kind, config.encoder, config.queries)
        assert (found.blocks, found.levels, len(found.labels)) == (config.blocks, config.levels, len(config.labels))


@pytest.mark.parametrize("arch", ["videomt_tiny", "lvmt_dinov3_tiny"])
def test_each_class_is_where_its_id_is(arch: str, tmp_path: Path) -> None:
    official = weights(vmt_key_list(arch))
    torch.save({"model": official}, tmp_path / "a.pth")
    folder = run(tmp_path / "a.pth", official, FOUR_HEADS)
    assert isinstance(folder, ModelFolder) and folder.config["converted"]["class_order"] == "dvis"
    head = official["backbone.class_head.weight" if "videomt" in arch else "backbone.decoder.class_head.weight"]
    for channel, number in enumerate(class_order()):
        assert torch.equal(folder.tensors["classes.weight"][number], head[channel])
    assert torch.equal(folder.tensors["classes.weight"][124], head[124])
    kept = run(tmp_path / "a.pth", official, parse_settings(["vit_heads=4", "class_order=kept"]))
    assert isinstance(kept, ModelFolder) and torch.equal(kept.tensors["classes.weight"], head)


def test_what_is_told() -> None:
    found = find(shapes("lvmt_dinov3_vitl"))
    told = "\n".join(found.inferred)
    for part in (
        "LVMT",
        "decoder of 6 blocks",
        "a GRU",
        "DINOv3 ViT: 24 blocks of 1024 channels",
        "rotary",
        "4 levels",
    ):
        assert part in told
    assumed = "\n".join(found.assumed)
    assert "16 attention heads in the ViT, one for 64 channels (vit_heads=16)" in assumed
    for part in ("short=720", "cap=1333", "class_order=dvis"):
        assert part in assumed
    assert not found.chosen
    of = {name: shape for name, shape in shapes("videomt_vitl").items() if "attn_mask_probs" not in name}
    assert "queries pass the last 4 blocks" in "\n".join(find(of).assumed)


@pytest.mark.parametrize("name", ["heads", "points"])
def test_settings_of_other_models(name: str) -> None:
    with pytest.raises(OptionError, match=f"--set {name}: this checkpoint has nothing"):
        find(shapes("videomt_vitl"), parse_settings([f"{name}=8"]))


def test_heads_that_cannot_be_told() -> None:
    with pytest.raises(ModelError, match="no multiple of 64: how many heads") as caught:
        find(shapes("pmt_dinov2_tiny"))
    assert "--set vit_heads=N" in caught.value.hint


def test_videomt_on_dinov3_is_refused() -> None:
    of = shapes("lvmt_dinov3_vitl")
    trunk = {name: shape for name, shape in of.items() if name.startswith(VIT)}
    heads = {name: shape for name, shape in shapes("videomt_vitl").items() if not name.startswith(VIT)}
    with pytest.raises(ModelError, match="VidEoMT with a DINOv3 encoder"):
        find(trunk | heads)


def misfit(tensors: dict[str, Tensor]) -> Misfit:
    result = run(Path("nowhere.pth"), tensors, FOUR_HEADS)
    assert isinstance(result, Misfit)
    return result


def test_an_encoder_that_was_left_out_is_missing() -> None:
    """It is frozen in the training, and the official program fetches it elsewhere."""
    official = weights(vmt_key_list("lvmt_dinov3_tiny"))
    with pytest.raises(ModelError, match=r"this LVMT has no encoder: none of its names begins with backbone\.encoder"):
        misfit({name: tensor for name, tensor in official.items() if not name.startswith(VIT)})
    found = misfit({name: tensor for name, tensor in official.items() if not name.startswith(f"{VIT}blocks.3.")})
    assert len(found.missing) == 17 and "an LVMT with a DINOv3 encoder" in found.closest


def test_a_gru_is_not_a_linear_layer() -> None:
    official = weights(vmt_key_list("lvmt_dinov2_tiny"))
    gone = "backbone.decoder.query_gru.bias_hh"
    found = misfit({name: tensor for name, tensor in official.items() if name != gone})
    assert found.missing == (gone,) and not found.unused
    found = misfit({name: tensor for name, tensor in official.items() if "query_gru" not in name})
    updater = "backbone.decoder.query_updater."
    assert found.closest == "a PMT with a DINOv2 encoder" and found.missing == (f"{updater}bias", f"{updater}weight")


@pytest.mark.parametrize("where", ["blocks.7.", "blocks.0.attn."])
def test_a_compiled_model_and_one_of_several_processes(where: str, tmp_path: Path) -> None:
    official = weights(vmt_key_list("pmt_dinov2_tiny"))
    named = {f"module.{name.replace(where, f'{where}_orig_mod.')}": tensor for name, tensor in official.items()}
    torch.save({"model": named}, tmp_path / "a.pth")
    checkpoint = read_checkpoint(tmp_path / "a.pth")
    assert checkpoint.tensors.keys() == official.keys()
    assert any("_orig_mod." in note for note in checkpoint.notes) and any(
        "module." in note for note in checkpoint.notes
    )


def test_two_names_that_would_be_one_stay_two(tmp_path: Path) -> None:
    save_file({"a._orig_mod.b": torch.ones(1), "a.b": torch.zeros(1)}, tmp_path / "a.safetensors")
    assert set(read_checkpoint(tmp_path / "a.safetensors").tensors) == {"a._orig_mod.b", "a.b"}


LOOKED_AT = (
    *(f"backbone.{place}{name}" for place in ("", "decoder.") for name in ("q.weight", "class_head.weight")),
    *(f"{VIT}{name}" for name in ("norm.weight", "pos_embed", "reg_token", "patch_embed.register_tokens")),
    "backbone.attn_mask_probs",
)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_names_and_shapes_give_a_model_or_a_sentence(data: st.DataObject) -> None:
    """Weights gone, and shapes of any kind in the places that are looked at."""
    whole = shapes(data.draw(st.sampled_from(SMALL)))
    gone = data.draw(st.sets(st.sampled_from(sorted(whole)), max_size=30))
    shape = st.lists(st.integers(0, 5000), max_size=5).map(tuple)
    of = {name: size for name, size in whole.items() if name not in gone} | data.draw(
        st.dictionaries(st.one_of(st.sampled_from(LOOKED_AT), st.sampled_from(sorted(whole))), shape, max_size=10)
    )
    try:
        found = find(of, data.draw(st.sampled_from([Settings(), FOUR_HEADS])))
    except VssError as error:
        assert error.message
    else:
        assert isinstance(found.config, VmtConfig)
