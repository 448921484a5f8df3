"""A network over videos: the official arithmetic, whatever the order of work; views and their vote; memory."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file

from tests.infer.semantic_cases import query_scores
from tests.models.tiny import NAMES, change_weights, picture, write
from tests.support import tree
from vsscli.data.classes import vspw_classes
from vsscli.data.open import open_dataset
from vsscli.data.video_backend import load_cv2
from vsscli.engine import Outcome, produce
from vsscli.errors import DeviceError
from vsscli.infer.build import build, find_devices
from vsscli.infer.request import Request
from vsscli.infer.stage import NetworkStage
from vsscli.maps.geometry import network_size, padded_size
from vsscli.models.network import DenseScores, Scores
from vsscli.models.preprocess import Preprocess
from vsscli.runs.merge import vote_runs
from vsscli.runs.run import open_run

IDS = np.array([vspw_classes().index(name) for name in NAMES])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network whose queries keep apart and whose masks are loud, so that its maps hold several classes."""
    folder = write(tmp_path_factory.mktemp("models") / "mask2former", "mask2former")
    factors = {
        r"decoder\.layers.*(out_proj|fc2)\.weight": 0.2,
        r"queries_features": 5,
        r"class_predictor\.weight": 4,
        r"mask_projection\.weight": 6,
        r"mask_projection\.bias": 0,
    }
    weights = load_file(folder / "model.safetensors")
    loud = {k: v * f for pattern, f in factors.items() for k, v in weights.items() if re.search(pattern, k)}
    change_weights(folder, put=loud)
    return folder


def make_video(folder: Path, frames: int, height: int, width: int, flip: bool = False) -> Path:
    """A plain folder of PNG frames (PNG: a mirrored frame is exactly the mirror of a frame)."""
    folder.mkdir(parents=True)
    for i in range(frames):
        frame = picture(height, width, seed=i)
        Image.fromarray(frame[:, ::-1] if flip else frame).save(folder / f"{i:04d}.png")
    return folder


def infer(data: Path, out: Path, model: Path, devices: tuple[str, ...] = ("cpu",), **asked: Any) -> Outcome:
    dataset = open_dataset(data)
    stage = build(dataset, Request(str(model), **asked), devices, out).stage
    outcome = produce(stage, out, dataset.names(), devices)
    assert not outcome.failed, outcome.failed
    return outcome


def maps(run: Path, video: str) -> list[NDArray[np.uint8]]:
    opened = open_run(run)
    return [opened.labels(video, frame) for frame in opened.frames(video)]


def visible(run: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(run).items() if ".vsscli" not in name}


