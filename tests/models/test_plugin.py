"""A model from outside: the guide's own file, installed and run by the real command."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support import make_vspw
from vsscli.cli.main import run
from vsscli.errors import ModelError
from vsscli.guides import read_guide
from vsscli.models.card import describe_model
from vsscli.models.load import load_model


def block(kind: str) -> str:
    (code,) = re.findall(rf"^```{kind}\n(.*?)^```$", read_guide("plugins"), re.M | re.S)
    return str(code)


def install(site: Path, module: str, code: str, points: str) -> None:
    """What ``pip install`` leaves of a distribution: its module, its metadata."""
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{module}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[vsscli.models]\n{points}\n")


def save_weights(path: Path) -> None:
    """Sky where the mean of a square of 4x4 is bright."""
    weight = torch.zeros(2, 3, 4, 4)
    weight[0] = 1 / 48
    torch.save({"weight": weight, "bias": torch.zeros(2)}, path)


def test_the_guides_own_plugin_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = block("toml")
    points = re.search(r'entry-points."vsscli.models"\]\n(.*)\n', project)
    assert points is not None and points[1] == 'horizon = "horizon:Horizon"'
    install(tmp_path / "site", "horizon", block("python"), points[1].replace('"', ""))
    save_weights(tmp_path / "horizon.pt")
    make_vspw(tmp_path / "data", {"1_a": (3, 48, 64), "2_b": (2, 48, 64)})
    bright = np.zeros((48, 64, 3), np.uint8)
    bright[:24] = 255
    frame = sorted((tmp_path / "data" / "data" / "1_a" / "origin").iterdir())[0]
    Image.fromarray(bright).save(frame, quality=95)
    (tmp_path / "mine.csv").write_text("source,target\nsky,sky\nground,ground\n")

    words = ["infer", "data", "--model", "horizon:horizon.pt", "--class-map", "mine.csv", "--scales", "1.0,1.2"]
    words += ["--out", "run"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *sys.path])}
    command = [sys.executable, "-m", "vsscli", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Horizon (a plug-in), short side 120" in done.stderr
    labels = np.asarray(Image.open(tmp_path / "run" / "1_a" / f"{frame.stem}.png"))
    table = json.loads((tmp_path / "run" / "run.json").read_text())
    assert table["identity"]["family"] == "plugin:horizon" and table["about"]["model"] == "horizon:horizon.pt"
    assert len(set(labels[:22].flat)) == len(set(labels[26:].flat)) == 1 and labels[0, 0] != labels[-1, 0]

    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": -torch.ones(2, 3, 4, 4), "bias": torch.ones(2)}, tmp_path / "horizon.pt")
    assert run(words) == 2
    assert "was made otherwise (model:" in " ".join(capsys.readouterr().err.split())
    assert run(["models"]) == 0
    assert "--model horizon (horizon 1.0)" in capsys.readouterr().out


BAD = """
import torch
from vsscli.models.plugin import DenseScores, Plugin, Preprocess, QueryScores
class Wrong(Plugin):
    classes = ("sky", "ground")
    def load(self, device): pass
    def forward(self, pixels): return [DenseScores(torch.zeros(3, 4, 4), True)]
class Nameless(Wrong):
    classes = ()
class Few(Wrong):
    def forward(self, pixels): return []
class Lost(Wrong):
    def files(self): return ["no/such/weights.pt"]
class Exits(Wrong):
    def __init__(self, argument=""): raise SystemExit(0)
class ExitsLate(Wrong):
    def load(self, device): raise SystemExit(0)
class ExitsLast(Wrong):
    def forward(self, pixels): raise SystemExit(0)
class Unloaded(Wrong):
    def load(self, device): raise ValueError("no weights\\nat all")
class NoFiles(Wrong):
    def files(self): return None
class Numbers(Wrong):
    def files(self): return [5]
class Raising(Wrong):
    def files(self): raise KeyError("x")
class Unprepared(Wrong):
    preprocess = None
class Absurd(Wrong):
    preprocess = Preprocess(short=-5, cap=0, divisor=0)
class Flat(Wrong):
    preprocess = Preprocess(None, None, divisor=0)
class Twice(Wrong):
    classes = ("sky", "sky")
class Negative(Wrong):
    def forward(self, pixels): return [QueryScores(-torch.ones(3, 2), torch.zeros(3, 4, 4))]
