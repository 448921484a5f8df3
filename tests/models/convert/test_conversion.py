"""From official weights to a model folder, or to all that is wrong with them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from tests.fixtures.formula import weights
from tests.fixtures.recorded import class_order as recorded_order
from tests.fixtures.recorded import key_list
from tests.models.convert.official import find, run, shapes_of, write
from vsscli.data.classes import vspw_classes
from vsscli.models.convert.class_order import class_order
from vsscli.models.convert.conversion import Misfit, convert
from vsscli.models.convert.identify import Settings
from vsscli.models.convert.reading import read_checkpoint
from vsscli.models.convert.write import ModelFolder, write_folder
from vsscli.models.dvis.config import DvisConfig, HeadConfig, ResNetBackbone, from_json
from vsscli.models.dvis.keys import untranslate
from vsscli.models.dvis.model import build
from vsscli.models.preprocess import Preprocess, read_preprocess

SMALL = DvisConfig(
    "offline",
    ResNetBackbone(4, (8, 8, 8, 8), (1, 1, 1, 1)),
    vspw_classes().names,
    queries=3,
    width=32,
    encoder_layers=1,
    encoder_ffn=8,
    decoder_layers=1,
    decoder_ffn=8,
    tracker=HeadConfig(1, 8, 8),
    refiner=HeadConfig(1, 8, 8),
)
OFFICIAL = weights(shapes_of(SMALL))
CLASS_HEADS = {
    "sem_seg_head.predictor.class_embed": "segmenter.mask2former.class_predictor",
    "tracker.class_embed": "tracker.classes",
    "refiner.class_embed": "refiner.classes",
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("official") / "small.pth", OFFICIAL)


def converted(file: Path, tensors: dict[str, torch.Tensor], settings: Settings | None = None) -> ModelFolder:
    result = run(file, tensors, settings)
    assert isinstance(result, ModelFolder), list(result.lines())
    return result


def misfit(file: Path, tensors: dict[str, torch.Tensor]) -> Misfit:
    result = run(file, tensors)
    assert isinstance(result, Misfit)
    return result


def test_the_order_of_the_classes() -> None:
    assert class_order() == recorded_order()
    assert sorted(class_order()) == list(range(len(vspw_classes())))


@pytest.mark.parametrize(
    "arch", ["dvis_tiny_offline", "dvis_tinyvit_online", "dvis_tiny_segmenter", "dvis_tiny_minvis"]
)
def test_a_folder_holds_the_model(arch: str, tmp_path: Path) -> None:
    official = weights(key_list(arch))
    path = write(tmp_path / "official.pth", official)
    checkpoint = read_checkpoint(path)
    found = find({name: tuple(tensor.shape) for name, tensor in checkpoint.tensors.items()})
    folder = convert(checkpoint, found)
    assert isinstance(folder, ModelFolder)
    write_folder(tmp_path, folder)
    config = from_json(json.loads((tmp_path / "config.json").read_text()), "config.json")
    assert {key: config.converted[key] for key in ("from", "sha256", "class_order")} == {
        "from": "official.pth",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "class_order": "dvis",
    }
    assert read_preprocess(tmp_path, Preprocess(None, None, (0, 0, 0), (1, 1, 1), 32)) == Preprocess(
        720, 1333, divisor=32
    )
    state = load_file(tmp_path / "model.safetensors")
    build(config).load_state_dict(state, strict=True, assign=True)
    back = untranslate(state, config)
    assert back.keys() <= official.keys()
    for name, tensor in back.items():
        wanted = official[name]
        if name.startswith(tuple(CLASS_HEADS)):
            wanted = torch.from_numpy(wanted.numpy()[[*np.argsort(recorded_order()), 124]])
        assert torch.equal(tensor, wanted), name


def test_each_class_is_where_its_id_is(file: Path) -> None:
    tensors = converted(file, OFFICIAL).tensors
    for official, ours in CLASS_HEADS.items():
        for part in ("weight", "bias"):
            theirs, mine = OFFICIAL[f"{official}.{part}"], tensors[f"{ours}.{part}"]
            for channel, number in enumerate(recorded_order()):
                assert torch.equal(mine[number], theirs[channel])
            assert torch.equal(mine[124], theirs[124])


def test_the_order_is_kept_where_asked(file: Path) -> None:
    folder = converted(file, OFFICIAL, Settings(class_order="kept"))
    assert folder.config["converted"]["class_order"] == "kept"
    for official, ours in CLASS_HEADS.items():
        assert torch.equal(folder.tensors[f"{ours}.weight"], OFFICIAL[f"{official}.weight"])


def test_half_precision_becomes_single(file: Path) -> None:
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in OFFICIAL.items()}
    tensors = converted(file, half).tensors
    assert {tensor.dtype for tensor in tensors.values()} <= {torch.float32, torch.int64}
    theirs = half["tracker.decoder_norm.weight"].float()
    assert torch.equal(tensors["tracker.norm.weight"], theirs)


def test_what_holds_nothing_may_be_there_or_not(file: Path) -> None:
    more = {"criterion.empty_weight": torch.ones(125), "backbone.stem.conv1.norm.num_batches_tracked": torch.tensor(3)}
    plain, richer = converted(file, OFFICIAL), converted(file, {**OFFICIAL, **more})
    assert plain.tensors.keys() == richer.tensors.keys()


NEEDED = sorted(OFFICIAL)


@given(st.sets(st.sampled_from(NEEDED), max_size=4), st.sets(st.text("abc.", min_size=1, max_size=9), max_size=4))
@settings(max_examples=20, deadline=None)
def test_whatever_is_missing_or_unused_is_listed(gone: set[str], more: set[str]) -> None:
    tensors = {name: tensor for name, tensor in OFFICIAL.items() if name not in gone}
    tensors |= {f"x.{name}": torch.ones(1) for name in more}
    if not gone and not more:
        return
    found = misfit(Path("nowhere.pth"), tensors)
    assert gone <= set(found.missing) and {f"x.{name}" for name in more} <= set(found.unused)
    lines = list(found.lines())
    assert all(f"  {name}" in lines for name in (*gone, *(f"x.{name}" for name in more)))
    assert (
        "nowhere.pth is not converted: its weights come closest to an offline DVIS++"
        in found.error(Path("nowhere.pth")).message
    )


def test_whatever_has_another_shape_is_listed(file: Path) -> None:
    wrong = {"tracker.mask_embed.layers.2.bias": torch.ones(31), "refiner.activation_proj.weight": torch.ones(64)}
    found = misfit(file, {**OFFICIAL, **wrong})
    assert found.misshapen == (
        "refiner.activation_proj.weight [64] instead of [1, 64]",
        "tracker.mask_embed.layers.2.bias [31] instead of [32]",
    )
    assert "2 misshapen" in found.error(file).message and not found.missing and not found.unused


def test_numbers_that_are_none_are_listed(file: Path) -> None:
    broken = OFFICIAL["tracker.decoder_norm.bias"].clone()
    broken[3] = torch.nan
    whole = torch.ones(64, dtype=torch.int64)
    found = misfit(file, {**OFFICIAL, "tracker.decoder_norm.bias": broken, "tracker.decoder_norm.weight": whole})
    assert set(found.unsound) == {
        "tracker.decoder_norm.weight is of type int64",
        "tracker.decoder_norm.bias holds numbers that are not finite",
    }


_BIAS = "tracker.decoder_norm.bias"


@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor.*")
@pytest.mark.parametrize(
    ("name", "make", "told"),
    [
        (_BIAS, lambda t: t.to(torch.float8_e4m3fn), "is of type float8_e4m3fn"),
        (_BIAS, lambda t: t.to(torch.float8_e5m2), "is of type float8_e5m2"),
        (_BIAS, lambda t: t.to("meta"), "has a shape only"),
        (_BIAS, lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "is of type qint8"),
        (_BIAS, lambda t: t.to(torch.complex64), "is of type complex64"),
        (_BIAS, lambda t: t.bool(), "is of type bool"),
        (_BIAS, lambda t: t.double() * 1e300, "holds numbers that are too large for float32"),
        (_BIAS, lambda t: t / 0, "holds numbers that are not finite"),
        ("backbone.stem.conv1.norm.running_var", lambda t: t - 100, "holds negative variances"),
    ],
)
def test_what_is_no_float32_is_listed(
    name: str, make: Callable[[torch.Tensor], torch.Tensor], told: str, file: Path
) -> None:
    found = misfit(file, {**OFFICIAL, name: make(OFFICIAL[name])})
    assert len(found.unsound) == 1 and found.unsound[0].startswith(f"{name} {told}")
    assert not found.missing and not found.unused and not found.misshapen


def test_what_is_unsound_is_measured_all_the_same(file: Path) -> None:
    found = misfit(file, {**OFFICIAL, _BIAS: torch.ones(3, dtype=torch.complex64)})
    assert found.misshapen == (f"{_BIAS} [3] instead of [64]",) and found.unsound == (f"{_BIAS} is of type complex64",)


def test_a_tensor_without_numbers_in_a_file(file: Path) -> None:
    path = write(file.with_name("meta.pth"), {**OFFICIAL, _BIAS: torch.ones(1 << 30, device="meta")})
    found = misfit(path, read_checkpoint(path).tensors)
    assert found.unsound[0].startswith(f"{_BIAS} has a shape only")


def test_long_lists_are_cut(file: Path) -> None:
    strays = {f"motion.{i:04}.weight": torch.ones(1) for i in range(1234)}
    lines = list(misfit(file, {**OFFICIAL, **strays}).lines())
    assert lines == ["unused (1234):", *(f"  {name}" for name in list(strays)[:40]), "  and 1,194 more"]


@pytest.mark.parametrize("number", [4, 999])
def test_a_stray_layer_does_not_make_a_deeper_model(number: int, file: Path) -> None:
    stray = f"sem_seg_head.predictor.transformer_cross_attention_layers.{number}.norm.weight"
    found = misfit(file, {**OFFICIAL, stray: torch.ones(32)})
    assert found.unused == (stray,) and not found.missing


def test_a_refiner_without_a_tracker_is_unused(file: Path) -> None:
    tensors = {name: tensor for name, tensor in OFFICIAL.items() if not name.startswith("tracker.")}
    found = misfit(file, tensors)
    assert found.closest == "a CTVIS segmenter with a ResNet"
    assert set(found.unused) == {name for name in OFFICIAL if name.startswith("refiner.")}
