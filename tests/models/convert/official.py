"""Official checkpoints of small models, made by formula."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st

from tests.fixtures.formula import weights
from tests.fixtures.recorded import key_list
from vsscli.models.convert.conversion import Misfit, convert
from vsscli.models.convert.identify import Found, Settings, Shapes, identify
from vsscli.models.convert.reading import Checkpoint
from vsscli.models.convert.write import ModelFolder
from vsscli.models.dvis.config import (
    DvisConfig,
    HeadConfig,
    ResNetBackbone,
    SwinBackbone,
    ViTAdapterBackbone,
)
from vsscli.models.dvis.keys import official_to_ours
from vsscli.models.dvis.model import build


def shapes(arch: str) -> dict[str, tuple[int, ...]]:
    """Official names and shapes of a key list (`tests.fixtures.recorded.key_list`)."""
    return {name: tuple(shape) for name, shape in key_list(arch).items()}


def shapes_of(config: DvisConfig) -> dict[str, tuple[int, ...]]:
    """Official names and shapes of any model, by the key tables."""
    return shapes_by(official_to_ours(config), build(config).state_dict())


def shapes_by(table: Mapping[str, tuple[str, ...]], state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """Official names and shapes of the weights ``state``, by a key table; rows of several of ours stand in one."""
    found = {}
    for official, ours in table.items():
        rows, *rest = state[ours[0]].shape or (0,)
        found[official] = (len(ours) * rows, *rest) if state[ours[0]].dim() else ()
    return found


def write(path: Path, content: Mapping[str, torch.Tensor], **beside: Any) -> Path:
    """A checkpoint file as detectron2 writes it."""
    torch.save({"model": dict(content), "iteration": 19999, **beside}, path)
    return path


def write_arch(path: Path, arch: str, seed: str = "public") -> Path:
    return write(path, weights(key_list(arch), seed))


def run(path: Path, tensors: dict[str, torch.Tensor], settings: Settings | None = None) -> ModelFolder | Misfit:
    """`convert` of tensors that stand in the file ``path``."""
    return convert(Checkpoint(path, tensors, ()), find({k: tuple(v.shape) for k, v in tensors.items()}, settings))


def find(of: Shapes, settings: Settings | None = None) -> Found:
    return identify(of, settings or Settings())


FOUR = st.tuples(*[st.integers(1, 3)] * 4)
HEADS = st.builds(HeadConfig, layers=st.integers(1, 3), heads=st.just(8), ffn=st.integers(1, 40))


@st.composite
def configs(draw: st.DrawFn) -> DvisConfig:
    """Small models of every kind and backbone, with the head counts that the rules assume."""
    kind = draw(st.sampled_from(["segmenter", "online", "offline"]))
    return DvisConfig(
        kind=kind,
        backbone=draw(st.one_of(resnets(), swins(), adapters())),
        labels=tuple(f"LABEL_{i}" for i in range(draw(st.integers(1, 9)))),
        queries=draw(st.integers(1, 9)),
        width=32 * draw(st.integers(1, 2)),
        heads=draw(st.sampled_from([1, 2, 4, 8])),
        encoder_layers=draw(st.integers(1, 2)),
        encoder_ffn=draw(st.integers(1, 40)),
        decoder_layers=draw(st.integers(1, 3)),
        decoder_ffn=draw(st.integers(1, 40)),
        reid=kind != "segmenter" or draw(st.booleans()),
        tracker=draw(HEADS) if kind != "segmenter" else None,
        refiner=draw(HEADS) if kind == "offline" else None,
    )


@st.composite
def resnets(draw: st.DrawFn) -> ResNetBackbone:
    first, second, third, fourth = (4 * draw(st.integers(1, 6)) for _ in range(4))
    return ResNetBackbone(draw(st.integers(1, 9)), (first, second, third, fourth), draw(FOUR))


@st.composite
def swins(draw: st.DrawFn) -> SwinBackbone:
    return SwinBackbone(4 * draw(st.integers(1, 4)), draw(FOUR), (1, 2, 4, 2), draw(st.integers(2, 8)))


@st.composite
def adapters(draw: st.DrawFn) -> ViTAdapterBackbone:
    heads = draw(st.integers(1, 4))
    dim = heads * 4 * draw(st.integers(1, 4))
    return ViTAdapterBackbone(
        dim=dim,
        depth=4 * draw(st.integers(1, 3)),
        heads=heads,
        deform_heads=heads,
        prior_width=draw(st.integers(1, 9)),
        ffn_ratio=draw(st.integers(1, dim)) / dim,
        patch=16,
        grid=draw(st.integers(1, 40)),
    )
