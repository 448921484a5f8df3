"""DVIS++ over videos: the published label maps, from checkpoint to PNG; and the same ones however the work is cut."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.fixtures.formula import weights
from tests.fixtures.recorded import CLIPS, DVIS, class_order, key_list, recorded
from tests.infer.recorded import agreement, copy_clip, require_same_bytes, stacked
from tests.infer.test_stage import infer, make_video, maps
from tests.models.dvis.cases import CLIP_FOLDER, PREFIX, load
from tests.models.dvis.folders import write_random, write_recorded
from tests.models.tiny import picture
from vsscli.cli.main import run
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.infer.build import build
from vsscli.infer.request import Request
from vsscli.infer.stage import NetworkStage
from vsscli.models.dvis import video as dvis_video
from vsscli.models.dvis.keys import permute_classes
from vsscli.models.dvis.video import OfflineNetwork
from vsscli.models.preprocess import Preprocess


def agreed(found: NDArray[np.uint8], family: str, kind: str, clip: str, suffix: str = "") -> tuple[float, bool]:
    return agreement(found, recorded(f"{PREFIX[family]}_{kind}_{clip}{suffix}"))


@pytest.mark.parametrize(
    ("family", "kind", "clips"),
    [
        ("tiny", "online", ("clipA", "clipB")),
        ("tiny", "offline", ("clipA", "clipB")),
        ("tinyvit", "online", ("clipA",)),
        ("tinyvit", "offline", ("clipA",)),
        ("r50", "online", ("clipA", "clipB")),
        ("r50", "offline", ("clipA", "clipB")),
    ],
)
def test_from_a_checkpoint_to_the_published_maps(
    family: str, kind: str, clips: tuple[str, ...], tmp_path: Path
) -> None:
    """The two commands a user types; the PNGs are compared."""
    arch = f"dvis_{family}_{kind}"
    torch.save({"model": weights(key_list(arch), "public")}, tmp_path / "w.pth")
    assert run(["convert", str(tmp_path / "w.pth"), "--out", str(tmp_path / "model")]) == 0
    names = ",".join(CLIP_FOLDER[clip] for clip in clips)
    command = ["infer", str(CLIPS), "--model", str(tmp_path / "model"), "--size", "native", "--videos", names]
    assert run([*command, "--out", str(tmp_path / "run")]) == 0
    for clip in clips:
        share, clear = agreed(stacked(tmp_path / "run", clip), family, kind, clip)
        assert share >= 0.999 and clear, f"{clip}: {share}"
        for expected in (DVIS / "expected" / arch / CLIP_FOLDER[clip]).iterdir():
            written = np.asarray(Image.open(tmp_path / "run" / CLIP_FOLDER[clip] / expected.name))
            assert (written == np.asarray(Image.open(expected))).mean() >= 0.999


@pytest.mark.parametrize("kind", ["online", "offline"])
def test_resized_frames(kind: str, tmp_path: Path) -> None:
    """Short side 104, padded, and back to the frame's size."""
    model = write_recorded(tmp_path / "model", f"dvis_tiny_{kind}")
    infer(copy_clip(tmp_path / "v", "clipA"), tmp_path / "run", model, size="104")
    share, clear = agreed(stacked(tmp_path / "run", "clipA"), "tiny", kind, "clipA", "_short104")
    assert share >= 0.999 and clear, share


