"""Runs beside the recorded maps of the published networks, and beside themselves with the work cut otherwise."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fixtures.recorded import CLIPS, Recording
from tests.infer.test_stage import infer, make_video, maps, visible
from tests.models.dvis.cases import CLIP_FOLDER
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.infer.build import build
from vsscli.infer.request import Request

Maps = NDArray[np.uint8]


def copy_clip(root: Path, clip: str) -> Path:
    """The frames of a recorded clip as the only video of the plain folder ``root``; ``root``."""
    shutil.copytree(CLIPS / "data" / CLIP_FOLDER[clip] / "origin", root / CLIP_FOLDER[clip])
    return root


def stacked(run_folder: Path, clip: str) -> Maps:
    return np.stack(maps(run_folder, CLIP_FOLDER[clip]))


def agreement(found: Maps, recording: Recording) -> tuple[float, bool]:
    """(share of equal pixels, whether all pixels are equal whose best class leads clearly)."""
    same = found == recording["semantic_vspw"]
    return float(same.mean()), bool(same[recording["margin_e4"] >= 10].all())


def require_same_bytes(model: Path, folder: Path, counts: tuple[int, ...], processes: bool = True, **more: Any) -> None:
    """Fails unless the run of videos of ``counts`` frames is the same with other batches, in two ``processes``, in
    parts, and with what is kept of a frame in a file."""
    data = folder / "v"
    for name, count in zip("abc", counts, strict=True):
        make_video(data / name, count, 50, 75)
    asked: dict[str, Any] = {"size": "64", "scales": "1.0,1.5", "flip": True, **more}
    infer(data, folder / "one", model, batch=1, **asked)
    infer(data, folder / "three", model, batch=3, **asked)
    if processes:
        infer(data, folder / "two", model, ("cpu", "cpu"), **asked)
    dataset = open_dataset(data)
    for videos in (("b",), ("a", "c")):
        stage = build(dataset, Request(str(model), **asked), ["cpu"], folder / "parts").stage
        produce(stage, folder / "parts", videos)
    whole = visible(folder / "one")
    assert len({label for labels in maps(folder / "one", "a") for label in np.unique(labels)}) > 1
    for other in ("three", "parts", *(["two"] if processes else [])):
        assert visible(folder / other) == whole, other
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsscli.infer.store.IN_MEMORY", 0)
        infer(data, folder / "file", model, **asked)
    assert visible(folder / "file") == whole