class Loud(Wrong):
    def load(self, device): print("some talk")
def broken(argument): raise ZeroDivisionError("a fault of theirs")
other = dict
"""


def test_what_is_amiss_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (*re.findall(r"^class (\w+)", BAD, re.M), "broken", "absent")
    points = "\n".join(f"{name.lower()} = badplugin:{name}" for name in names)
    points += "\ntiny = badplugin:Loud\npmt-dinov2-vitl = badplugin:Loud"
    install(tmp_path, "badplugin", BAD, f"{points}\nnone = badplugin:other\ngone = nosuchmodule:x\nleaves = leaver:x")
    (tmp_path / "leaver.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, sentence in (
        ("nameless", "does not name its classes"),
        ("broken", "cannot be made: ZeroDivisionError: a fault of theirs"),
        ("absent", "cannot be made: AttributeError"),
        ("gone", "cannot be made: ModuleNotFoundError"),
        ("exits", r"plug-in exits .*cannot be made: it calls sys.exit\(0\)"),
        ("leaves", r"cannot be made: it calls sys.exit\(0\)"),
        ("unprepared", "preprocess is no Preprocess, but NoneType"),
        ("absurd", "makes no sense: short -5 is no number of pixels"),
        ("flat", "makes no sense: divisor 0"),
        ("twice", "has the class 'sky' more than once"),
        ("tiny", "has the name of a model that vsscli knows itself"),
        ("pmt-dinov2-vitl", "has the name of a model that vsscli knows itself"),
        ("none", "cannot be made|is no vsscli.models.plugin.Plugin"),
    ):
        with pytest.raises(ModelError, match=sentence):
            describe_model(name)
    with pytest.raises(ModelError, match=r"no/such/weights.pt, which the model lost needs, cannot be read"):
        describe_model("lost").digest  # noqa: B018
    for name, sentence in (
        ("nofiles", "does not tell its files: TypeError"),
        ("numbers", "does not tell its files: 5 is no path"),
        ("raising", "does not tell its files: KeyError"),
    ):
        with pytest.raises(ModelError, match=sentence):
            describe_model(name).digest  # noqa: B018
    assert len(describe_model("wrong:" + "x" * 5000).digest) == 64
    with pytest.raises(ModelError, match=r"exitslate cannot be loaded: it calls sys.exit\(0\)"):
        load_model("exitslate")
    with pytest.raises(ModelError, match="unloaded cannot be loaded: ValueError: no weights[.]"):
        load_model("unloaded")
    pixels = torch.zeros(2, 3, 8, 8)
    with pytest.raises(ModelError, match=r"exitslast gave no scores: it calls sys.exit\(0\)"):
        load_model("exitslast").forward(pixels)  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="gave a negative probability"):
        load_model("negative").forward(pixels[:1])  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="gave DenseScores of another shape than its 2 classes"):
        load_model("wrong").forward(pixels[:1])  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="gave 0 scores for 2 frames"):
        load_model("few").forward(pixels)  # type: ignore[union-attr]
    with pytest.raises(ModelError, match="There is no model folder nothing"):
        describe_model("nothing")


def test_a_plugin_that_leaves_or_talks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In this process and in workers: exit code 2 and one sentence, nothing on stdout."""
    points = "\n".join(f"{name.lower()} = badplugin:{name}" for name in ("ExitsLate", "Unloaded", "Loud"))
    install(tmp_path / "site", "badplugin", BAD, points)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    make_vspw(tmp_path / "data", {"1_a": (1, 48, 64), "2_b": (1, 48, 64)})
    (tmp_path / "mine.csv").write_text("source,target\nsky,sky\nground,ground\n")
    words = ["infer", str(tmp_path / "data"), "--class-map", str(tmp_path / "mine.csv"), "--device", "cpu"]
    for name, workers, code, told in (
        ("exitslate", "2", 2, "error: The model plug-in exitslate cannot be loaded: it calls sys.exit(0)."),
        ("unloaded", "1", 2, "error: The model plug-in unloaded cannot be loaded: ValueError: no weights."),
        ("loud", "1", 1, "some talk"),
    ):
        assert run([*words, "--workers", workers, "--model", name, "--out", str(tmp_path / name)]) == code
        out, err = capfd.readouterr()
        assert told in err and "Traceback" not in err and not out
