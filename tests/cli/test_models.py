"""``vsscli models`` as people call it."""

import json
import subprocess
import sys

import pytest

from vsscli.cli.main import run
from vsscli.models.box import boxed_card, boxed_models
from vsscli.models.catalogue import catalogue

NAMES = tuple(catalogue().models)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["models", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys)
    assert code == 0 and not err
    assert max(map(len, out.splitlines())) <= 80
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.split()[:1] and line.split()[0] in NAMES}
    assert rows["dvis-plus-online-r50"][1:] == ["71.1", "M", "720/1333", "23.6", "MB", "46.9", "92.3", "91.1"]
    assert rows["dvis-plus-offline-vitl"][1:] == ["420.1", "M", "720/1333", "60.3", "MB", "63.8", "95.7", "95.1"]
    assert rows["lvmt-dinov3-vitl"][1:] == ["363.4", "M", "720/1333", "15.9", "MB", "66.4", "-", "95.3"]
    assert set(rows) == set(NAMES)
    told = " ".join(out.split())
    for part in (
        "736x1280",
        "zhangtao-whu/DVIS_Plus",
        "files are not known here",
        "Test size: short side / long side at most, in pixels.",
        "until its video ends, for 736x1280",
        "DVIS++: mask logits online, mask features offline.",
        "LVMT: patches and mask embeddings.",
        "DINOv3's have Meta's own licence",
        "None was measured here, and what VC16 averages is in doubt (models NAME says why).",
        "a licence of the weights is not stated",
        "vsscli convert hf://zhangtao-whu/DVIS_Plus/FILE --out models/NAME",
        "vsscli convert hf://tue-mps/LVMT/FILE --out models/NAME",
        "Mask2Former, OneFormer",
        "MPVSS: weights are nowhere public (its authors released none",
    ):
        assert part in told
    assert "under the name VC16" not in told


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("dvis-plus")])
def test_one_at_length(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, name)
    told = " ".join(out.split())
    assert code == 0 and out.startswith(name)
    model = catalogue().models[name]
    assert f"vsscli convert hf://{model.about.hub}/{model.file} --out models/{name}" in told
    assert (f"VC8 {model.vc8:.1%}" if model.vc8 else f"mIoU {model.miou:.1%}, VC16") in told
    assert f"vsscli infer DATA --model models/{name} --out RUN" in told
    assert "averages VC8 and VC16 windows under the name VC16" in told
    assert "bytes)" in told and "none of them was measured here" in told
    assert all(len(line) <= 80 for line in out.splitlines() if not line.startswith("vsscli"))


def test_one_without_weights_at_length(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "mpvss-swin-b")
    told = " ".join(out.split())
    assert code == 0 and all(len(line) <= 80 for line in out.splitlines())
    assert "weights nowhere public (its authors released none" in told and "vsscli convert FILE --out" in told
    assert "verified for the ResNet-50 alone" in told and "nothing is kept until the video ends" in told


def test_json_on_stdout_is_pure(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "--json", "-")
    found = json.loads(out)
    assert code == 0 and [model["name"] for model in found["models"]] == list(NAMES)
    first = found["models"][0]
    assert first["miou"] == 0.469 and first["kept_bytes_per_frame"] == 100 * 184 * 320 * 4
    assert first["about"]["hub"] == "zhangtao-whu/DVIS_Plus"


def test_a_name_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "dvis-plus-online-r5O")
    assert code == 2 and not out and "Did you mean dvis-plus-online-r50" in err


def test_it_is_quick() -> None:
    script = "import sys; from vsscli.cli.main import run; run(['models']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "dvis-plus" in done.stdout
    assert not {"torch", "transformers", "numpy"} & set(done.stderr.split())


def test_a_model_in_the_box_has_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "tiny")
    assert code == 0 and not err and max(map(len, out.splitlines())) <= 80
    assert call(capsys, "tiny-1")[1] == out and out.startswith("tiny (tiny-1)\n")
    told = " ".join(out.split())
    score = f"mIoU {boxed_card(boxed_models()['tiny'])['miou']:.1%}"
    for part in ("42 of VSPW's 124", "coast, lake, river, winter", score, "c2da3f2245e3", "pipelines/tiny.sh"):
        assert part in told
    assert "vsscli infer DATA --model tiny --out RUN" in told
    assert list(json.loads(call(capsys, "tiny", "--json", "-")[1])["box"]) == ["tiny-1"]
    assert "--model tiny (tiny-1):" in call(capsys)[1]
    assert "key frame" not in told and "a key frame every 5 frames" in " ".join(call(capsys, "tiny-mpvss")[1].split())
    code, _, err = call(capsys, "tinyy")
    assert code == 2 and "Did you mean tiny" in err
