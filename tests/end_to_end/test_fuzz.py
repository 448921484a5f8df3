"""Runs the harness of `fuzz` over its table."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.cli.recipes.small import write_recipe
from tests.data.trees import save_video
from tests.end_to_end.fuzz import VERBS, Result, attack
from tests.models.convert.official import write as write_official
from tests.models.convert.test_conversion import OFFICIAL
from tests.models.mpvss.cases import write_random as write_mpvss
from tests.models.tiny import write
from tests.models.vmt.folders import write_random
from tests.postprocess.server import Server
from tests.postprocess.worlds import first_offered, write_groups
from tests.support import make_vspw
from tests.train.small import flownet_weights, write_config, write_model
from vsscli.cli.main import run
from vsscli.data.classes import vspw_classes
from vsscli.models.card import describe_model
from vsscli.models.source import WEIGHTS
from vsscli.models.vmt.keys import untranslate

VIDEOS = {"1_a": (3, 24, 32), "2_b": (2, 20, 28), "3_c": (4, 24, 24)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound folder of everything that verbs read; a place is named by the stem of its file or folder."""
    root = tmp_path_factory.mktemp("world")
    data = make_vspw(root / "data", VIDEOS)
    for i, name in enumerate(("a", "b", "foreign")):
        model = ["--model", "oracle:noise=0.1" if name == "a" else "oracle:noise=0.3"]
        seed = [] if name == "a" else ["--seed", str(i)]
        assert run(["infer", str(data), *model, *seed, "--out", str(root / name), "--workers", "1"]) == 0
    shutil.rmtree(root / "foreign" / ".vsscli")
    (root / "foreign" / "run.json").unlink()
    assert run(["ensemble", str(root / "a"), str(root / "b"), "--out", str(root / "vote"), "--workers", "1"]) == 0
    chosen = ["ensemble", str(root / "a"), str(root / "b"), "--method", "flow-ssim", "--data", str(data)]
    assert run([*chosen, "--out", str(root / "best"), "--workers", "1"]) == 0
    write_groups(root / "groups.csv")
    write_recipe(root / "recipe.yaml")
    corrected = ["postprocess", str(root / "a"), "--data", str(data), "--llm", "llava", "--groups"]
    with Server(first_offered) as server:
        corrected += [str(root / "groups.csv"), "--base-url", server.url, "--out", str(root / "corrected")]
        assert run([*corrected, "--workers", "1"]) == 0
    packed = ["submit", str(root / "a"), "--data", str(data), "--split", "val", "--out", str(root / "archive.zip")]
    assert run([*packed, "--workers", "1"]) == 0
    world_of = ["data", "synth", str(root / "synth"), "--train", "0", "--val", "1", "--test", "1", "--frames", "2"]
    assert run([*world_of, "--size", "64x48", "--workers", "1"]) == 0
    names = vspw_classes().names
    write(root / "model", "segformer", id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)})
    for name, size in (("scored", "32"), ("scored2", "48")):
        kept = ["--size", size, "--keep-topk", "4", "--device", "cpu", "--out", str(root / name)]
        assert run(["infer", str(data), "--model", str(root / "model"), *kept]) == 0
    training = write_config(
        root / "training.yaml", steps=1, save_every=1, validation={"every": 1, "frames": 1, "videos": 1}
    )
    write_config(root / "training_mpvss.yaml", "mpvss", steps=1, validation={"split": None})
    write_model(root / "segmenter", "segmenter")
    torch.save(flownet_weights(), root / "flownet.pth")
    assert run(["train", str(training), "--data", str(data), "--out", str(root / "trained"), "--device", "cpu"]) == 0
    write_mpvss(root / "mpvss")
    write_official(root / "official.pth", OFFICIAL)
    vmt = write_random(root / "video_model", "lvmt", encoder="dinov3", dim=64)
    write_official(root / "lvmt.pth", untranslate(load_file(vmt / WEIGHTS), describe_model(str(vmt)).config))
    for number in (1, 2):
        save_video(root / "films" / f"film{number}.mp4", 5)
    return root


@pytest.mark.parametrize("name", VERBS)
def test_broken_input(name: str, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(os, "fsync", lambda file: None)  # what a power cut leaves is not the question here
    wrong: list[Result] = []
    codes = {0: 0, 1: 0, 2: 0}
    for number in range(VERBS[name].cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = attack(world, name, number, folder)
        codes[result.code] = codes.get(result.code, 0) + 1
        if result.faults:
            wrong.append(result)
        else:
            shutil.rmtree(folder)
    assert not wrong, "\n\n".join([f"{len(wrong)} of {VERBS[name].cases}", *map(str, wrong)])
    assert codes[1] + codes[2] >= VERBS[name].cases // 10, "this input was not broken"


def test_there_are_enough_broken_inputs() -> None:
    assert sum(verb.cases for verb in VERBS.values()) >= 1000
