"""Where ``transformers`` has a part of these models, ours computes what it computes; the GRU is what is written."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from tests.fixtures.recorded import class_order
from tests.models.convert.official import find
from tests.models.vmt.cases import small
from vsscli.cli.main import run
from vsscli.errors import ModelError
from vsscli.models.card import describe_model
from vsscli.models.convert.conversion import convert
from vsscli.models.convert.identify import Settings
from vsscli.models.convert.reading import read_checkpoint
from vsscli.models.convert.videomt_names import in_official_names
from vsscli.models.convert.write import ModelFolder
from vsscli.models.load import load_model
from vsscli.models.network import QueryScores
from vsscli.models.vmt.blocks import RotaryBlock, rotate, rotation
from vsscli.models.vmt.config import EncoderConfig
from vsscli.models.vmt.encoders import Dinov3Encoder
from vsscli.models.vmt.video import VmtNetwork


def _randomise(model: Any) -> None:
    random = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        spread = 1 / parameter[0].numel() ** 0.5 if parameter.ndim > 1 else 0.3
        parameter.data.normal_(0 if parameter.ndim > 1 else 0.5, spread, generator=random)


@pytest.fixture(scope="module")
def theirs() -> Any:
    """A small VidEoMT of transformers for frames of 64x64."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = transformers.VideomtConfig(
            hidden_size=64,
            num_hidden_layers=4,
            num_attention_heads=1,
            mlp_ratio=4,
            image_size=64,
            patch_size=16,
            num_register_tokens=4,
            num_queries=7,
            num_blocks=2,
            num_upscale_blocks=2,
            num_labels=124,
            layer_norm_eps=1e-6,
        )
        model = transformers.VideomtForUniversalSegmentation(config).eval().requires_grad_(False)
    _randomise(model)
    return model


