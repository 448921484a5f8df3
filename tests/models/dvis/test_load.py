"""Model folders of DVIS++ whose weights are no numbers that a network takes."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.models.dvis.folders import write_random
from vsscli.errors import ModelError
from vsscli.models.dvis.config import ViTAdapterBackbone
from vsscli.models.load import load_model


def store(folder: Path, name: str, dtype: torch.dtype) -> None:
    """One tensor of another type."""
    path = folder / "model.safetensors"
    weights = load_file(path)
    save_file({**weights, name: weights[name].to(dtype)}, path)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int32, torch.bool, torch.float8_e4m3fn, torch.complex64])
def test_weights_that_are_no_floats(dtype: torch.dtype, tmp_path: Path) -> None:
    folder = write_random(tmp_path / "model", "online")
    store(folder, "tracker.norm.weight", dtype)
    with pytest.raises(ModelError) as caught:
        load_model(str(folder))
    assert f"1 of the weights are no numbers that the network takes: tracker.norm.weight is of type {dtype}".replace(
        "torch.", ""
    ) in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_become_single(dtype: torch.dtype, tmp_path: Path) -> None:
    folder = write_random(tmp_path / "model", "online")
    store(folder, "tracker.norm.weight", dtype)
    load_model(str(folder))


def test_counters_are_whole(tmp_path: Path) -> None:
    vit = ViTAdapterBackbone(dim=32, depth=4, heads=2, deform_heads=2, prior_width=4, grid=2)
    folder = write_random(tmp_path / "model", "segmenter", backbone=vit)
    name = next(name for name in load_file(folder / "model.safetensors") if name.endswith("num_batches_tracked"))
    store(folder, name, torch.int32)
    load_model(str(folder))
    store(folder, name, torch.float32)
    with pytest.raises(ModelError, match=f"{name} is of type float32"):
        load_model(str(folder))
