"""Key frames of networks that know a whole video: what they know of it is its key frames."""

import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.infer.test_stage import infer, make_video, maps, visible
from tests.models.dvis.folders import write_recorded as write_dvis
from tests.models.tiny import picture
from tests.models.vmt.folders import write_recorded as write_vmt
from vsscli.cli.main import run
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.errors import DataError
from vsscli.infer.build import build
from vsscli.infer.propagate import PropagatedKey
from vsscli.infer.request import Request
from vsscli.infer.room import find_need
from vsscli.infer.stage import NetworkStage

ARCHES = ("dvis_tiny_online", "dvis_tiny_offline", "videomt_tiny", "lvmt_dinov3_tiny")
INTERVAL = 3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The small recorded models as folders, made once."""
    folder, made = tmp_path_factory.mktemp("models"), dict[str, Path]()

    def find(arch: str) -> Path:
        if arch not in made:
            made[arch] = (write_dvis if arch.startswith("dvis") else write_vmt)(folder / arch, arch)
        return made[arch]

    return find


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames: two full intervals, and one that is cut off."""
    return make_video(tmp_path_factory.mktemp("v") / "v" / "a", 8, 50, 75).parent


@pytest.fixture(scope="module")
def keys(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key frames as a video of their own."""
    folder = tmp_path_factory.mktemp("keys") / "v" / "a"
    folder.mkdir(parents=True)
    for path in sorted((data / "a").iterdir())[::INTERVAL]:
        shutil.copy(path, folder)
    return folder.parent


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("arch", ARCHES)
def test_a_video_of_its_key_frames(
    arch: str, causal: bool, model: Callable[[str], Path], data: Path, keys: Path, tmp_path: Path
) -> None:
    """Key frames have the maps that a video without the others would have; the others copy them, or do not."""
    if causal and arch.endswith("offline"):
        return
    asked: dict[str, Any] = {"size": "64", "causal": causal}
    infer(keys, tmp_path / "keys", model(arch), **asked)
    infer(data, tmp_path / "all", model(arch), **asked)
    expected = maps(tmp_path / "keys", "a")
    assert any(
        not np.array_equal(*pair) for pair in zip(expected, maps(tmp_path / "all", "a")[::INTERVAL], strict=True)
    )
    for how in ("zero", "farneback"):
        infer(data, tmp_path / how, model(arch), key_interval=INTERVAL, propagate=how, **asked)
        found = maps(tmp_path / how, "a")
        for i, labels in enumerate(found):
            if how == "zero" or i % INTERVAL == 0:
                assert np.array_equal(labels, expected[i // INTERVAL]), (how, i)
    assert visible(tmp_path / "zero") != visible(tmp_path / "farneback")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("arch", ["dvis_tiny_online", "lvmt_dinov3_tiny"])
def test_however_the_work_is_cut_the_bytes_are_the_same(
    arch: str, causal: bool, model: Callable[[str], Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames at once; few that may wait; the store in its file; two views, flipped, with their class scores."""
    asked: dict[str, Any] = {"size": "64", "key_interval": INTERVAL, "propagate": "farneback", "causal": causal}
    asked |= {"flip": True, "keep_views": True, "keep_topk": 2}
    infer(data, tmp_path / "one", model(arch), batch=1, **asked)
    infer(data, tmp_path / "three", model(arch), batch=3, **asked)
    monkeypatch.setattr("vsscli.infer.store.IN_MEMORY", 0)
    monkeypatch.setattr("vsscli.infer.key_frames.MOST_WAITING", 2)
    infer(data, tmp_path / "file", model(arch), batch=3, **asked)
    assert visible(tmp_path / "one") == visible(tmp_path / "three") == visible(tmp_path / "file")
    for view in (tmp_path / "one" / ".vsscli" / "views").iterdir():
        assert len(list((view / ".vsscli" / "topk" / "a").iterdir())) == 8


@pytest.mark.parametrize("arch", ["dvis_tiny_offline", "lvmt_dinov3_tiny"])
def test_an_accelerator_takes_them_in_batches(
    arch: str, model: Callable[[str], Path], data: Path, tmp_path: Path
) -> None:
    """There is none here, so the CPU under another name."""
    request = Request(str(model(arch)), "64", batch=3, key_interval=INTERVAL, propagate="farneback")
    stage = build(open_dataset(data), request, ["cpu:0"], tmp_path / "run").stage
    assert not produce(stage, tmp_path / "run", ("a",), ["cpu:0"]).failed
    infer(data, tmp_path / "one", model(arch), size="64", key_interval=INTERVAL, propagate="farneback")
    for one, other in zip(maps(tmp_path / "run", "a"), maps(tmp_path / "one", "a"), strict=True):
        assert (one == other).mean() > 0.99


def test_frames_of_two_sizes_in_one_video(model: Callable[[str], Path], tmp_path: Path) -> None:
    """A key frame comes early, in both passes."""
    folder = make_video(tmp_path / "v" / "a", 2, 50, 75)
    for i in (2, 3, 4):
        Image.fromarray(picture(64, 48, seed=i)).save(folder / f"{i:04d}.png")
    infer(folder.parent, tmp_path / "run", model("lvmt_dinov3_tiny"), size="48", key_interval=4, propagate="zero")
    found = maps(tmp_path / "run", "a")
    assert [labels.shape for labels in found] == [(50, 75)] * 2 + [(64, 48)] * 3
    assert [np.array_equal(found[i], found[i + 1]) for i in (0, 2, 3)] == [True] * 3


@pytest.mark.parametrize("interval", [1, 3, 8, 100])
def test_progress_comes_to_the_whole(interval: int, model: Callable[[str], Path], data: Path, tmp_path: Path) -> None:
    request = Request(str(model("dvis_tiny_online")), "64", key_interval=interval, propagate="zero")
    stage = build(open_dataset(data), request, ["cpu"], tmp_path / "run").stage
    told = list[float]()
    stage.step = told.append
    stage.open("cpu")
    frames = len(list(stage.process("a")))
    assert sum(told) + frames * stage.part == pytest.approx(stage.count("a")) == 8
    assert min(told) >= 0 and len(told) == len(range(0, 8, interval)) + 1


def test_less_is_kept_and_told(
    model: Callable[[str], Path], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, request = open_dataset(data), Request(str(model("lvmt_dinov3_tiny")), key_interval=3, propagate="zero")
    built = build(dataset, request, ["cpu"], tmp_path / "run")
    every = find_need(dataset, ("a",), built.views, built.card)
    some = find_need(dataset, ("a",), built.views, built.card, built.interval)
    assert every is not None and some is not None
    assert (every.frames, some.frames, some.stored) == (8, 3, every.stored)
    command = ["infer", str(data), "--model", str(model("lvmt_dinov3_tiny")), "--out", str(tmp_path / "run")]
    assert run([*command, "--key-interval", "3"]) == 2
    assert "LVMT (DINOv3) has no flow of its own for the frames between" in " ".join(capsys.readouterr().err.split())
    assert run([*command, "--key-interval", "3", "--propagate", "farneback", "--dry-run"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "long side at most 1333 as its family does, for the model does not tell, float32" in told
    assert "every 3 frames a key frame, carried on by Farneback's flow" in told and "3 frames x " in told


def test_a_frame_that_changes_between_the_passes_is_told(
    model: Callable[[str], Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key frame, and one between; the key frames stay those of the first pass."""
    inner = NetworkStage._look_through
    for changed, how in ((3, "farneback"), (4, "farneback"), (4, "zero")):
        folder = tmp_path / f"{changed}{how}" / "a"
        shutil.copytree(data / "a", folder)

        def look(self: NetworkStage, *rest: Any, folder: Path = folder, changed: int = changed) -> Any:
            found = inner(self, *rest)
            Image.fromarray(picture(48, 64, seed=1)).save(sorted(folder.iterdir())[changed])
            return found

        monkeypatch.setattr(NetworkStage, "_look_through", look)
        request = Request(str(model("dvis_tiny_online")), "64", key_interval=3, propagate=how)
        stage = build(open_dataset(folder.parent), request, ["cpu"], tmp_path / "run").stage
        stage.open("cpu")
        with pytest.raises(DataError, match=r"Frame 0+[34] became 64x48 while its video was read"):
            list(stage.process("a"))


def test_one_group_of_key_frames_is_held(
    model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the next ones come, the scores of all but the last have gone."""
    alive, most = weakref.WeakSet[PropagatedKey](), 0
    inner = PropagatedKey.__init__

    def init(self: PropagatedKey, *rest: Any) -> None:
        nonlocal most
        inner(self, *rest)
        alive.add(self)
        most = max(most, len(alive))

    monkeypatch.setattr(PropagatedKey, "__init__", init)
    monkeypatch.setattr(PropagatedKey, "__hash__", object.__hash__)
    data = make_video(tmp_path / "v" / "a", 24, 32, 48).parent
    infer(data, tmp_path / "run", model("videomt_tiny"), size="32", key_interval=2, propagate="farneback", batch=3)
    assert 3 <= most <= 4


def test_the_share_of_the_second_pass_is_learned(model: Callable[[str], Path], data: Path, tmp_path: Path) -> None:
    request = Request(str(model("dvis_tiny_online")), "64", key_interval=3, propagate="farneback")
    stage = build(open_dataset(data), request, ["cpu"], tmp_path / "run").stage
    stage.open("cpu")
    list(stage.process("a"))
    first = stage.part
    list(stage.process("a"))
    assert first == 0.3 != stage.part and 0 < stage.part < 1
