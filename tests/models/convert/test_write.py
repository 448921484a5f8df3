"""Model folders on the disk."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from vsscli.models.convert.write import ModelFolder, first_difference, write_folder

FOLDER = ModelFolder(
    {"kind": "online", "converted": {"sha256": "aa", "by": "vsscli"}, "tracker": {"layers": 3}, "sizes": (1, 2)},
    {"size": {"shortest_edge": 720}},
    {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(3)},
)

SHAPES = st.lists(st.integers(0, 4), max_size=3)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.tuples(SHAPES, st.booleans(), st.booleans()), max_size=6))
def test_others_read_the_weights(tensors: dict[str, tuple[list[int], bool, bool]]) -> None:
    import tempfile

    made = {}
    for name, (shape, whole, turned) in tensors.items():
        tensor = torch.randint(-9, 9, shape) if whole else torch.randn(shape)
        made[name] = tensor.mT if turned and tensor.dim() > 1 else tensor
    made.pop("__metadata__", None)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = ModelFolder({}, {}, made)
        write_folder(folder, model)
        found = load_file(folder / "model.safetensors")
        assert first_difference(folder, model) is None
        assert model.size == sum(tensor.nbytes for tensor in found.values())
    assert found.keys() == made.keys()
    assert all(torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype for name, tensor in made.items())


def test_the_order_of_the_weights_does_not_matter(tmp_path: Path) -> None:
    turned = ModelFolder(FOLDER.config, FOLDER.preprocess, dict(reversed(list(FOLDER.tensors.items()))))
    write_folder(tmp_path, FOLDER)
    assert first_difference(tmp_path, turned) is None


def _change(**entries: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        there = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(there | entries))

    return change


def _flip(folder: Path) -> None:
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def _cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def _lengthen(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes() + b"x")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_change(kind="offline"), 'kind is "offline", not "online"'),
        (_change(converted={"sha256": "bb", "by": "vsscli"}), "converted.sha256 is 'bb', not 'aa'"),
        (_change(tracker=None), 'tracker is null, not {"layers": 3}'),
        (_change(more=1), "more is 1, not null"),
        (lambda folder: (folder / "config.json").write_text("{"), "kind is null"),
        (lambda folder: (folder / "preprocessor_config.json").write_text("{}"), "preprocessor_config.json holds"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "preprocessor_config.json is missing"),
        (_flip, "model.safetensors holds something else"),
        (_cut, "model.safetensors holds something else"),
        (_lengthen, "model.safetensors holds something else"),
        (lambda folder: (folder / "notes.txt").touch(), "it also holds notes.txt"),
    ],
)
def test_every_difference_is_told(change: Callable[[Path], object], told: str, tmp_path: Path) -> None:
    write_folder(tmp_path, FOLDER)
    assert first_difference(tmp_path, FOLDER) is None
    change(tmp_path)
    assert told in str(first_difference(tmp_path, FOLDER))
