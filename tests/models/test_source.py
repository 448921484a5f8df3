"""Where a model lies, and which files it is made of."""

import subprocess
import sys
from pathlib import Path

import huggingface_hub.constants
import pytest

from vsscli.errors import ModelError
from vsscli.models.catalogue import find_published
from vsscli.models.source import model_digest, read_config, resolve_source, weight_files


def make(folder: Path, **files: str) -> Path:
    """A folder with files; ``__`` in a name stands for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def make_model(folder: Path) -> Path:
    return make(folder, config__json="{}", model__safetensors="weights")


def test_a_folder_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_source(str(tmp_path)) == tmp_path
    make(tmp_path / "org" / "name")
    monkeypatch.chdir(tmp_path)
    assert resolve_source("org/name") == Path("org/name")  # a folder comes before the hub


@pytest.mark.parametrize("source", ["nothing", "./org/name", "/no/such", "a/b/c", "org/", "../a", "org/na me", "~x/y"])
def test_a_path_that_is_not_there_is_no_hub_id(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="no model folder") as caught:
        resolve_source(source)
    assert "org/name" in caught.value.hint


def test_a_path_that_is_no_path() -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        resolve_source("x" * 5000)


def test_a_misspelt_folder_is_no_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "models" / "right")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="no model folder models/wrong"):
        resolve_source("models/wrong")


@pytest.mark.parametrize("suffix", [".pth", ".pkl", ".pt", ".ckpt", ".bin", ".safetensors"])
def test_a_checkpoint_is_no_folder_but_can_be_made_one(suffix: str, tmp_path: Path) -> None:
    make(tmp_path / "a b", **{f"w{suffix}": ""})
    path = tmp_path / "a b" / f"w{suffix}"
    with pytest.raises(ModelError, match="is a file, not a model folder") as caught:
        resolve_source(str(path))
    assert caught.value.hint == f"Make a model folder of it: vsscli convert '{path}' --out models/NAME"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_of_a_model_folder(name: str, tmp_path: Path) -> None:
    make_model(tmp_path)
    with pytest.raises(ModelError, match="is a file") as caught:
        resolve_source(str(tmp_path / name))
    assert caught.value.hint == f"Give its folder: {tmp_path}"


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    make(tmp_path, notes__txt="")
    with pytest.raises(ModelError, match="is a file") as caught:
        resolve_source(str(tmp_path / "notes.txt"))
    assert "holds config.json" in caught.value.hint


def test_a_folder_of_checkpoints(tmp_path: Path) -> None:
    make(tmp_path, b__pth="", a__pth="")
    with pytest.raises(ModelError, match="is no model folder") as caught:
        read_config(tmp_path)
    hint = caught.value.hint
    assert f"vsscli convert {tmp_path / 'a.pth'} --out models/NAME" in hint
    assert hint.index("vsscli convert") < hint.index("save_pretrained")


def test_a_repository_of_checkpoints_that_is_known() -> None:
    with pytest.raises(ModelError, match=r"repository of checkpoints of DVIS\+\+, not a model folder") as caught:
        resolve_source("zhangtao-whu/DVIS_Plus")  # the hub is not asked
    assert "vsscli convert hf://zhangtao-whu/DVIS_Plus/FILE --out models/NAME" in caught.value.hint


def test_a_hub_id_without_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha = "0123456789" * 4
    make(tmp_path / "models--org--name" / "snapshots" / sha, w__pth="")
    make(tmp_path / "models--org--name" / "refs", main=sha)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"org/name on the hub is no model folder: it has no config\.json") as caught:
        resolve_source("org/name", offline=True)
    assert "vsscli convert hf://org/name/FILE --out models/NAME" in caught.value.hint


@pytest.mark.parametrize("offline", [True, False])
def test_a_hub_that_cannot_be_reached(offline: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="org/name is no folder here, and the hub") as caught:
        resolve_source("org/name", offline)
    assert offline or "refused" in caught.value.message
    assert "give its folder" in caught.value.hint
    assert "vsscli convert hf://org/name/FILE --out models/NAME" in caught.value.hint


def test_a_hub_id_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha = "0123456789" * 4
    snapshot = make_model(tmp_path / "models--org--name" / "snapshots" / sha)
    make(tmp_path / "models--org--name" / "refs", main=sha)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert resolve_source("org/name", offline=True) == snapshot
    assert model_digest("org/name", offline=True) == model_digest(str(snapshot))


def test_weights_whole_or_in_shards(tmp_path: Path) -> None:
    whole = make_model(tmp_path / "whole")
    assert weight_files(whole) == (whole / "model.safetensors",)
    index = '{"weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}}'
    shards = make(tmp_path / "shards", model__safetensors__index__json=index)
    (shards / "model-1.safetensors").touch()
    with pytest.raises(ModelError, match=r"lacks model-2.safetensors, which model.safetensors.index.json names"):
        weight_files(shards)
    (shards / "model-2.safetensors").touch()
    assert weight_files(shards) == (shards / "model-1.safetensors", shards / "model-2.safetensors")


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"weight_map": {}}', '{"weight_map": 3}', "\0"])
def test_a_broken_index(index: str, tmp_path: Path) -> None:
    make(tmp_path, model__safetensors__index__json=index)
    with pytest.raises(ModelError, match=r"model\.safetensors\.index\.json"):
        weight_files(tmp_path)


def test_no_weights_and_pickles(tmp_path: Path) -> None:
    make(tmp_path, config__json="{}")
    with pytest.raises(ModelError, match="looked for model.safetensors and model.safetensors.index.json") as caught:
        weight_files(tmp_path)
    assert "save_pretrained" in caught.value.hint
    make(tmp_path, pytorch_model__bin="")
    with pytest.raises(ModelError, match="no weights") as caught:
        weight_files(tmp_path)
    assert "pytorch_model.bin is a pickle, which can run code" in caught.value.hint


def test_the_digest_is_of_what_decides(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    digests = [model_digest(str(folder))]
    make(folder, README__md="hello")
    assert model_digest(str(folder)) == digests[0]
    for name, text in {
        "config__json": '{"a": 1}',
        "model__safetensors": "Weights",
        "preprocessor_config__json": "{}",
    }.items():
        make(folder, **{name: text})
        digests.append(model_digest(str(folder)))
    assert len(set(digests)) == 4
    copy = make(tmp_path / "copy")
    for path in folder.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    assert model_digest(str(copy)) == digests[-1]


def test_the_digest_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no model folder: looked for config\.json and model\.safetensors"):
        model_digest(str(tmp_path))


def test_the_digest_loads_no_torch(tmp_path: Path) -> None:
    make_model(tmp_path)
    script = "import sys; from vsscli.models.source import model_digest; print(model_digest(sys.argv[1]), *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    digest, *modules = done.stdout.split()
    assert digest == model_digest(str(tmp_path))
    assert not {"torch", "transformers", "numpy"} & set(modules)


def test_a_name_that_is_nearly_known_and_a_path_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks like a path of ours is not asked of the hub, and no checkpoint of it is advised."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"no model folder tinyy\. Did you mean tiny"):
        resolve_source("tinyy")
    for name in ("models/a", "runs/a", "./a/b", "/a/b"):
        with pytest.raises(ModelError, match=f"There is no model folder {name}.") as error:
            resolve_source(name)
        assert "hf://" not in str(error.value)
    with pytest.raises(ModelError, match="models/lvmt-dinov3-vitl") as error:
        resolve_source("models/lvmt-dinov3-vitl")
    assert error.value.hint == f"It is made by: {find_published('lvmt-dinov3-vitl').convert_line}"
    with pytest.raises(ModelError, match=r"x\.\.\. cannot be read \(File name too long\)"):
        resolve_source("x" * 5000)
