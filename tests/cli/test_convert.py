"""``vsscli convert`` as people call it."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.fixtures.formula import weights
from tests.models.convert.files import BAD, Payload, write_pickle
from tests.models.convert.official import write, write_arch
from tests.models.convert.test_conversion import OFFICIAL
from tests.models.tiny import write as write_tiny
from tests.support import tree
from vsscli.cli.main import run
from vsscli.cli.place import check_space
from vsscli.errors import RunError

FILES = {"config.json", "preprocessor_config.json", "model.safetensors"}


@pytest.fixture
def official(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return write(tmp_path / "in" / "official.pth", {**OFFICIAL, "criterion.empty_weight": torch.ones(125)})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models" / "dvis"


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = run(["convert", *map(str, arguments)])
    captured = capsys.readouterr()
    assert captured.out == ""  # stdout is data
    return code, captured.err


def refused(capsys: pytest.CaptureFixture[str], out: Path, *arguments: object) -> str:
    """The error of a conversion that must fail; nothing may be left behind."""
    before = tree(out.parent)
    code, err = call(capsys, *arguments, "--out", out)
    assert code == 2 and "error: " in err and tree(out.parent) == before
    assert out.exists() == any(path.startswith(out.name) for path in before)
    return err


def test_what_is_said(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, err = call(capsys, official, "--out", out)
    assert code == 0 and {path.name for path in out.iterdir()} == FILES
    for part in ("offline: segmenter", "124 classes", "(short=720)", "(class_order=dvis)", 'beside "model": iteration'):
        assert part in err
    assert err.splitlines()[-1].startswith("convert: ") and err.splitlines()[-1].endswith(f"s -> {out}")
    assert [path.name for path in out.parent.iterdir()] == ["dvis"]
    config = json.loads((out / "config.json").read_text())
    assert "left out what the network does not use (1): criterion.empty_weight\n" in err and "as you set it" not in err
    assert config["model_type"] == "dvis" and config["converted"]["class_order"] == "dvis"


def test_again_is_nothing(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, official, "--out", out)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    code, err = call(capsys, official, "--out", out)
    assert code == 0 and f"{out} holds this very conversion already" in err
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


@pytest.mark.parametrize(("words", "told"), [(("--set", "class_order=kept"), "class_order"), ((), "sha256")])
def test_another_conversion_is_not_overwritten(
    words: tuple[str, ...], told: str, official: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(capsys, official, "--out", out)[0] == 0
    if not words:
        write(official, OFFICIAL, more=1)
    err = refused(capsys, out, official, *words)
    assert f"{out} holds something else: converted.{told} is" in err and "inferred" not in err


def test_a_model_of_transformers_is_not_overwritten(
    official: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny(out, "segformer")
    err = refused(capsys, out, official)
    assert f'{out} holds something else: model_type is "segformer", not "dvis"' in err and "inferred" not in err


def test_a_place_that_is_taken(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out.mkdir()
    (out / "photo.jpg").touch()
    assert "is not empty and is no model folder" in refused(capsys, out, official)
    (out / "photo.jpg").unlink()
    assert call(capsys, official, "--out", out)[0] == 0  # an empty folder will do
    assert "is a file" in refused(capsys, out / "config.json", official)
    for below in ("x", "x/y"):
        err = refused(capsys, out / "config.json" / below, official)
        assert f"lies below {out / 'config.json'}, which is a file" in err


@pytest.mark.parametrize("place", ["/proc/models", "/proc/models/dvis"])
def test_a_place_where_nothing_can_be_made_is_told_first(
    place: str, official: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = call(capsys, official, "--out", place)
    assert code == 2 and f"{place} cannot be written" in err and "inferred" not in err and "tensors" not in err


def test_too_little_space_is_told_before_writing(tmp_path: Path) -> None:
    check_space(tmp_path / "a" / "b", 1)
    with pytest.raises(RunError, match=r"1,152,921,504,607 MB are to be written, and [\d,]+ MB are free"):
        check_space(tmp_path / "a" / "b", 1 << 60)


def test_folders_above_are_made(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, official, "--out", out / "a" / "b")[0] == 0
    assert {path.name for path in (out / "a" / "b").iterdir()} == FILES


def test_every_wrong_name_is_listed(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = [name for name in OFFICIAL if name.startswith("tracker.ref_proj.")]
    more = [f"motion.{i}.weight" for i in range(60)]
    tensors = {name: tensor for name, tensor in OFFICIAL.items() if name not in gone}
    write(official, tensors | {name: torch.ones(1) for name in more} | {"tracker.decoder_norm.bias": torch.ones(3)})
    err = refused(capsys, out, official)
    assert f"missing ({len(gone)}):" in err and "unused (60):" in err and "misshapen (1):" in err
    shown = sorted(more)[:40]
    assert all(f"\n  {name}\n" in err for name in (*gone, *shown)) and "\n  and 20 more\n" in err
    assert "tracker.decoder_norm.bias [3] instead of [64]" in err
    assert f"{official} is not converted: its weights come closest to an offline DVIS++ with a ResNet" in err


def test_what_is_no_such_model(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(official, {"layer.weight": torch.ones(1)})
    err = refused(capsys, out, official)
    assert f"{official}: the checkpoint holds no model that is known" in err and "layer (1)" in err


def test_what_is_converted_already(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, official, "--out", out)[0] == 0
    code, err = call(capsys, out / "model.safetensors", "--out", out.parent / "again")
    told = "the weights of a model folder, converted already. Give --model that folder."
    assert code == 2 and told in " ".join(err.split())


@pytest.mark.parametrize("name", ["nothing", "empty", "web page", "lfs", "text", "a terabyte of zeros", "list"])
def test_what_is_no_checkpoint(name: str, tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, sentence = BAD[name]
    path = tmp_path / "bad.pth"
    make(path)
    assert sentence in refused(capsys, out, path)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_not_run(zipped: bool, official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = official.parent / "proof"
    if zipped:
        write(official, OFFICIAL, trainer=Payload(proof))
    else:
        write_pickle(official, {"model": {k: v.numpy() for k, v in OFFICIAL.items()}, "trainer": Payload(proof)})
    assert "asks for posix.system" in refused(capsys, out, official)
    assert not proof.exists()


def test_all_kinds_of_files_give_the_same_weights(
    official: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrapped = official.with_name("wrapped.pth")
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in OFFICIAL.items()}}, wrapped)
    arrays = write_pickle(official.with_name("a.pkl"), {"model": {k: v.numpy() for k, v in OFFICIAL.items()}})
    safe = official.with_name("a.safetensors")
    save_file(OFFICIAL, safe)
    contents = set()
    for i, path in enumerate((official, wrapped, arrays, safe)):
        code, err = call(capsys, path, "--out", out / str(i))
        assert code == 0 and ('took "module." off' in err) == (path == wrapped)
        contents.add((out / str(i) / "model.safetensors").read_bytes())
    assert len(contents) == 1


def test_settings(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, official, "--out", out, "--set", "short=480", "--set", "cap=853", "--set", "heads=4")[0] == 0
    assert json.loads((out / "preprocessor_config.json").read_text())["size"] == {
        "shortest_edge": 480,
        "longest_edge": 853,
    }
    assert json.loads((out / "config.json").read_text())["tracker"]["heads"] == 4
    err = call(capsys, official, "--out", out, "--set", "short=480", "--set", "cap=853", "--set", "heads=4")[1]
    chosen, assumed = err.partition("as you set it:")[2].split("assumed (")
    assert "(short=480)" in chosen and "(heads=4)" in chosen and "(class_order=dvis)" in assumed
    assert "there is no such setting" in refused(capsys, out, official, "--set", "size=480")


def test_a_full_disk_leaves_nothing(official: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with _small_files(20_000):
        err = refused(capsys, out, official)
        assert "cannot be written: File too large" in err
        assert "Nothing was kept" in err and "what is finished stays" not in err
    assert call(capsys, official, "--out", out)[0] == 0


@contextmanager
def _small_files(limit: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_from_the_hub(
    official: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is in the hub's cache; and what is not, without a network."""
    cache, sha = official.parent / "hub", "0123456789" * 4
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    folder = cache / "models--org--name" / "snapshots" / sha / "vss"
    folder.mkdir(parents=True)
    (cache / "models--org--name" / "refs").mkdir()
    (cache / "models--org--name" / "refs" / "main").write_text(sha)
    official.rename(folder / "r50.pth")
    assert call(capsys, "hf://org/name/vss/r50.pth", "--out", out)[0] == 0
    assert json.loads((out / "config.json").read_text())["converted"]["from"] == "r50.pth"
    err = refused(capsys, out, "hf://org/name/vss/other.pth")
    assert "hf://org/name/vss/other.pth cannot be had from the hub" in err and "give its path" in err
    for address in ("hf://", "hf://org/name", "hf://org/name/", "hf://org/name/../x"):
        assert f"{address} is no address" in refused(capsys, out, address)


def test_small_sisters_of_the_published_models(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arch in ("dvis_tiny_offline", "dvis_tinyvit_online"):
        path = write_arch(tmp_path / f"{arch}.pth", arch)
        assert call(capsys, path, "--out", out / arch)[0] == 0
        state = load_file(out / arch / "model.safetensors")
        wanted = weights({"tracker.mask_feature_proj.weight": (64, 64, 1, 1)})
        assert torch.equal(state["tracker.features.weight"], wanted["tracker.mask_feature_proj.weight"])
