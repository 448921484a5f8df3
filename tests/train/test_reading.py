"""A training's file: what is not known is refused by name, what is shipped is what the notes of the house say."""

import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import vsscli
from tests.train.small import entries
from vsscli.data.classes import vspw_classes
from vsscli.errors import OptionError
from vsscli.models.dvis.config import DvisConfig, ResNetBackbone, from_json, read_fields, to_json
from vsscli.models.mpvss.config import MotionConfig, MpvssConfig
from vsscli.models.mpvss.model import build
from vsscli.resources import resource_folder
from vsscli.train.config import Clip, Input, Loss, Optimizer, TrainConfig
from vsscli.train.masking import Mvc
from vsscli.train.reading import as_entries, read_config
from vsscli.train.schedule import learning_rate

CONFIGS = sorted(resource_folder("pipelines").glob("configs/**/*.yaml"))


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
    "stage": (entries(stage="tracer"), "stage is 'tracer', not one of segmenter, tracker, refiner, mpvss"),
    "zero": (entries(steps=0), "steps is 0, and must be above 0"),
    "crop": (entries(input={"crop": [32]}), r"input.crop is \[32\], and takes two numbers"),
    "two crops": (entries(input={"crop": [32, 32], "crop_range": [8, 9]}), "crop and input.crop_range are both"),
    "parts": (entries(accumulate=3), "batch 2 is not a multiple of accumulate 3"),
    "mvc": (entries(mvc={"ratio": 2}), "mvc.ratio 2.0 is not in 0..1"),
    "short": (entries("tracker", init="x", clip={"frames": 1}), "clip.frames is 1"),
    "random": (entries("tracker"), "the stage tracker needs a model to start from"),
    "gaps": (entries("refiner", init="x", clip={"frames": 3, "reach": 2}), "clip.reach is given"),
    "three frames": (
        entries("mpvss", init="x", clip={"frames": 3}),
        "a key frame and a later one, and clip.frames is 3",
    ),
    "mpvss of nothing": (entries("mpvss"), "the stage mpvss needs a model to start from"),
    "flownet": (entries(flownet="x.pth"), "flownet is for the stage mpvss, and the stage is segmenter"),
    "pixels": (entries(loss={"pixels": -1}), "loss.pixels is negative"),
    "pixels of a tracker": (
        entries("tracker", init="x", loss={"pixels": 1}),
        "loss.pixels is for the stage segmenter, and the stage is tracker",
    ),
    "amp": (entries(amp="fp8"), "amp is 'fp8'"),
    "no YAML": ("a: [", "is no YAML: line 1"),
    "a rate that no number holds": (entries(optimizer={"lr": 1e38}), "optimizer.lr is 1e[+]38 with its factors"),
    "an entry twice": ("steps: 1\nsteps: 2", "is no YAML: line 2 'steps' stands twice"),
    "an entry twice, deep": ("loss: {points: 1, mask: 2, points: 3}", "'points' stands twice"),
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


def test_a_base_holds_where_nothing_else_is_said(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(entries(mvc={"patch": 8})))
    config = read(tmp_path, "base: base.yaml\nsteps: 9\nmvc: {ratio: 0.5}\n", "batch=5")
    assert (config.steps, config.batch, config.mvc) == (9, 5, Mvc(8, 0.5)) and config.clip.frames == 2
    for base in ("c.yaml", "absent.yaml", "[1]", "../c.yaml/x", "loop.yaml"):
        (tmp_path / "loop.yaml").write_text("base: c.yaml")
        with pytest.raises(OptionError, match="base|cannot be read"):
            read(tmp_path, f"base: {base}")


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


#: frames, reach, reverse, batch, steps, where the rate falls, crop range
PUBLISHED = {
    "segmenter": (4, 8, 0.0, 16, 20000, (14000, 18000), None),
    "online": (5, None, 0.0, 8, 20000, (14000,), None),
    "offline": (21, None, 0.5, 8, 20000, (14000,), (600, 720)),
}


