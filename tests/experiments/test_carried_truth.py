"""The experiment counts as told: a perfect network that sees every frame is perfect, and flow follows what moves."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.experiments.carried_truth import carried, count, main, miou
from tests.support import make_vspw
from vsscli.data.open import open_dataset
from vsscli.maps.flow import gray


def test_on_a_small_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_vspw(tmp_path / "data", {"1_a": (4, 48, 64)})
    every = count(open_dataset(data), 1)
    assert miou(every["zero"]) == miou(every["farneback"]) == 1
    main([str(data)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5 and all(0 < float(cell) <= 100 for line in lines[2:] for cell in line.split("|")[2:4])


def test_what_moves_is_followed() -> None:
    random = np.random.default_rng(0).integers(0, 256, (16, 24, 3)).astype(np.uint8)
    scene = np.asarray(Image.fromarray(random).resize((192, 128), Image.Resampling.BICUBIC))
    labels = (np.arange(160)[None] // 16 + np.zeros((128, 1))).astype(np.uint8)
    found = carried(labels, gray(scene[:, :160]), gray(scene[:, 4:164]))
    expected = np.roll(labels, -4, 1)
    assert (found == expected)[:, 16:-16].mean() > 0.95 > (labels == expected)[:, 16:-16].mean()
