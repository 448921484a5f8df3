"""VidEoMT, PMT and LVMT over videos: the published label maps, from checkpoint to PNG; the same however work is cut."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.fixtures.formula import weights
from tests.fixtures.recorded import CLIPS, recorded_vmt, vmt_key_list
from tests.infer.recorded import agreement, copy_clip, require_same_bytes, stacked
from tests.infer.test_stage import infer, make_video, maps, visible
from tests.models.dvis.cases import CLIP_FOLDER
from tests.models.dvis.folders import write_recorded as write_dvis
from tests.models.tiny import picture
from tests.models.vmt.cases import SMALL
from tests.models.vmt.folders import write_random, write_recorded
from vsscli.cli.main import run
from vsscli.data.open import open_dataset
from vsscli.engine import produce
from vsscli.infer.build import build
from vsscli.infer.request import Request
from vsscli.runs.scores import scores_folder

KINDS = ("videomt", "pmt", "lvmt")
ONE_OF_EACH = ("videomt_tiny", "pmt_dinov2_tiny", "lvmt_dinov3_tiny")


@pytest.mark.parametrize("arch", SMALL)
def test_from_a_checkpoint_to_the_published_maps(arch: str, tmp_path: Path) -> None:
    """The two commands a user types; the PNGs are compared."""
    torch.save({"model": weights(vmt_key_list(arch), "public")}, tmp_path / "w.pth")
    model, out = str(tmp_path / "model"), str(tmp_path / "run")
    assert run(["convert", str(tmp_path / "w.pth"), "--out", model, "--set", "vit_heads=4"]) == 0
    assert run(["infer", str(CLIPS), "--model", model, "--size", "native", "--out", out]) == 0
    for clip in CLIP_FOLDER:
        share, clear = agreement(stacked(tmp_path / "run", clip), recorded_vmt(f"{arch}_{clip}"))
        assert share >= 0.999 and clear, f"{clip}: {share}"


@pytest.mark.parametrize(
    ("arch", "clip", "short"), [*((arch, "clipA", 104) for arch in SMALL), ("videomt_tiny", "clipB", 240)]
)
def test_resized_frames(arch: str, clip: str, short: int, tmp_path: Path) -> None:
    """Resized, padded to multiples of 32, and back to the frame's size."""
    infer(copy_clip(tmp_path / "v", clip), tmp_path / "run", write_recorded(tmp_path / "model", arch), size=str(short))
    share, clear = agreement(stacked(tmp_path / "run", clip), recorded_vmt(f"{arch}_{clip}_short{short}"))
    assert share >= 0.999 and clear, share


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The small recorded models as folders, made once."""
    folder, made = tmp_path_factory.mktemp("vmt"), dict[str, Path]()

    def find(arch: str) -> Path:
        if arch not in made:
            write = write_dvis if arch.startswith("dvis") else write_recorded
            made[arch] = write(folder / arch, arch)
        return made[arch]

    return find


def test_classes_left_in_their_order_show(clip: Path, tmp_path: Path) -> None:
    model = write_recorded(tmp_path / "model", "lvmt_dinov2_tiny", ordered=False)
    infer(clip, tmp_path / "run", model, size="native")
    assert agreement(stacked(tmp_path / "run", "clipA"), recorded_vmt("lvmt_dinov2_tiny_clipA"))[0] < 0.1


@pytest.mark.parametrize("arch", ["pmt_dinov2_tiny", "lvmt_dinov3_tiny"])
def test_however_the_work_is_cut_the_bytes_are_the_same(arch: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Frames at once, workers, shards; the store in memory or in its file; with and without the video's end."""
    causal, processes = arch.startswith("pmt"), arch.startswith("lvmt")  # starting processes takes longest
    require_same_bytes(tiny(arch), tmp_path, (4, 1, 2), processes, causal=causal)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("frames", "size", "side"),
    [(1, (64, 96), "native"), (2, (75, 50), "64"), (2, (33, 131), "48"), (1, (360, 640), "32"), (2, (20, 20), "16")],
)
def test_any_length_and_shape(kind: str, frames: int, size: tuple[int, int], side: str, tmp_path: Path) -> None:
    """One frame, portrait, odd, large, so small that mask logits are less to keep than patches."""
    model = write_random(tmp_path / "model", kind, encoder="dinov2" if kind == "videomt" else "dinov3")
    infer(make_video(tmp_path / "v" / "a", frames, *size), tmp_path / "run", model, size=side)
    found = maps(tmp_path / "run", "a")
    assert [labels.shape for labels in found] == [size] * frames


