"""The ViT-Adapter against the published network's own numbers, and its names against the published ones."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import gelu, interpolate

from tests.fixtures.formula import weights
from tests.fixtures.recorded import CLIPS, key_list, recorded
from vsscli.models.dvis import vit, vit_adapter
from vsscli.models.dvis.adapter_keys import ADAPTER_PREFIXES, ADAPTER_UNUSED
from vsscli.models.dvis.extractor import DeformableAttention
from vsscli.models.dvis.vit_adapter import ViTAdapter

RECORDED = recorded("tinyvit_backbone")
TINY: dict[str, Any] = {
    "dim": 96,
    "depth": 8,
    "heads": 4,
    "deform_heads": 4,
    "deform_points": 4,
    "prior_width": 16,
    "ffn_ratio": 0.25,
}
#: Seen: 6e-7. The approximate GELU (8e-5) would pass the recordings' own tolerance.
TOLERANCE = 2e-5
LARGE = TINY | {"dim": 1024, "depth": 24, "heads": 16, "deform_heads": 16, "prior_width": 64}


def translated(name: str, table: dict[str, str]) -> str:
    start = max((start for start in table if name.startswith(start)), key=len)
    return table[start] + name.removeprefix(start)


def backbone(arch: str) -> dict[str, list[int]]:
    """The published names below ``backbone.``, and their shapes."""
    return {
        name.removeprefix("backbone."): shape for name, shape in key_list(arch).items() if name.startswith("backbone.")
    }


def official(arch: str) -> dict[str, list[int]]:
    """Those of them that the network uses."""
    return {name: shape for name, shape in backbone(arch).items() if name not in ADAPTER_UNUSED}


@cache
def made() -> dict[str, Tensor]:
    drawn = weights({f"backbone.{name}": shape for name, shape in official("dvis_tinyvit_online").items()})
    return {translated(name.removeprefix("backbone."), ADAPTER_PREFIXES): value for name, value in drawn.items()}


def tiny() -> ViTAdapter:
    adapter = ViTAdapter(**TINY).eval()
    adapter.load_state_dict(made())
    return adapter


@cache
def pixels() -> Tensor:
    """The first and the last frame of the clip, normalised: [2, 3, 96, 160]."""
    frames = sorted((CLIPS / "data" / RECORDED.meta["clip"] / "origin").glob("*.jpg"))
    images = np.stack([np.asarray(Image.open(frames[i]), np.float32) for i in RECORDED.meta["frames"]])
    mean, std = np.array([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]], np.float32)
    return torch.from_numpy(((images - mean) / std).transpose(0, 3, 1, 2).copy())


def named(maps: list[Tensor], start: str = "res") -> dict[str, Tensor]:
    return {f"{start}{i}": one.detach() for i, one in enumerate(maps, 2)}


def check(**mine: Tensor) -> None:
    errors = {name: RECORDED.error(name, one) for name, one in mine.items()}
    print({name: f"{error:.1e}" for name, error in errors.items()})
    assert max(errors.values()) < TOLERANCE, errors


@pytest.mark.parametrize("gradients", [False, True])
def test_the_maps_are_those_of_the_published_network(gradients: bool) -> None:
    adapter = tiny()
    with torch.set_grad_enabled(gradients):
        check(**named(adapter(pixels())))
        check(**named(adapter(pixels()[:, :, :64, :96]), "crop64x96_res"))


def test_tokens_and_spatial_prior_are_those_of_the_published_network() -> None:
    adapter = tiny()
    with torch.no_grad():
        stem, maps = adapter.prior(pixels())
        rows = {f"spm_c{i}": one.flatten(2).transpose(1, 2) for i, one in enumerate(maps, 2)}
        check(tokens=adapter.vit.embed(pixels()), spm_c1=adapter.prior.finest(stem), **rows)


def by_size(monkeypatch: pytest.MonkeyPatch, adapter: ViTAdapter) -> None:
    def resized(table: Tensor, scale_factor: tuple[float, float], mode: str) -> Tensor:
        size = [int(side * factor) for side, factor in zip(table.shape[2:], scale_factor, strict=True)]
        return interpolate(table, size=size, mode=mode)

    monkeypatch.setattr(vit, "interpolate", resized)


def offsets_in_parts_of_the_map(monkeypatch: pytest.MonkeyPatch, adapter: ViTAdapter) -> None:
    choose = DeformableAttention._choose
    monkeypatch.setattr(
        DeformableAttention, "_choose", lambda own, query, _, places: choose(own, query, (1, 1), places)
    )


def offsets_in_cells_of_the_other_axis(monkeypatch: pytest.MonkeyPatch, adapter: ViTAdapter) -> None:
    choose = DeformableAttention._choose
    monkeypatch.setattr(
        DeformableAttention, "_choose", lambda own, query, grid, places: choose(own, query, grid[::-1], places)
    )


def no_levels(monkeypatch: pytest.MonkeyPatch, adapter: ViTAdapter) -> None:
    adapter.level_embed.data.zero_()


def stages_backwards(monkeypatch: pytest.MonkeyPatch, adapter: ViTAdapter) -> None:
    compose = adapter._compose
    monkeypatch.setattr(adapter, "_compose", lambda spatial, seen, stem: compose(spatial, seen[::-1], stem))


def places_with_axes_exchanged(monkeypatch: pytest.MonkeyPatch, adapter: ViTAdapter) -> None:
    centres = vit_adapter.centres
    monkeypatch.setattr(vit_adapter, "centres", lambda *given: centres(*given).flip(-1))


def no_further_readings(monkeypatch: pytest.MonkeyPatch, adapter: ViTAdapter) -> None:
    adapter.extractors = adapter.extractors[:4]


def approximate_gelu(monkeypatch: pytest.MonkeyPatch, adapter: ViTAdapter) -> None:
    monkeypatch.setattr(vit, "gelu", lambda given: gelu(given, approximate="tanh"))


@pytest.mark.parametrize(
    ("mistake", "least"),
    [
        (by_size, 0.1),
        (offsets_in_parts_of_the_map, 0.1),
        (offsets_in_cells_of_the_other_axis, 0.1),
        (no_levels, 0.1),
        (stages_backwards, 0.1),
        (places_with_axes_exchanged, 0.1),
        (no_further_readings, 0.1),
        (approximate_gelu, 2 * TOLERANCE),
    ],
)
def test_a_mistake_would_show(
    mistake: Callable[[pytest.MonkeyPatch, ViTAdapter], None], least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = tiny()
    mistake(monkeypatch, adapter)
    with torch.no_grad():
        errors = {name: RECORDED.error(name, one) for name, one in named(adapter(pixels())).items()}
        print({name: f"{error:.1e}" for name, error in errors.items()})
    assert max(errors.values()) > least


@pytest.mark.parametrize(("arch", "sizes"), [("dvis_tinyvit_online", TINY), ("dvis_vitl_offline", LARGE)])
def test_every_published_tensor_has_its_place(arch: str, sizes: dict[str, Any]) -> None:
    with torch.device("meta"):
        adapter = ViTAdapter(**sizes)
        published = {translated(name, ADAPTER_PREFIXES): torch.empty(shape) for name, shape in official(arch).items()}
    adapter.load_state_dict(published, strict=True, assign=True)
    assert len(published) == len(official(arch))
    assert set(ADAPTER_UNUSED) <= set(backbone(arch))


def test_names_go_both_ways() -> None:
    back = {ours: theirs for theirs, ours in ADAPTER_PREFIXES.items()}
    assert len(back) == len(ADAPTER_PREFIXES)
    for name in official("dvis_vitl_online"):
        assert translated(translated(name, ADAPTER_PREFIXES), back) == name
