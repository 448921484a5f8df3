"""A training's file: what is not known is refused by name, what is shipped is what the notes of the house say."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.small import entries
from vsscli.errors import OptionError
from vsscli.resources import resource_folder
from vsscli.train.config import Optimizer, TrainConfig
from vsscli.train.masking import Mvc
from vsscli.train.reading import as_entries, read_config
from vsscli.train.schedule import learning_rate

CONFIGS = sorted(resource_folder("pipelines").glob("configs/*/*.yaml"))


def read(tmp_path: Path, found: Any, *changes: str) -> TrainConfig:
    (tmp_path / "c.yaml").write_text(found if isinstance(found, str) else yaml.safe_dump(found))
    return read_config(tmp_path / "c.yaml", changes)


WRONG: dict[str, tuple[Any, str]] = {
    "unknown": (entries(stpes=3), "stpes is not an entry of a training. Did you mean steps"),
    "unknown below": (entries(mvc={"ration": 0.5}), "mvc.ration is not an entry .* Did you mean ratio"),
    "missing": ({"stage": "segmenter", "batch": 2}, "steps is missing"),
    "type": (entries(batch="two"), "batch is 'two', and must be a whole number"),
    "bool for int": (entries(batch=True), "batch is True, and must be a whole number"),
    "float for int": (entries(steps=1.5), "steps is 1.5, and must be a whole number"),
    "nan": (entries(optimizer={"lr": float("nan")}), "optimizer.lr is nan, and must be a number"),
    "no entries": (entries(optimizer=3), "optimizer holds no entries"),
    "stage": (entries(stage="tracer"), "stage is 'tracer', not one of segmenter, tracker, refiner"),
    "zero": (entries(steps=0), "steps is 0, and must be above 0"),
    "crop": (entries(input={"crop": [32]}), r"input.crop is \[32\], and takes two numbers"),
    "two crops": (entries(input={"crop": [32, 32], "crop_range": [8, 9]}), "crop and input.crop_range are both"),
    "parts": (entries(accumulate=3), "batch 2 is not a multiple of accumulate 3"),
    "mvc": (entries(mvc={"ratio": 2}), "mvc.ratio 2.0 is not in 0..1"),
    "short": (entries("tracker", init="x", clip={"frames": 1}), "clip.frames is 1"),
    "random": (entries("tracker"), "a tracker needs a model to start from"),
    "gaps": (entries("refiner", init="x", clip={"frames": 3, "reach": 2}), "clip.reach is given"),
    "amp": (entries(amp="fp8"), "amp is 'fp8'"),
    "no YAML": ("a: [", "is no YAML: line 1"),
    "a list": ("- 1", "holds no entries"),
    "nothing": ("", "holds no entries"),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_told_by_name(case: str, tmp_path: Path) -> None:
    found, sentence = WRONG[case]
    with pytest.raises(OptionError, match=sentence) as error:
        read(tmp_path, found)
    assert "c.yaml" in error.value.message


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot be read"):
        read_config(tmp_path / "absent.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="cannot be read"):
        read_config(tmp_path / "bytes.yaml")
    with pytest.raises(OptionError, match="cannot be read"):
        read_config(tmp_path)


def test_changes_reach_every_level(tmp_path: Path) -> None:
    changes = ("steps=7", "optimizer.lr=1e-3", "mvc.ratio=0.5", "input.short=[64, 96]", "model.queries=9", "init=a=b")
    config = read(tmp_path, entries(), *changes)
    assert (config.steps, config.optimizer.lr, config.mvc, config.init) == (7, 1e-3, Mvc(ratio=0.5), "a=b")
    assert config.input.short == (64, 96) and config.model["queries"] == 9
    assert read(tmp_path, entries(mvc={}), "mvc=null").mvc is None
    for change in ("steps", "=3", "steps=[", "stpes=3", "steps.x=1"):
        with pytest.raises(OptionError):
            read(tmp_path, entries(), change)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_trainings_read_and_read_back(path: Path, tmp_path: Path) -> None:
    config = read_config(path)
    assert read(tmp_path, as_entries(config)) == config


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=3), st.none()), max_size=3))
@settings(max_examples=40, deadline=None)
def test_anything_else_is_refused(tmp_path_factory: pytest.TempPathFactory, more: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("any")
    known = set(entries())
    try:
        read(folder, {**entries(), **more})
    except OptionError as error:
        assert error.hint or "YAML" in error.message
    else:
        assert set(more) <= known | set(TrainConfig.__dataclass_fields__)


def test_learning_rates() -> None:
    step = Optimizer(lr=1.0, warmup=2, warmup_factor=0.5, decay_at=(4, 6))
    assert [learning_rate(step, i, 8) for i in range(8)] == pytest.approx([0.5, 0.5, 1, 1, 0.1, 0.1, 0.01, 0.01])
    poly = Optimizer(lr=1.0, warmup=0, schedule="poly")
    rates = [learning_rate(poly, i, 10) for i in range(10)]
    assert rates[0] == 1 and rates == sorted(rates, reverse=True) and 0 < rates[-1] < 0.2