def test_frames_of_two_sizes_in_one_video(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = make_video(tmp_path / "v" / "a", 2, 50, 75)
    for i in (2, 3):
        Image.fromarray(picture(64, 48, seed=i)).save(folder / f"{i:04d}.png")
    infer(folder.parent, tmp_path / "run", tiny("lvmt_dinov3_tiny"), size="48", batch=3)
    assert [labels.shape for labels in maps(tmp_path / "run", "a")] == [(50, 75)] * 2 + [(64, 48)] * 2


@pytest.mark.parametrize("arch", ["videomt_tiny", "lvmt_dinov3_tiny"])
def test_what_is_kept_changes_nothing(
    arch: str, tiny: Callable[[str], Path], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patches and mask embeddings, or mask logits: the same maps."""
    infer(clip, tmp_path / "tokens", tiny(arch), size="native")
    monkeypatch.setattr("vsscli.models.vmt.config.VmtConfig.keeps_tokens", lambda self, cells: False)
    infer(clip, tmp_path / "logits", tiny(arch), size="native")
    assert visible(tmp_path / "tokens") == visible(tmp_path / "logits")


@pytest.mark.parametrize("arch", [*ONE_OF_EACH, "dvis_tiny_online"])
def test_causal_is_what_the_video_so_far_would_give(
    arch: str, tiny: Callable[[str], Path], clip: Path, tmp_path: Path
) -> None:
    """Each frame's map is that of the last frame of a video that ends there; so the last of all is the usual one."""
    infer(clip, tmp_path / "causal", tiny(arch), size="native", causal=True, batch=3)
    causal, name = stacked(tmp_path / "causal", "clipA"), CLIP_FOLDER["clipA"]
    frames = sorted((clip / name).iterdir())
    usual = None
    for end in (1, 3, len(frames)):
        part = tmp_path / f"first{end}" / name
        part.mkdir(parents=True)
        for path in frames[:end]:
            shutil.copy(path, part)
        infer(part.parent, tmp_path / f"run{end}", tiny(arch), size="native")
        usual = stacked(tmp_path / f"run{end}", "clipA")
        assert np.array_equal(usual[-1], causal[end - 1])
    assert usual is not None and (usual[0] != causal[0]).any(), "the two methods would be one"


def test_causal_is_another_run(tiny: Callable[[str], Path], clip: Path, tmp_path: Path) -> None:
    command = ["infer", str(clip), "--model", str(tiny("pmt_dinov2_tiny")), "--size", "48", "--out"]
    assert run([*command, str(tmp_path / "run"), "--causal"]) == 0
    assert json.loads((tmp_path / "run" / "run.json").read_text())["identity"]["causal"] is True
    assert run([*command, str(tmp_path / "run")]) == 2
    assert run([*command, str(tmp_path / "usual")]) == 0
    assert "causal" not in json.loads((tmp_path / "usual" / "run.json").read_text())["identity"]


def test_class_scores_are_kept(tiny: Callable[[str], Path], clip: Path, tmp_path: Path) -> None:
    """And two runs that kept them can be averaged."""
    for arch in ("videomt_tiny", "lvmt_dinov3_tiny"):
        infer(clip, tmp_path / arch, tiny(arch), size="native", keep_topk=4)
        assert len(list(scores_folder(tmp_path / arch, CLIP_FOLDER["clipA"]).iterdir())) >= 1
    runs = [str(tmp_path / arch) for arch in ("videomt_tiny", "lvmt_dinov3_tiny")]
    assert run(["ensemble", *runs, "--method", "mean", "--out", str(tmp_path / "mean")]) == 0


@pytest.mark.parametrize("arch", ["videomt_tiny", "lvmt_dinov3_tiny"])
def test_an_accelerator_gives_nearly_the_same(
    arch: str, tiny: Callable[[str], Path], clip: Path, tmp_path: Path
) -> None:
    """Batches of frames instead of threads; there is no accelerator here, so the CPU under another name."""
    stage = build(open_dataset(clip), Request(str(tiny(arch)), "native", batch=4), ["cpu:0"], tmp_path / "r").stage
    assert not produce(stage, tmp_path / "r", (CLIP_FOLDER["clipA"],), ["cpu:0"]).failed
    assert agreement(stacked(tmp_path / "r", "clipA"), recorded_vmt(f"{arch}_clipA"))[0] >= 0.999


@pytest.mark.parametrize("arch", ONE_OF_EACH)
def test_half_precision_runs(arch: str, tiny: Callable[[str], Path], clip: Path, tmp_path: Path) -> None:
    """bfloat16 on the CPU stands for half precision on an accelerator: other maps, but not many."""
    infer(clip, tmp_path / "run", tiny(arch), size="native", dtype="bf16")
    assert agreement(stacked(tmp_path / "run", "clipA"), recorded_vmt(f"{arch}_clipA"))[0] > 0.6
