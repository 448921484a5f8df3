"""Key frames: the published maps of MPVSS, from checkpoint to PNG; what is between, however the work is cut."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.fixtures.formula import weights
from tests.fixtures.recorded import CLIPS
from tests.infer.test_stage import infer, make_video, maps, visible
from tests.models.dvis.cases import CLIP_FOLDER
from tests.models.mpvss.cases import INTERVAL, MPVSS, mpvss_keys, recording, write_random
from tests.models.tiny import picture, write
from vsscli.cli.main import run
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.errors import OptionError
from vsscli.infer import key_frames as module
from vsscli.infer.build import build
from vsscli.infer.key_frames import every, groups, stretches
from vsscli.infer.request import Request
from vsscli.runs.run import open_run

Maps = NDArray[np.uint8]


def stacked(run_folder: Path, clip: str) -> Maps:
    return np.stack(maps(run_folder, CLIP_FOLDER[clip]))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the recorded checkpoint becomes by the command that a user types."""
    folder = tmp_path_factory.mktemp("mpvss")
    torch.save({"model": weights(mpvss_keys(), "public"), "iteration": 89999}, folder / "w.pth")
    assert run(["convert", str(folder / "w.pth"), "--out", str(folder / "model")]) == 0
    (folder / "w.pth").unlink()
    return folder / "model"


def infer_clip(model: Path, out: Path, clip: str, *more: str, data: Path = CLIPS) -> float:
    """`vsscli infer`; the share of pixels that are as recorded, all of them where the best class leads clearly."""
    command = ["infer", str(data), "--model", str(model), "--size", "native", "--out", str(out), *more]
    assert run([*command, "--videos", CLIP_FOLDER[clip]]) == 0
    same = stacked(out, clip) == recording(clip)["semantic_vspw"]
    return float(same.mean()) if same[recording(clip)["margin_e4"] >= 10].all() else min(float(same.mean()), 0.99)


@pytest.mark.parametrize(("clip", "more"), [("clipA", ()), ("clipB", ("--key-interval", "3"))])
def test_the_published_maps(clip: str, more: Sequence[str], published: Path, tmp_path: Path) -> None:
    """Every fifth frame is a key frame by default; clip B has a second key frame early on, and padding."""
    assert infer_clip(published, tmp_path / "run", clip, *more) >= 0.999
    for expected in (MPVSS / "expected" / CLIP_FOLDER[clip]).iterdir():
        written = np.asarray(Image.open(tmp_path / "run" / CLIP_FOLDER[clip] / expected.name))
        assert (written == np.asarray(Image.open(expected))).mean() >= 0.999
    identity = open_run(tmp_path / "run").manifest
    assert identity is not None
    assert (identity.identity["key_interval"], identity.identity["propagate"]) == (INTERVAL[clip], "mpvss")


def test_mistakes_show_in_the_maps(published: Path, tmp_path: Path) -> None:
    """Another interval, a copy in place of the flow, colours in the wrong order."""
    assert infer_clip(published, tmp_path / "interval", "clipB", "--key-interval", "2") < 0.9
    assert infer_clip(published, tmp_path / "zero", "clipB", "--key-interval", "3", "--propagate", "zero") < 0.9
    folder = tmp_path / "v" / CLIP_FOLDER["clipB"]
    folder.mkdir(parents=True)
    for path in sorted((CLIPS / "data" / CLIP_FOLDER["clipB"] / "origin").iterdir()):
        Image.fromarray(np.asarray(Image.open(path))[..., ::-1].copy()).save(folder / f"{path.stem}.png")
    wrong = infer_clip(published, tmp_path / "bgr", "clipB", "--key-interval", "3", data=folder.parent)
    assert wrong < 0.5


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random(tmp_path_factory.mktemp("models") / "mpvss")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A network of masks and one of logits, which have no flow."""
    folder = tmp_path_factory.mktemp("models")
    return {kind: write(folder / kind, kind) for kind in ("mask2former", "segformer")}


IMAGE = np.zeros((2, 3, 3), np.uint8)


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 9), st.integers(1, 5), st.integers(2, 9))
def test_a_video_is_cut_at_its_key_frames(large: list[bool], interval: int, batch: int, waiting: int) -> None:
    """In order, none lost; key frames where they must be and nowhere else; never more than may wait."""
    images = [(str(i), np.zeros((4, 3, 3), np.uint8) if flag else IMAGE) for i, flag in enumerate(large)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_WAITING", waiting)
        cut = list(stretches(iter(images), every(interval)))
        together = list(groups(iter(images), every(interval), interval, batch))
    assert [named for s in cut for named in ([s.key] if s.key else []) + s.others] == images
    assert all(len(s.others) < waiting for s in cut if s.key) and all(len(s.others) <= waiting for s in cut)
    found = [int(s.key[0]) for s in cut if s.key]
    expected, last = [], -interval
    for i, flag in enumerate(large):
        if i - last >= interval or flag != large[last]:
            expected.append(i)
            last = i
    assert found == expected
    assert [stretch for group in together for stretch in group] == cut
    for group in together:
        assert len(group) <= batch and (len(group) == 1 or all(s.key for s in group))
        assert len(group) == 1 or len(group) * interval <= waiting


@pytest.mark.parametrize(("interval", "batch"), [(5, 16), (40, 16), (500, 16), (10**6, 1)])
def test_few_enough_frames_wait(interval: int, batch: int) -> None:
    read, given_ = 0, 0

    def images() -> Iterator[tuple[str, Maps]]:
        nonlocal read
        for i in range(1000):
            read += 1
            yield str(i), IMAGE

    for group in groups(images(), every(interval), interval, batch):
        given_ += sum(len(stretch.others) + (stretch.key is not None) for stretch in group)
        assert read - given_ <= 1  # the frame that told where the last stretch ends
        assert sum(map(len, (stretch.others for stretch in group))) <= module.MOST_WAITING
    assert read == given_ == 1000


def test_a_stretch_longer_than_may_wait(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts, from the same key frame: the same maps."""
    data = make_video(tmp_path / "v" / "a", 9, 50, 75).parent
    infer(data, tmp_path / "whole", small, size="64", key_interval=8)
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    infer(data, tmp_path / "parts", small, size="64", key_interval=8)
    assert visible(tmp_path / "whole") == visible(tmp_path / "parts")


