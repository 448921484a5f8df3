"""The door: what it lets in, and what it says to the rest."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.models.dvis.folders import write_random
from tests.models.tiny import NAMES, change_weights, frame_network, picture, weight_names, write
from vsscli.errors import DeviceError, ModelError, OptionError, VssError
from vsscli.models.card import describe_model
from vsscli.models.families import FAMILIES
from vsscli.models.load import load_model
from vsscli.models.network import QueryScores
from vsscli.models.preprocess import prepare
from vsscli.models.source import model_digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "model", "mask2former")


def configure(folder: Path, **entries: Any) -> None:
    """Sets entries of config.json; None takes one out."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **entries}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def refused(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(str(folder))
    assert str(folder) in caught.value.message
    assert len(caught.value.message.splitlines()) == 1
    return str(caught.value)


def test_a_card_tells_what_a_folder_holds(folder: Path) -> None:
    card = describe_model(str(folder))
    assert (card.source, card.folder, card.model_type) == (str(folder), folder, "mask2former")
    assert card.classes == NAMES
    assert card.family is FAMILIES["mask2former"]
    assert card.preprocess == card.family.preprocess
    assert card.digest == model_digest(str(folder))
    assert load_model(str(folder)).preprocess == card.preprocess


def test_a_card_reads_the_preprocessor_and_the_image_size(tmp_path: Path) -> None:
    write(tmp_path, "beit")
    assert describe_model(str(tmp_path)).preprocess.short == 64
    configure(tmp_path, image_size=[32, 32])
    assert describe_model(str(tmp_path)).preprocess.short == 32
    (tmp_path / "preprocessor_config.json").write_text('{"size": {"height": 48, "width": 48}}')
    assert describe_model(str(tmp_path)).preprocess.short == 48
    configure(tmp_path, image_size=[32, 64])
    assert "no square" in refused(tmp_path)


def test_every_weight_arrives(folder: Path) -> None:
    network: Any = load_model(str(folder))
    loaded = network._model.state_dict()
    saved = load_file(folder / "model.safetensors")
    assert set(saved) <= set(loaded)
    assert all(torch.equal(saved[key], loaded[key]) for key in saved)
    assert not any(parameter.requires_grad for parameter in network._model.parameters())
    assert not network._model.training


def test_half_weights_are_loaded_in_float32(folder: Path) -> None:
    change_weights(folder, put={k: v.half() for k, v in load_file(folder / "model.safetensors").items()})
    configure(folder, dtype="float16")
    network: Any = load_model(str(folder))
    assert {p.dtype for p in network._model.parameters()} == {torch.float32}


def test_missing_unused_and_misshapen_weights_are_all_listed(folder: Path) -> None:
    names = weight_names(folder)
    dropped = [name for name in names if "class_predictor" in name]
    shape = next(name for name in names if "mask_projection.weight" in name)
    change_weights(folder, dropped, {"reid.weight": torch.zeros(2), "reid.bias": torch.zeros(1), shape: torch.zeros(4)})
    said = refused(folder)
    assert "2 missing (class_predictor.bias, class_predictor.weight)" in said
    assert "2 unused (reid.bias, reid.weight)" in said
    assert f"1 of another shape ({shape} [4] instead of [32, 32, 1, 1])" in said


@pytest.mark.parametrize("index", range(0, 190, 19))
def test_no_single_weight_may_be_missing(folder: Path, index: int) -> None:
    learned = [name for name in weight_names(folder) if not name.endswith(("num_batches_tracked", "empty_weight"))]
    change_weights(folder, [learned[index % len(learned)]])
    assert f"1 missing ({learned[index % len(learned)]})" in refused(folder)


def test_a_long_list_is_cut(folder: Path) -> None:
    names = [name for name in weight_names(folder) if "encoder" in name and "num_batches" not in name]
    change_weights(folder, names)
    assert f"{len(names)} missing" in refused(folder)
    assert f"and {len(names) - 20} more" in refused(folder)


def test_what_was_not_learned_may_be_missing_or_too_much(folder: Path) -> None:
    before = frame_network(str(folder))
    counters = [name for name in weight_names(folder) if name.endswith(("num_batches_tracked", "empty_weight"))]
    assert len(counters) > 10
    index = {"model.pixel_level_module.encoder.position_ids": torch.arange(3)}
    change_weights(folder, counters, index)
    pixels = prepare(picture(64, 64), (64, 64), before.preprocess)[None]
    (one,), (other,) = before.forward(pixels), frame_network(str(folder)).forward(pixels)
    assert isinstance(one, QueryScores)
    assert isinstance(other, QueryScores)
    assert torch.equal(one.mask_logits, other.mask_logits)