def test_the_largest_model(tmp_path: Path) -> None:
    """ViT-L, given to the stage as it is: its file would have 1.7 GB."""
    data = copy_clip(tmp_path / "v", "clipA")
    stand_in = write_recorded(tmp_path / "model", "dvis_tiny_offline")
    stage = build(open_dataset(data), Request(str(stand_in), "native"), ["cpu"], tmp_path / "run").stage
    assert isinstance(stage, NetworkStage)
    model = load("vitl")
    model.load_state_dict(permute_classes(model.state_dict(), model.config, class_order()), assign=True)
    model.requires_grad_(False)
    stage.shared.network = OfflineNetwork(model, Preprocess(None, None, divisor=32), torch.device("cpu"), torch.float32)
    stage.shared.device = "cpu"
    found = np.stack([frame.labels for frame in stage.process(CLIP_FOLDER["clipA"])])
    share, clear = agreed(found, "vitl", "offline", "clipA")
    assert share >= 0.999 and clear, share


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The small recorded models as folders, made once."""
    folder, made = tmp_path_factory.mktemp("dvis"), dict[str, Path]()

    def find(kind: str) -> Path:
        if kind not in made:
            made[kind] = write_recorded(folder / kind, f"dvis_tiny_{kind}")
        return made[kind]

    return find


def share_of(run_folder: Path, kind: str) -> float:
    return agreed(stacked(run_folder, "clipA"), "tiny", kind, "clipA")[0]


def test_colours_in_the_wrong_order_show(tiny: Callable[[str], Path], clip: Path, tmp_path: Path) -> None:
    folder = tmp_path / "v" / CLIP_FOLDER["clipA"]
    folder.mkdir(parents=True)
    for path in sorted((clip / CLIP_FOLDER["clipA"]).iterdir()):
        Image.fromarray(np.asarray(Image.open(path))[..., ::-1].copy()).save(folder / f"{path.stem}.png")
    infer(folder.parent, tmp_path / "run", tiny("online"), size="native")
    assert share_of(tmp_path / "run", "online") < 0.5


def test_classes_left_in_their_order_show(clip: Path, tmp_path: Path) -> None:
    model = write_recorded(tmp_path / "model", "dvis_tiny_online", ordered=False)
    infer(clip, tmp_path / "run", model, size="native")
    assert share_of(tmp_path / "run", "online") < 0.1


def test_no_maximum_with_the_trackers_classes_shows(
    tiny: Callable[[str], Path], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dvis_video._Tracking, "classes", lambda self: torch.tensor(0.0))
    infer(clip, tmp_path / "run", tiny("offline"), size="native")
    assert share_of(tmp_path / "run", "offline") < 0.9


def test_a_segmenter_alone_is_a_network_of_frames(clip: Path, tmp_path: Path) -> None:
    """Its maps do not depend on what else is in the video; one alone is what it is in company."""
    model = write_random(tmp_path / "model", "segmenter")
    infer(clip, tmp_path / "run", model, size="native")
    first = sorted((clip / CLIP_FOLDER["clipA"]).iterdir())[3]
    alone = tmp_path / "alone" / "a"
    alone.mkdir(parents=True)
    shutil.copy(first, alone)
    infer(alone.parent, tmp_path / "one", model, size="native")
    assert np.array_equal(maps(tmp_path / "one", "a")[0], stacked(tmp_path / "run", "clipA")[3])


@pytest.mark.parametrize("kind", ["online", "offline"])
def test_however_the_work_is_cut_the_bytes_are_the_same(kind: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Frames at once, workers, shards; the store in memory or in its file."""
    require_same_bytes(tiny(kind), tmp_path, (5, 1, 2))


@pytest.mark.parametrize("kind", ["online", "offline"])
@pytest.mark.parametrize(
    ("frames", "size", "side"),
    [(1, (64, 96), "native"), (2, (75, 50), "64"), (3, (33, 131), "48"), (1, (2160, 3840), "64"), (2, (40, 40), "300")],
)
def test_any_length_and_shape(
    kind: str, frames: int, size: tuple[int, int], side: str, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    """One frame, portrait, odd, 4K, enlarged: maps of the frame's size with more than one class."""
    infer(make_video(tmp_path / "v" / "a", frames, *size), tmp_path / "run", tiny(kind), size=side)
    found = maps(tmp_path / "run", "a")
    assert [labels.shape for labels in found] == [size] * frames
    assert all(len(np.unique(labels)) > 1 for labels in found)


def test_frames_of_two_sizes_in_one_video(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = make_video(tmp_path / "v" / "a", 2, 50, 75)
    for i in (2, 3):
        Image.fromarray(picture(64, 48, seed=i)).save(folder / f"{i:04d}.png")
    infer(folder.parent, tmp_path / "run", tiny("offline"), size="48", batch=3)
    assert [labels.shape for labels in maps(tmp_path / "run", "a")] == [(50, 75)] * 2 + [(64, 48)] * 2


def test_an_accelerator_gives_nearly_the_same(tiny: Callable[[str], Path], clip: Path, tmp_path: Path) -> None:
    """Batches of frames instead of threads; there is no accelerator here, so the CPU under another name."""
    stage = build(open_dataset(clip), Request(str(tiny("offline")), "native", batch=4), ["cpu:0"], tmp_path / "r").stage
    outcome = produce(stage, tmp_path / "r", (CLIP_FOLDER["clipA"],), ["cpu:0"])
    assert not outcome.failed
    assert share_of(tmp_path / "r", "offline") >= 0.999


def test_half_precision_runs(tiny: Callable[[str], Path], clip: Path, tmp_path: Path) -> None:
    """bfloat16 on the CPU stands for half precision on an accelerator: other maps, but not many."""
    infer(clip, tmp_path / "run", tiny("offline"), size="native", dtype="bf16")
    assert share_of(tmp_path / "run", "offline") > 0.6