def test_key_frames_are_the_segmenters_own(small: Path, tmp_path: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 8, 50, 75).parent
    infer(data, tmp_path / "all", small, size="64", key_interval=1)
    infer(data, tmp_path / "some", small, size="64", key_interval=3)
    every, some = maps(tmp_path / "all", "a"), maps(tmp_path / "some", "a")
    for i, (one, other) in enumerate(zip(every, some, strict=True)):
        assert np.array_equal(one, other) == (i % 3 == 0)
        assert len(np.unique(other)) > 1
    assert "key_interval" not in open_run(tmp_path / "all").manifest.identity  # type: ignore[union-attr]


def test_however_the_work_is_cut_the_bytes_are_the_same(small: Path, tmp_path: Path) -> None:
    """Key frames at once, workers, shards; views that are voted."""
    for name, count in (("a", 5), ("b", 1), ("c", 4)):
        make_video(tmp_path / "v" / name, count, 50, 75)
    data = tmp_path / "v"
    asked: dict[str, Any] = {"size": "64", "key_interval": 2, "flip": True}
    infer(data, tmp_path / "one", small, batch=1, **asked)
    infer(data, tmp_path / "three", small, batch=3, **asked)
    infer(data, tmp_path / "two", small, ("cpu", "cpu"), **asked)
    for videos in (("b",), ("a", "c")):
        stage = build(open_dataset(data), Request(str(small), **asked), ["cpu"], tmp_path / "parts").stage
        assert not produce(stage, tmp_path / "parts", videos).failed
    whole = visible(tmp_path / "one")
    assert len({label for labels in maps(tmp_path / "one", "a") for label in np.unique(labels)}) > 1
    for other in ("three", "two", "parts"):
        assert visible(tmp_path / other) == whole, other


@pytest.mark.parametrize("how", ["farneback", "zero"])
def test_classical_flow_does_not_depend_on_how_many_at_once(how: str, small: Path, tmp_path: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 7, 50, 75).parent
    for batch in (1, 3):
        infer(data, tmp_path / str(batch), small, batch=batch, size="64", key_interval=3, propagate=how)
    assert visible(tmp_path / "1") == visible(tmp_path / "3")


def test_an_accelerator_takes_them_in_batches(small: Path, tmp_path: Path) -> None:
    """Key frames of several stretches, then the frames between; there is none here, so the CPU under another name."""
    data = make_video(tmp_path / "v" / "a", 11, 50, 75).parent
    stage = build(open_dataset(data), Request(str(small), "64", batch=3), ["cpu:0"], tmp_path / "run").stage
    assert not produce(stage, tmp_path / "run", ("a",), ["cpu:0"]).failed
    infer(data, tmp_path / "one", small, size="64")
    for one, other in zip(maps(tmp_path / "run", "a"), maps(tmp_path / "one", "a"), strict=True):
        assert (one == other).mean() > 0.99


