"""What a training starts from: every weight that there is, the rest at random, and nothing that does not fit."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import save_file

from tests.train.small import SIZES, config_of, random_model
from vsscli.data.classes import ClassTable, vspw_classes
from vsscli.errors import ModelError, OptionError, VssError
from vsscli.models.dvis.blocks import masks
from vsscli.models.dvis.config import to_json
from vsscli.models.dvis.model import Dvis
from vsscli.models.load import load_model
from vsscli.models.mpvss.config import MODEL_TYPE as MPVSS_TYPE
from vsscli.models.network import QueryScores
from vsscli.train.folder import TrainingFolder
from vsscli.train.session import _preprocess
from vsscli.train.start import make_model

TABLE = vspw_classes()


def write_mask2former(folder: Path, classes: tuple[str, ...], **more: object) -> Path:
    """A Mask2Former of ``transformers`` of the small sizes."""
    backbone = SIZES["backbone"]
    config = transformers.Mask2FormerConfig(
        backbone_config=transformers.ResNetConfig(
            embedding_size=backbone["stem"],
            hidden_sizes=backbone["widths"],
            depths=backbone["depths"],
            out_features=["stage1", "stage2", "stage3", "stage4"],
        ),
        id2label=dict(enumerate(classes)),
        num_queries=10,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        num_attention_heads=4,
        encoder_layers=1,
        encoder_feedforward_dim=32,
        decoder_layers=3,
        dim_feedforward=32,
        **more,
    )
    torch.manual_seed(1)
    transformers.Mask2FormerForUniversalSegmentation(config).save_pretrained(folder)
    return folder


def test_a_mask2former_is_taken_whole(tmp_path: Path) -> None:
    folder = write_mask2former(tmp_path / "m2f", TABLE.names)
    start = make_model(config_of(tmp_path, init=str(folder), model={}), TABLE)
    assert "identities at random" in start.told[0] and "class head" not in start.told[0]
    network = load_model(str(folder))
    pixels = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        mine, (theirs, _) = start.model.eval().segmenter(pixels)[0], network.forward(pixels)  # type: ignore[union-attr]
    assert isinstance(theirs, QueryScores)
    torch.testing.assert_close(mine.class_logits.softmax(-1)[:, :-1], theirs.class_prob, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(masks(mine.mask_embeds, mine.mask_features), theirs.mask_logits, rtol=1e-3, atol=1e-4)
    assert start.entries["queries"] == 10 and start.entries["decoder_layers"] == 2


def test_colours_are_normalised_as_the_model_takes_them(tmp_path: Path) -> None:
    folder = write_mask2former(tmp_path / "m2f", TABLE.names)
    half = {"do_resize": True, "size": {"shortest_edge": 64}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(half))
    found = _preprocess(config_of(tmp_path, init=str(folder), model={}), folder)
    assert (found.short, found.cap) == (32, 64)
    assert found.mean == found.std == pytest.approx((127.5, 127.5, 127.5))


def test_other_classes_get_a_new_class_head(tmp_path: Path) -> None:
    folder = write_mask2former(tmp_path / "m2f", ("cat", "dog"))
    start = make_model(config_of(tmp_path, init=str(folder), model={}), TABLE)
    assert "class head made anew" in start.told[0]
    assert start.model.segmenter.mask2former.class_predictor.out_features == len(TABLE) + 1


def test_other_classes_of_a_model_of_ours_get_a_new_class_head(tmp_path: Path) -> None:
    """As a converted checkpoint of COCO has them; the rest is taken whole."""
    coco = Dvis(replace(random_model("online").config, labels=tuple(f"LABEL_{i}" for i in range(133))))
    folder = tmp_path / "coco"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(to_json(coco.config)))
    TrainingFolder(folder).write_model(coco.state_dict(), last=False)
    start = make_model(config_of(tmp_path, init=str(folder), model={}), TABLE)
    assert "without its tracker, its class head made anew" in start.told[0]
    state, before = start.model.state_dict(), coco.state_dict()
    head = {key for key in state if ".class_predictor." in key}
    assert {len(state[key]) for key in head} == {len(TABLE) + 1}
    assert len(head) == 2 and all(torch.equal(value, before[key]) for key, value in state.items() if key not in head)
    with pytest.raises(ModelError, match="knows 133 classes, which are not the 124"):
        make_model(config_of(tmp_path, "tracker", init=str(folder)), TABLE)


@pytest.mark.parametrize(
    ("stage", "kind", "new"),
    [
        ("segmenter", "segmenter", ""),
        ("tracker", "segmenter", "tracker"),
        ("refiner", "online", "refiner"),
        ("refiner", "offline", ""),
    ],
)
def test_what_is_there_is_kept_and_the_head_is_new(
    stage: str, kind: str, new: str, models: Path, tmp_path: Path
) -> None:
    start = make_model(config_of(tmp_path, stage, init=str(models / kind), model={}), TABLE)
    state, before = start.model.state_dict(), random_model(kind).state_dict()
    assert all(torch.equal(state[key], value) for key, value in before.items())
    added = {key.partition(".")[0] for key in state.keys() - before.keys()}
    assert added == ({new} if new else set())
    assert (f"{new} at random from seed 0" if new else "all of its weights") in start.told[0]


def test_a_tracker_for_a_whole_model_leaves_its_refiner(models: Path, tmp_path: Path) -> None:
    start = make_model(config_of(tmp_path, "tracker", init=str(models / "offline"), model={}), TABLE)
    assert start.title == "a DVIS++ online" and isinstance(start.model, Dvis) and start.model.refiner is None


def test_a_segmenter_from_a_whole_model_leaves_what_follows_it(models: Path, tmp_path: Path) -> None:
    start = make_model(config_of(tmp_path, init=str(models / "offline"), model={}), TABLE)
    assert start.title == "a DVIS++ segmenter" and "without its refiner and tracker" in start.told[0]
    its = random_model("offline").state_dict()
    assert all(torch.equal(value, its[key]) for key, value in start.model.state_dict().items())


def test_the_seed_decides_what_is_at_random(tmp_path: Path) -> None:
    one, same, other = (make_model(config_of(tmp_path, seed=seed), TABLE).model.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["segmenter.identity.layers.0.weight"], other["segmenter.identity.layers.0.weight"])


def test_what_does_not_fit_is_told(models: Path, tmp_path: Path) -> None:
    folder = write_mask2former(tmp_path / "m2f", ("cat", "dog"))
    (tmp_path / "mpvss").mkdir()
    (tmp_path / "mpvss" / "config.json").write_text(json.dumps({"model_type": MPVSS_TYPE}))
    other = ClassTable("other", ("a", "b"), ((1, 1, 1), (2, 2, 2)), (True, False))
    cases: list[tuple[str, dict[str, object], ClassTable, type[VssError], str]] = [
        ("refiner", {"init": str(models / "segmenter")}, TABLE, ModelError, "is a segmenter, and a refiner is trained"),
        (
            "tracker",
            {"init": str(tmp_path / "mpvss")},
            TABLE,
            ModelError,
            "is an MPVSS model, and only the stage mpvss",
        ),
        ("tracker", {"init": str(folder)}, TABLE, ModelError, "model of transformers"),
        ("tracker", {"init": str(models / "segmenter")}, other, ModelError, "which are not the 2 of the table other"),
        ("segmenter", {"init": str(tmp_path / "none")}, TABLE, ModelError, "There is no model folder"),
        ("segmenter", {"model": {"widht": 3}}, TABLE, OptionError, "model.widht is no entry"),
        ("segmenter", {"model": {"tracker": {}}}, TABLE, OptionError, "model.tracker is no entry that a segmenter"),
        ("segmenter", {"model": {"width": 33}}, TABLE, OptionError, "width 33 is no multiple"),
        ("segmenter", {"model": {"backbone": {"widths": [1, 1, 1, 1]}}}, TABLE, OptionError, "must be 4 or more"),
        ("segmenter", {"model": {"backbone": {"type": "vgg"}}}, TABLE, OptionError, "backbone.type is not one of"),
        ("tracker", {"init": str(models / "segmenter"), "model": {"queries": 7}}, TABLE, OptionError, "model.queries"),
        (
            "tracker",
            {"init": str(models / "online"), "model": {"tracker": {"layers": 2}}},
            TABLE,
            OptionError,
            "another",
        ),
    ]
    for stage, changes, table, kind, sentence in cases:
        with pytest.raises(kind, match=sentence):
            make_model(config_of(tmp_path, stage, **changes), table)


@pytest.mark.parametrize("change", ["mask2former", "swinv2", "missing", "extra", "broken"])
def test_a_mask2former_that_cannot_be_taken_is_told(change: str, tmp_path: Path) -> None:
    folder = write_mask2former(tmp_path / "m2f", TABLE.names)
    config = json.loads((folder / "config.json").read_text())
    from safetensors.torch import load_file

    weights = load_file(folder / "model.safetensors")
    if change == "mask2former":
        config["model_type"] = "segformer"
    if change == "swinv2":
        config["backbone_config"]["model_type"] = "swinv2"
    if change == "missing":
        weights.pop(sorted(weights)[-1])
    if change == "extra":
        weights["more"] = torch.zeros(1)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights, folder / "model.safetensors")
    if change == "broken":
        (folder / "model.safetensors").write_bytes(b"broken")
    sentence = {
        "mask2former": "of the type 'segformer'",
        "swinv2": "backbone 'swinv2'",
        "missing": "lacks weights",
        "extra": "has weights that this network has not: .*more",
        "broken": "cannot be loaded",
    }[change]
    with pytest.raises(ModelError, match=sentence):
        make_model(config_of(tmp_path, init=str(folder), model={}), TABLE)
