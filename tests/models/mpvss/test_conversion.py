"""MPVSS checkpoints become model folders: identified by names and shapes, strictly, by a table."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings

from tests.fixtures.formula import weights
from tests.models.convert.official import find, run, shapes_by, write
from tests.models.dvis.cases import pixels
from tests.models.mpvss.cases import R50, mpvss_keys, random_model, small_config
from tests.models.mpvss.configs import configs
from vsscli.errors import ModelError, OptionError
from vsscli.models.convert.conversion import Misfit
from vsscli.models.convert.identify import parse_settings
from vsscli.models.convert.reading import read_checkpoint
from vsscli.models.convert.write import ModelFolder, write_folder
from vsscli.models.dvis.config import DvisConfig
from vsscli.models.load import load_model
from vsscli.models.mpvss.config import MpvssConfig, to_json
from vsscli.models.mpvss.keys import official_to_ours
from vsscli.models.mpvss.model import build
from vsscli.models.mpvss.network import MpvssNetwork

SMALL = small_config()


def shapes_of(config: MpvssConfig) -> dict[str, tuple[int, ...]]:
    """Official names and shapes of any model, by the key table."""
    return shapes_by(official_to_ours(config), build(config).state_dict())


def official(config: MpvssConfig, seed: int = 2) -> dict[str, torch.Tensor]:
    """Random weights under their official names."""
    state = random_model(config, seed).state_dict()
    return {
        name: state[ours[0]] if len(ours) == 1 else torch.cat([state[key] for key in ours])
        for name, ours in official_to_ours(config).items()
    }


def test_the_published_r50() -> None:
    found = find({name: tuple(shape) for name, shape in mpvss_keys().items()})
    assert found.motion is not None and isinstance(found.config, DvisConfig)
    assert MpvssConfig(found.config, found.motion) == R50
    assert (found.settings.short, found.settings.cap, found.settings.class_order) == (480, 853, "kept")
    assert found.inferred[0] == "stage: MPVSS: segmenter and motion network"
    assert "9 layers" in found.inferred[-1]
    assert "8 attention heads in each layer of the motion network (heads=8)" in found.assumed
    assert "short side 480 of the frames (test size) (short=480)" in found.assumed


def test_the_table_holds_every_official_name() -> None:
    """776 of them: 165 of the motion network; what has no place in it are counters and the weights of the loss."""
    table, names = official_to_ours(R50), set(mpvss_keys())
    assert len(names) == 776 and sum(name.startswith("motion.") for name in names) == 165
    assert set(table) < names
    assert all(n.endswith(("num_batches_tracked", "criterion.empty_weight")) for n in names - set(table))
    ours = [key for keys in table.values() for key in keys]
    state = build(R50).state_dict()
    assert len(ours) == len(set(ours)) and {k for k in state if "num_batches" not in k} == set(ours)
    motion = sum(p.numel() for p in build(R50).motion.parameters())
    assert motion == 40_085_146


@given(configs())
@settings(max_examples=10, deadline=None)
def test_identification_inverts_the_making_of_shapes(config: MpvssConfig) -> None:
    """Of every backbone: ResNet and Swin of any size by names and shapes."""
    given_ = parse_settings(["heads=4"]) if config.motion.heads == 4 else None
    found = find(shapes_of(config), given_)
    assert found.motion is not None and isinstance(found.config, DvisConfig)
    labels = len(found.config.labels)
    assert labels == len(config.labels) and MpvssConfig(found.config, found.motion) == config


def test_a_folder_holds_the_model(tmp_path: Path) -> None:
    """Through the file: the same numbers in the same places, hence the same masks."""
    path = write(tmp_path / "official.pth", official(SMALL) | {"criterion.empty_weight": torch.ones(125)})
    tensors = read_checkpoint(path).tensors
    result = run(path, tensors, parse_settings(["heads=4"]))
    assert isinstance(result, ModelFolder)
    assert {**result.config, "converted": {}} == to_json(SMALL)
    assert result.config["converted"]["class_order"] == "kept"
    assert result.preprocess["size"] == {"shortest_edge": 480, "longest_edge": 853}
    (tmp_path / "m").mkdir()
    write_folder(tmp_path / "m", result)
    network = load_model(str(tmp_path / "m"))
    assert isinstance(network, MpvssNetwork) and network.classes == SMALL.labels
    clip = pixels("clipA")
    with torch.no_grad():
        (expected,) = random_model(SMALL).segmenter(clip[:1])
    (key,) = network.segment(clip[:1], (96, 160))
    torch.testing.assert_close(key.frame.class_logits, expected.class_logits)
    (same,) = network.forward(clip[:1])
    assert torch.equal(same.mask_logits, key.scores.mask_logits)  # type: ignore[union-attr]
    assert network.parameters == sum(p.numel() for p in random_model(SMALL).parameters())


def test_counters_are_taken_where_they_stand(tmp_path: Path) -> None:
    tensors = official(SMALL)
    counters = {name.replace("running_var", "num_batches_tracked"): torch.tensor(3) for name in tensors}
    tensors |= {name: value for name, value in counters.items() if name.endswith("tracked")}
    path = write(tmp_path / "official.pth", tensors)
    assert isinstance(run(path, tensors, parse_settings(["heads=4"])), ModelFolder)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"motion.decoder.decoder_norm.bias": None}, "missing"),
        ({"motion.decoder.fuse_layer.conv.weight": torch.zeros(2, 2, 3, 3)}, "misshapen"),
        ({"motion.decoder.fuse.weight": torch.zeros(1)}, "unused"),
        ({"motion.encoder.conv1.0.conv.bias": torch.full((8,), torch.nan)}, "unsound"),
        ({"sem_seg_head.predictor.reid_embed.layers.0.bias": torch.zeros(32)}, "unused"),
        ({"tracker.decoder_norm.bias": torch.zeros(64)}, "unused"),
    ],
)
def test_what_does_not_fit_is_listed(change: dict[str, torch.Tensor | None], where: str, tmp_path: Path) -> None:
    (name,) = change
    tensors = {key: value for key, value in (official(SMALL) | change).items() if value is not None}
    path = write(tmp_path / "official.pth", {})
    result = run(path, tensors, parse_settings(["heads=4"]))
    assert isinstance(result, Misfit)
    if name.startswith("tracker."):  # then it is no MPVSS, and the motion network is what does not belong
        assert "online DVIS++" in result.closest and any(n.startswith("motion.") for n in result.unused)
    else:
        assert result.closest == "an MPVSS model with a ResNet"
        assert any(line.startswith(name) for line in getattr(result, where))
        lists = ("missing", "unused", "misshapen", "unsound")
        assert sum(len(getattr(result, part)) for part in lists) == 1


def test_settings_that_do_not_go_together() -> None:
    shapes = {name: tuple(shape) for name, shape in mpvss_keys().items()}
    with pytest.raises(OptionError, match=r"at most 853 \(cap\), is below the short side, 1000"):
        find(shapes, parse_settings(["short=1000"]))
    with pytest.raises(ModelError, match="no multiple of the 7 heads"):
        find(shapes, parse_settings(["heads=7"]))
    assert find(shapes, parse_settings(["short=720", "cap=1333"])).settings.short == 720
    assert find(shapes, parse_settings(["class_order=dvis"])).settings.class_order == "dvis"


def test_a_folder_whose_weights_do_not_fit_is_refused(tmp_path: Path) -> None:
    from tests.models.mpvss.cases import write_random
    from tests.models.tiny import change_weights

    folder = write_random(tmp_path / "m")
    change_weights(folder, drop=["motion.fuse.bias"], put={"motion.more": torch.zeros(1)})
    with pytest.raises(ModelError, match=r"MPVSS model.*1 missing \(motion.fuse.bias\); 1 unused \(motion.more\)"):
        load_model(str(folder))


def test_every_weight_of_the_formula_finds_its_place() -> None:
    """By value: thirds of packed projections in their order."""
    from vsscli.models.mpvss.keys import translate

    shapes = shapes_of(SMALL)
    given_ = weights(shapes)
    found = translate(given_, SMALL)
    assert not (found.missing or found.unused or found.misshapen)
    for name, ours in official_to_ours(SMALL).items():
        whole = torch.cat([found.state_dict[key] for key in ours]) if len(ours) > 1 else found.state_dict[ours[0]]
        assert torch.equal(whole, given_[name]), name