def test_frames_of_two_sizes_in_one_video(small: Path, tmp_path: Path) -> None:
    """Nothing is carried from one size to another: a key frame comes early."""
    folder = make_video(tmp_path / "v" / "a", 2, 50, 75)
    for i in (2, 3, 4):
        Image.fromarray(picture(64, 48, seed=i)).save(folder / f"{i:04d}.png")
    infer(folder.parent, tmp_path / "run", small, size="48", key_interval=4)
    infer(folder.parent, tmp_path / "all", small, size="48", key_interval=1)
    found, every = maps(tmp_path / "run", "a"), maps(tmp_path / "all", "a")
    assert [labels.shape for labels in found] == [(50, 75)] * 2 + [(64, 48)] * 3
    assert [np.array_equal(*pair) for pair in zip(found, every, strict=True)] == [True, False, True, False, False]


@pytest.mark.parametrize("kind", ["mask2former", "segformer"])
def test_a_copy_is_a_copy(kind: str, tiny: dict[str, Path], tmp_path: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 5, 50, 75).parent
    infer(data, tmp_path / "all", tiny[kind], size="64")
    infer(data, tmp_path / "zero", tiny[kind], size="64", key_interval=3, propagate="zero", keep_topk=2)
    every, some = maps(tmp_path / "all", "a"), maps(tmp_path / "zero", "a")
    assert all(np.array_equal(labels, every[i // 3 * 3]) for i, labels in enumerate(some))
    kept = sorted((tmp_path / "zero" / ".vsscli" / "topk" / "a").iterdir())
    assert len(kept) == 5 and kept[0].read_bytes() == kept[2].read_bytes() != kept[3].read_bytes()


@pytest.mark.parametrize("kind", ["masks", "segformer"])
def test_classical_flow_follows_what_moves(kind: str, small: Path, tiny: dict[str, Path], tmp_path: Path) -> None:
    """A picture that moves by 4 pixels a frame: the map of its key frame, moved, and no copy of it."""
    folder = tmp_path / "v" / "a"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0).integers(0, 256, (28, 40, 3)).astype(np.uint8)
    scene = Image.fromarray(random).resize((320, 224), Image.Resampling.BICUBIC)
    for i in range(3):
        scene.crop((4 * i, 0, 4 * i + 256, 192)).save(folder / f"{i}.png")
    model = small if kind == "masks" else tiny["segformer"]
    infer(folder.parent, tmp_path / "run", model, size="native", key_interval=3, propagate="farneback")
    first, _, third = (labels[16:-16] for labels in maps(tmp_path / "run", "a"))
    inside = slice(16, -24)
    moved = (third[:, inside] == np.roll(first, -8, 1)[:, inside]).mean()
    copied = (third[:, inside] == first[:, inside]).mean()
    assert moved > 0.93 and moved > copied + 0.02, (moved, copied)


def test_a_run_is_continued_with_its_own_key_frames_only(small: Path, tmp_path: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 3, 50, 75).parent
    command = ["infer", str(data), "--model", str(small), "--size", "64", "--out", str(tmp_path / "run")]
    assert run(command) == 0
    assert run([*command, "--key-interval", "5"]) == 0
    before = visible(tmp_path / "run")
    for other in (["--key-interval", "4"], ["--key-interval", "1"], ["--propagate", "zero"]):
        assert run([*command, *other]) == 2
    assert visible(tmp_path / "run") == before


def test_what_is_asked_is_told(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_video(tmp_path / "v" / "a", 2, 20, 30).parent
    command = ["infer", str(data), "--model", str(small), "--out", str(tmp_path / "run"), "--dry-run"]
    for more, told in (
        ([], "every 5 frames a key frame, carried on by the model's own flow of every mask"),
        (["--key-interval", "3", "--propagate", "farneback"], "every 3 frames a key frame, carried on by Farneback's"),
        (["--propagate", "zero"], "every 5 frames a key frame, copied on"),
    ):
        assert run([*command, *more]) == 0
        said = " ".join(capsys.readouterr().err.split())
        assert "MPVSS, short side 480, long side at most 853 as its family does, for the model does not tell" in said
        assert f"float32; {told}" in said


def test_a_segmenter_of_dvis_can_be_carried(tmp_path: Path) -> None:
    from tests.models.dvis.folders import write_random as write_dvis

    data = make_video(tmp_path / "v" / "a", 3, 50, 75).parent
    model = write_dvis(tmp_path / "model", "segmenter")
    infer(data, tmp_path / "run", model, size="64", key_interval=3, propagate="farneback")
    assert len(maps(tmp_path / "run", "a")) == 3
    with pytest.raises(OptionError, match="DVIS\\+\\+ segmenter has no flow of its own"):
        build(open_dataset(data), Request(str(model), key_interval=3), ["cpu"], tmp_path / "x")