@pytest.mark.parametrize(
    ("frame", "size"),
    [
        ((64, 96), "native"),
        ((50, 75), "native"),
        ((75, 50), "64"),
        ((96, 64), "48"),
        ((61, 131), "80"),
        ((40, 40), "33"),
    ],
)
def test_label_maps_are_the_definition_in_float64(
    tmp_path: Path, model: Path, frame: tuple[int, int], size: str
) -> None:
    """Padded, odd, portrait, enlarged and shrunk frames, every step by hand."""
    infer(make_video(tmp_path / "v" / "a", 2, *frame), tmp_path / "run", model, size=size)
    network = transformers.Mask2FormerForUniversalSegmentation.from_pretrained(model).eval()
    short = None if size == "native" else int(size)
    inner = network_size(*frame, short, None if short is None else 1333 * short // 720)
    padded = padded_size(*inner, 32)
    for i, labels in enumerate(maps(tmp_path / "run", "a")):
        image = Image.fromarray(picture(*frame, seed=i)).resize((inner[1], inner[0]), Image.Resampling.BILINEAR)
        pixels = torch.zeros(1, 3, *padded)
        normal = (np.asarray(image) - np.array([123.675, 116.28, 103.53])) / np.array([58.395, 57.12, 57.375])
        pixels[0, :, : inner[0], : inner[1]] = torch.from_numpy(normal.transpose(2, 0, 1))
        with torch.no_grad():
            found = network(pixel_values=pixels, output_hidden_states=True)
        prob = found.class_queries_logits[0].softmax(-1)[:, :-1]
        scores = query_scores(prob, found.masks_queries_logits[0], padded, inner, frame)
        assert len(np.unique(labels)) > 1
        assert (labels == IDS[scores.argmax(0)]).mean() >= 0.9999


def test_label_maps_are_transformers_own_where_it_is_set_up_the_same(tmp_path: Path, model: Path) -> None:
    """Its post-processing goes through 384x384; a frame of that size makes that step nothing."""
    infer(make_video(tmp_path / "v" / "a", 1, 384, 384), tmp_path / "run", model, size="native")
    network = transformers.Mask2FormerForUniversalSegmentation.from_pretrained(model).eval()
    from transformers.models.mask2former.image_processing_pil_mask2former import Mask2FormerImageProcessorPil

    processor = Mask2FormerImageProcessorPil(do_resize=False)
    with torch.no_grad():
        found = network(**processor(images=picture(384, 384), return_tensors="pt"), output_hidden_states=True)
    (expected,) = processor.post_process_semantic_segmentation(found, target_sizes=[(384, 384)])
    (labels,) = maps(tmp_path / "run", "a")
    assert (labels == IDS[expected.numpy()]).mean() >= 0.9999


def test_a_view_and_its_inverse_are_the_identity(tmp_path: Path, model: Path) -> None:
    """The mirrored view of the mirrored video, mirrored back, is the plain view: also where there is padding."""
    plain = make_video(tmp_path / "plain" / "a", 2, 50, 75)
    mirrored = make_video(tmp_path / "mirrored" / "a", 2, 50, 75, flip=True)
    infer(plain.parent, tmp_path / "run", model, size="64", scales="1.0,1.25", flip=True, keep_views=True)
    infer(mirrored.parent, tmp_path / "back", model, size="64", scales="1.0,1.25", flip=True, keep_views=True)
    for scale in ("1.0", "1.25"):
        views = tmp_path / "run" / ".vsscli" / "views" / scale, tmp_path / "back" / ".vsscli" / "views" / f"{scale}f"
        for one, other in zip(*(maps(view, "a") for view in views), strict=True):
            assert np.array_equal(one, other[:, ::-1])


def test_views_are_runs_and_are_voted_as_any(tmp_path: Path, model: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 3, 50, 75).parent
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    infer(data, kept, model, size="64", scales="0.9,1.0,1.1", flip=True, keep_views=True)
    infer(data, gone, model, size="64", scales="0.9,1.0,1.1", flip=True)
    assert visible(kept) == visible(gone)
    views = [open_run(path) for path in sorted((kept / ".vsscli" / "views").iterdir())]
    assert [view.path.name for view in views] == ["0.9", "0.9f", "1.0", "1.0f", "1.1", "1.1f"]
    voted = [labels for _, labels in vote_runs(views, "a")]
    assert all(np.array_equal(one, other) for one, other in zip(voted, maps(kept, "a"), strict=True))
    assert not list((gone / ".vsscli" / "views").rglob("*.png"))
    record = views[-1].record("a")
    assert record is not None and record.facts["input"] == [70, 105]


def test_views_that_were_kept_stay_kept(tmp_path: Path, model: Path) -> None:
    """They are days of work, and the option is none of those that a run is known by."""
    data, out = make_video(tmp_path / "v" / "a", 2, 50, 75).parent, tmp_path / "run"
    asked: dict[str, Any] = {"size": "48", "scales": "1.0,1.5"}
    infer(data, out, model, keep_views=True, keep_topk=2, **asked)
    before = tree(out / ".vsscli" / "views")
    assert infer(data, out, model, **asked).before == ["a"]
    assert tree(out / ".vsscli" / "views") == before
    assert "views are kept as before" in build(open_dataset(data), Request(str(model), **asked), ["cpu"], out).told
    make_video(tmp_path / "v" / "b", 2, 50, 75)
    assert infer(data, out, model, **asked).done == ["b"]
    assert {path.parent.name for path in (out / ".vsscli" / "views").rglob("*.png")} == {"a", "b"}
    shutil.rmtree(out / ".vsscli" / "views")
    assert infer(data, out, model, **asked).before == ["a", "b"]
    make_video(tmp_path / "v" / "c", 2, 50, 75)
    infer(data, out, model, **asked)
    assert not list((out / ".vsscli" / "views").rglob("*.png"))
    assert infer(data, out, model, **asked).before == ["a", "b", "c"]


def test_apples_gpu_is_not_taken_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert find_devices("auto", None) == ["cpu"] and find_devices("mps", 2) == ["mps", "mps"]


def test_views_of_other_options_do_not_block_a_run_that_made_nothing(tmp_path: Path, model: Path) -> None:
    """Interrupted after a view of the first video: that view's run is there, the run itself is not claimed."""
    data = make_video(tmp_path / "v" / "a", 2, 50, 75).parent
    infer(data, tmp_path / "run", model, size="48", scales="1.0,1.5", keep_views=True)
    for name in ("run.json", "a"):
        path = tmp_path / "run" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (tmp_path / "run" / ".vsscli" / "done" / "a.json").unlink()
    infer(data, tmp_path / "run", model, size="64", scales="1.0,1.5")
    infer(data, tmp_path / "other", model, size="64", scales="1.0,1.5")
    assert visible(tmp_path / "run") == visible(tmp_path / "other")


def test_workers_shards_and_threads_give_the_same_bytes(tmp_path: Path, model: Path) -> None:
    for name, shape in (("a", (50, 75)), ("b", (64, 48)), ("c", (33, 80))):
        make_video(tmp_path / "v" / name, 3, *shape)
    data = tmp_path / "v"
    asked: dict[str, Any] = {"size": "48", "scales": "1.0,1.5"}
    infer(data, tmp_path / "one", model, **asked)
    infer(data, tmp_path / "two", model, ("cpu", "cpu"), **asked)
    dataset = open_dataset(data)
    for videos in (("b",), ("a", "c")):
        produce(
            build(dataset, Request(str(model), **asked), ["cpu"], tmp_path / "parts").stage, tmp_path / "parts", videos
        )
    assert visible(tmp_path / "one") == visible(tmp_path / "two") == visible(tmp_path / "parts")
    batched = build(dataset, Request(str(model), batch=2, **asked), ["cpu:0"], tmp_path / "batched").stage
    produce(batched, tmp_path / "batched", dataset.names(), ["cpu:0"])
    for name in dataset.names():
        for one, other in zip(maps(tmp_path / "one", name), maps(tmp_path / "batched", name), strict=True):
            assert (one == other).mean() > 0.999


class Hungry:
    """A network with room for two frames at once."""

    classes = NAMES
    preprocess = Preprocess(None, None)
    parameters = 0

    def __init__(self, room: int) -> None:
        self.room = room
        self.batches: list[int] = []

    def forward(self, pixels: torch.Tensor) -> list[Scores]:
        self.batches.append(len(pixels))
        if len(pixels) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return [DenseScores(frame.repeat(2, 1, 1)[: len(NAMES)], True) for frame in pixels]


def hungry(tmp_path: Path, model: Path, room: int) -> tuple[NetworkStage, Hungry]:
    """A stage on an accelerator that says it is full: there is none here whose memory could be filled."""
    dataset = open_dataset(make_video(tmp_path / "v" / "a", 7, 20, 30).parent)
    stage = build(dataset, Request(str(model), "native", batch=4), ["cpu:0"], tmp_path / "run").stage
    assert isinstance(stage, NetworkStage)
    network = Hungry(room)
    stage.shared.network, stage.shared.device = network, "cpu:0"
    return stage, network


def test_out_of_memory_halves_the_batch_once_and_says_so(
    tmp_path: Path, model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage, network = hungry(tmp_path, model, 2)
    assert [frame.name for frame in stage.process("a")] == [f"{i:04d}" for i in range(7)]
    assert network.batches == [4, 2, 2, 2, 1]
    assert "going on with 2" in caplog.text


def test_out_of_memory_again_is_an_error_with_advice(tmp_path: Path, model: Path) -> None:
    stage, _ = hungry(tmp_path, model, 1)
    with pytest.raises(DeviceError, match=r"Out of memory at frame 0000 with 2 .* 30x20"):
        list(stage.process("a"))


def test_a_frame_too_small_for_the_network_is_a_sentence(tmp_path: Path, model: Path) -> None:
    data = make_video(tmp_path / "v" / "a", 1, 20, 30).parent
    stage = build(open_dataset(data), Request(str(model), "native"), ["cpu"], tmp_path / "run").stage
    outcome = produce(stage, tmp_path / "run", ("a",))
    assert outcome.failed["a"].startswith("Frame 0000 is too small for this network (30x20).")


def test_a_film_that_breaks_off_is_told(tmp_path: Path, model: Path, caplog: pytest.LogCaptureFixture) -> None:
    cv2 = load_cv2()
    film = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 15, (96, 64))
    for i in range(10):
        writer.write(picture(64, 96, seed=i))
    writer.release()
    whole = film.read_bytes()
    film.write_bytes(whole[: len(whole) * 2 // 3])
    infer(film, tmp_path / "run", model, size="48")
    frames = open_run(tmp_path / "run").frames("film")
    assert frames == tuple(f"{i:08d}" for i in range(1, len(frames) + 1)) and 3 <= len(frames) < 10
    assert f"{film}: only {len(frames)} of 10 frames decode" in caplog.text


MEMORY = """
import sys
from pathlib import Path
from tests.support import peak_memory
from tests.infer.test_stage import infer
infer(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), size="32")
print(peak_memory())
"""


def test_memory_does_not_grow_with_the_video(tmp_path: Path, model: Path) -> None:
    peaks = []
    frame = tmp_path / "frame.png"
    Image.fromarray(picture(240, 320)).save(frame)
    for count in (40, 340):
        folder = tmp_path / f"v{count}" / "a"
        folder.mkdir(parents=True)
        for i in range(count):
            (folder / f"{i:04d}.png").hardlink_to(frame)
        command = [sys.executable, "-c", MEMORY, str(folder.parent), str(tmp_path / f"run{count}"), str(model)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "MALLOC_ARENA_MAX": "2"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        peaks.append(int(done.stdout))
    grown = (peaks[1] - peaks[0]) / 300
    assert grown < 30, f"{grown:.0f} KiB a frame; one frame is 225 KiB, its map 75 KiB"