def test_videomt_of_transformers(theirs: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From its file through the command to the same class logits and masks, the classes in VSPW's order."""
    save_file({name: value.contiguous() for name, value in theirs.state_dict().items()}, tmp_path / "model.safetensors")
    out = str(tmp_path / "model")
    assert run(["convert", str(tmp_path / "model.safetensors"), "--out", out, "--set", "short=64"]) == 0
    assert "took the names of transformers' VidEoMT" in capsys.readouterr().err
    network = load_model(out)
    assert isinstance(network, VmtNetwork)
    clip = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    passage = network.start()
    kept = [passage.push(seen) for frame in clip for seen in network.look(frame[None])]
    found = [passage.finish()(i, one) for i, one in enumerate(kept)]
    with torch.no_grad():
        wanted = theirs(pixel_values_videos=clip[None])
    masks = wanted.masks_queries_logits.reshape(3, 7, 16, 16)
    logits = wanted.class_queries_logits.reshape(3, 7, 125)
    prob = logits.mean(0).softmax(-1)[:, [*np.argsort(class_order())]]
    for one, mask in zip(found, masks, strict=True):
        assert isinstance(one, QueryScores)
        torch.testing.assert_close(one.mask_logits, mask, atol=2e-5 * float(mask.abs().max()), rtol=0)
        torch.testing.assert_close(one.class_prob, prob, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", ["layers.1.attention.k_proj.weight", "layernorm.bias", "query.weight"])
def test_a_name_that_is_missing_in_a_file_of_transformers(theirs: Any, name: str, tmp_path: Path) -> None:
    state = {key: value.contiguous() for key, value in theirs.state_dict().items() if key != name}
    save_file(state, tmp_path / "model.safetensors")
    checkpoint = in_official_names(read_checkpoint(tmp_path / "model.safetensors"))
    result = convert(checkpoint, find({k: tuple(v.shape) for k, v in checkpoint.tensors.items()}, Settings()))
    assert not isinstance(result, ModelFolder) and len(result.missing) == 1


def test_the_folder_itself_is_refused_with_the_line_to_type(theirs: Any, tmp_path: Path) -> None:
    theirs.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="is VidEoMT as transformers writes it") as caught:
        describe_model(str(tmp_path))
    assert f"vsscli convert {tmp_path / 'model.safetensors'} --out models/videomt" in caught.value.hint


def test_dinov3_of_transformers() -> None:
    config = transformers.DINOv3ViTConfig(
        hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=128, patch_size=16,
        num_register_tokens=4, layer_norm_eps=1e-5, rope_theta=100.0, key_bias=False, query_bias=True,
        value_bias=True, layerscale_value=1.0, use_gated_mlp=False, hidden_act="gelu",
    )  # fmt: skip
    theirs = transformers.DINOv3ViTModel(config).eval().requires_grad_(False)
    _randomise(theirs)
    ours = Dinov3Encoder(EncoderConfig("dinov3", 32, 3, 2, 4, None)).eval().requires_grad_(False)
    state = {}
    for name, value in theirs.state_dict().items():
        name = name.replace("embeddings.register_tokens", "reg_token").replace("embeddings.cls_token", "cls_token")
        name = name.replace("embeddings.patch_embeddings.", "patch_embed.").replace("model.layer.", "blocks.")
        if "mask_token" not in name and "inv_freq" not in name:
            state[name] = value
    ours.load_state_dict(state)
    pixels = torch.randn(2, 3, 48, 80, generator=torch.Generator().manual_seed(2))
    wanted = theirs(pixels).last_hidden_state
    found = ours.norm(ours.states(pixels, [2])[0])
    torch.testing.assert_close(found, wanted, atol=1e-5 * float(wanted.abs().max()), rtol=0)


def _gru(cell: Any, x: Tensor, h: Tensor) -> Tensor:
    """As it is written: reset, update and candidate, the hidden bias of the candidate inside the product."""
    a = (x @ cell.weight_ih.T + cell.bias_ih).chunk(3, -1)
    b = (h @ cell.weight_hh.T + cell.bias_hh).chunk(3, -1)
    r, z = torch.sigmoid(a[0] + b[0]), torch.sigmoid(a[1] + b[1])
    return (1 - z) * torch.tanh(a[2] + r * b[2]) + z * h


def test_the_memory_of_lvmt() -> None:
    """Its update as a formula; and no element ever leaves max(1, its start)."""
    model = small("lvmt_dinov2_tiny")
    random = torch.Generator().manual_seed(3)
    state: Tensor = model.queries
    for _ in range(30):
        out = 3 * torch.randn(state.shape, generator=random)
        with torch.no_grad():
            following = model._following(state, out)
        torch.testing.assert_close(following, _gru(model.update, out, state), atol=2e-6, rtol=1e-5)
        state = following
    assert float(state.abs().max()) <= max(1.0, float(model.queries.abs().max()))


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 7), columns=st.integers(1, 7), seed=st.integers(0, 1000))
def test_turning_keeps_lengths_and_sees_distances_only(rows: int, columns: int, seed: int) -> None:
    """The product of two turned vectors is that of two others as far apart; what has no place is not turned."""
    random = torch.Generator().manual_seed(seed)
    vectors = torch.randn(2, 1, 1, 1, 8, generator=random).expand(2, 1, 1, 3 + rows * columns, 8)
    turn = rotation((rows, columns), 8, torch.device("cpu"))
    query, key = (rotate(x, turn) for x in vectors)
    assert torch.equal(query[:, :, :3], vectors[0][:, :, :3])
    torch.testing.assert_close(query.norm(dim=-1), vectors[0].norm(dim=-1))
    products = (query[0, 0, 3:] @ key[0, 0, 3:].T).reshape(rows, columns, rows, columns)
    torch.testing.assert_close(products[1:, 1:, 1:, 1:], products[:-1, :-1, :-1, :-1], atol=1e-5, rtol=1e-5)


def test_a_block_does_not_mind_the_order_of_what_has_no_place() -> None:
    torch.manual_seed(0)
    block = RotaryBlock(16, 2, 16).requires_grad_(False)
    tokens, turn = torch.randn(1, 5 + 6, 16), rotation((2, 3), 8, torch.device("cpu"))
    order = [4, 2, 0, 1, 3, *range(5, 11)]
    torch.testing.assert_close(block(tokens[:, order], turn), block(tokens, turn)[:, order], atol=1e-6, rtol=1e-5)