@pytest.mark.parametrize("path", [path for path in CONFIGS if path.parent.name == "dvis"], ids=lambda path: path.stem)
def test_trainings_of_official_size_are_the_published_ones(path: Path) -> None:
    """Everything that is known of DVIS++'s training on VSPW; a name says which row of the paper it is."""
    config = read_config(path)
    network, kind, *rest = path.stem.split("-")
    clip, optimizer, size = config.clip, config.optimizer, config.input
    drawn = clip.frames, clip.reach, clip.reverse, config.batch, config.steps, optimizer.decay_at, size.crop_range
    assert drawn == PUBLISHED[kind]
    rates = optimizer.lr, optimizer.weight_decay, optimizer.backbone, optimizer.clip_norm, optimizer.warmup
    assert rates == (1e-4, 0.05, 0.1, 0.01, 10) and optimizer.schedule == "step"
    assert (size.short, size.cap, size.crop, size.flip) == (tuple(range(480, 801, 32)), 1333, None, True)
    assert (size.test_short, size.test_cap, config.loss) == (720, 1333, Loss())
    assert {"segmenter": "segmenter", "online": "tracker", "offline": "refiner"}[kind] == config.stage
    assert (config.mvc == Mvc()) == ("mvc" in rest) and (config.mvc is None) == ("mvc" not in rest)
    both = "trainval" in rest
    assert config.splits == (("train", "val") if both else ("train",))
    assert config.validation.split == (None if both else "val")
    if kind == "offline":  # the refiner stands on the tracker that was trained the same way
        assert config.init == f"models/{'-'.join([network, 'online', *rest])}"


def test_the_training_of_mpvss_is_the_published_one() -> None:
    """Everything that is known of its second stage on VSPW, but for the jitter of colours."""
    config = read_config(resource_folder("pipelines") / "configs" / "mpvss-r50.yaml")
    assert config == TrainConfig(
        "mpvss",
        90_000,
        16,
        init="models/r50-segmenter-480",
        clip=Clip(2, 10),
        input=Input(tuple(range(480, 1921, 96)), 960, (480, 480), test_short=480, test_cap=853),
        optimizer=Optimizer(5e-5, 0.05, 0.1, 0.01, 0, schedule="poly"),
        amp="fp16",
        odd_masks="void",
    )
    assert config.loss == Loss(12544, 3.0, 0.75, 2.0, 5.0, 5.0, 0.1) and config.model == {}


def test_the_tiny_model_of_mpvss_fits_into_three_megabytes() -> None:
    """At two bytes a number; its segmenter is the tiny one, whose identities it leaves."""
    folder = resource_folder("pipelines") / "configs" / "tiny"
    segmenter, config = read_config(folder / "segmenter.yaml"), read_config(folder / "mpvss.yaml")
    entries = {
        **to_json(DvisConfig("segmenter", ResNetBackbone(), vspw_classes().names, reid=False)),
        **segmenter.model,
    }
    motion = read_fields(MotionConfig, {**asdict(MotionConfig()), **config.model["motion"]}, "tiny", "")
    model = build(MpvssConfig(from_json(entries, "tiny"), motion))
    assert 2 * sum(value.numel() for value in model.state_dict().values()) <= 2_950_000  # and the names of the weights
    assert config.init == "models/tiny-identities"


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


def test_the_guide_lists_every_entry_with_its_default(tmp_path: Path) -> None:
    text = (
        (Path(vsscli.__file__).parent / "guides" / "training.md")
        .read_text(encoding="utf-8")
        .split("## Every entry")[1]
        .split("\n## ")[0]
    )
    block = textwrap.dedent("\n".join(line for line in text.splitlines() if line.startswith("    ")))
    (tmp_path / "all.yaml").write_text(block)
    found = read_config(tmp_path / "all.yaml")
    assert found == TrainConfig("segmenter", 20000, 8)
    told = yaml.safe_load(block)
    assert list(told) and set(told) == set(as_entries(found))
    for name, value in as_entries(found).items():
        if isinstance(value, dict) and name != "model":
            assert set(told[name]) == set(value), name


def test_what_the_guides_name_is_there_without_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_config(Path("pipelines/configs/tiny/details.yaml")).steps == 2800
    (tmp_path / "pipelines" / "configs" / "tiny").mkdir(parents=True)
    (tmp_path / "pipelines" / "configs" / "tiny" / "details.yaml").write_text("{stage: segmenter, steps: 3, batch: 1}")
    assert read_config(Path("pipelines/configs/tiny/details.yaml")).steps == 3
    with pytest.raises(OptionError, match=r"none\.yaml"):
        read_config(Path("pipelines/none.yaml"))