def test_oneformer_s_text_is_for_training_only(tmp_path: Path) -> None:
    write(tmp_path, "oneformer", is_training=True)
    texts = [name for name in weight_names(tmp_path) if name.startswith("model.text_mapper.")]
    assert texts
    network = frame_network(str(tmp_path))
    assert network.forward(prepare(picture(64, 64), (64, 64), network.preprocess)[None])
    change_weights(tmp_path, texts)
    load_model(str(tmp_path))


def test_other_classes_than_the_weights_have(folder: Path) -> None:
    configure(folder, id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    assert "class_predictor.weight [6, 32] instead of [3, 32]" in refused(folder)


def test_names_of_classes(folder: Path) -> None:
    configure(folder, id2label={str(i): f"name {i}" for i in (10, 2, *range(2), *range(3, 10))})
    assert describe_model(str(folder)).classes == tuple(f"name {i}" for i in range(11))
    configure(folder, id2label=None, num_labels=3)
    assert describe_model(str(folder)).classes == ("LABEL_0", "LABEL_1", "LABEL_2")
    configure(folder, num_labels=None)
    assert describe_model(str(folder)).classes == ("LABEL_0", "LABEL_1")
    for wrong in ({"0": "a", "2": "b"}, {}, ["a"], {"x": "a"}):
        configure(folder, id2label=wrong)
        assert "id2label does not name the classes" in refused(folder)
    configure(folder, id2label={"0": "a", "1": "b", "2": "a"})
    assert describe_model(str(folder)).classes == ("a", "b", "a")


def test_our_own_folders_name_every_class_once(tmp_path: Path) -> None:
    folder = write_random(tmp_path / "model", "segmenter")
    entries = json.loads((folder / "config.json").read_text())
    entries["id2label"]["3"] = entries["id2label"]["0"]
    (folder / "config.json").write_text(json.dumps(entries))
    assert "id2label has the name 'wall' more than once" in refused(folder)


def test_a_type_that_is_not_supported(folder: Path) -> None:
    configure(folder, model_type="bert")
    said = refused(folder)
    assert "type 'bert'" in said
    assert all(name in said for name in FAMILIES)
    configure(folder, model_type=None)
    assert "type None" in refused(folder)


def test_a_folder_without_weights_or_configuration(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "no weights: looked for model.safetensors" in refused(folder)
    (folder / "config.json").unlink()
    assert "no model folder: looked for config.json" in refused(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"'])
def test_a_configuration_that_is_none(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    assert "config.json" in refused(folder)


@pytest.mark.parametrize(
    "entries",
    [
        {"hidden_dim": "wide"},
        {"backbone_config": 3},
        {"num_attention_heads": 5},
        {"backbone_config": None, "backbone": "resnet50", "use_timm_backbone": True},
        {"backbone_config": {"model_type": "no such backbone"}},
    ],
)
def test_a_configuration_that_cannot_be_built(folder: Path, entries: dict[str, Any]) -> None:
    configure(folder, **entries)
    refused(folder)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"not safetensors at all"])
def test_broken_weights(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    assert "cannot be loaded" in refused(folder)


def test_cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    assert "cannot be loaded" in refused(folder)


def test_devices_and_dtypes_that_are_not_there(folder: Path) -> None:
    with pytest.raises(DeviceError, match="cuda:77 is not there"):
        load_model(str(folder), device="cuda:77")
    with pytest.raises(OptionError, match="no device 'toaster'"):
        load_model(str(folder), device="toaster")
    with pytest.raises(OptionError, match="no dtype 'float8'") as caught:
        load_model(str(folder), dtype="float8")
    assert "bfloat16" in caught.value.hint


@pytest.mark.parametrize("broken", [False, True])
def test_nothing_is_said_on_stderr(folder: Path, broken: bool) -> None:
    if broken:
        change_weights(folder, ["class_predictor.bias"])
    script = (
        "import sys; from vsscli.models.load import load_model\n"
        "from vsscli.errors import ModelError\n"
        "try: load_model(sys.argv[1])\n"
        "except ModelError: print('refused')\n"
        "from transformers.utils import logging; print(logging.get_verbosity(), logging.is_progress_bar_enabled())"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout == ("refused\n" if broken else "") + "30 True\n"  # as transformers has it by itself


def test_errors_can_be_pickled(tmp_path: Path) -> None:
    with pytest.raises(VssError) as caught:
        load_model(str(tmp_path))
    kind, arguments = caught.value.__reduce__()[:2]
    assert kind(*arguments).args == caught.value.args
