"""Checkpoint files: what is in them is read, what they ask for is not done."""

import argparse
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from tests.models.convert.files import BAD, GOOD, WEIGHTS, Payload, Words, arrays, write_good, write_pickle, write_torch
from vsscli.errors import ModelError
from vsscli.models.convert.arrays import read_arrays
from vsscli.models.convert.reading import read_checkpoint


def equal(tensors: dict[str, torch.Tensor]) -> bool:
    same = all(
        torch.equal(tensors[name], tensor) and tensors[name].dtype == tensor.dtype for name, tensor in WEIGHTS.items()
    )
    return same and tensors.keys() == WEIGHTS.keys()


@pytest.mark.parametrize("kind", GOOD)
def test_every_kind_of_file_is_read(kind: str, tmp_path: Path) -> None:
    path = write_good(tmp_path / "a checkpoint.bin", kind)
    assert equal(read_checkpoint(path).tensors)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("inner", [None, "model", "state_dict"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_wrappings(prefix: str, inner: str | None, legacy: bool, tmp_path: Path) -> None:
    weights = {f"{prefix}{name}": tensor for name, tensor in WEIGHTS.items()}
    beside = {"iteration": np.int64(3), "lr": np.float64(1e-4), "optimizer": {"state": {0: torch.ones(1)}}}
    content: dict[str, Any] = weights if inner is None else {inner: weights, **beside}
    found = read_checkpoint(write_torch(tmp_path / "x.pth", content, legacy))
    assert equal(found.tensors)
    notes = " ".join(found.notes)
    assert ('took "module."' in notes) == bool(prefix)
    assert ("iteration, lr, optimizer" in notes) == (inner is not None)


def test_a_prefix_that_only_some_have_stays(tmp_path: Path) -> None:
    found = read_checkpoint(write_torch(tmp_path / "x.pth", {"module.a": torch.ones(1), "b": torch.ones(1)}))
    assert found.tensors.keys() == {"module.a", "b"} and not found.notes


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning", "ignore:.*object dtype.*")
def test_what_is_no_checkpoint(name: str, tmp_path: Path) -> None:
    make, sentence = BAD[name]
    path = tmp_path / "x.pth"
    make(path)
    with pytest.raises(ModelError) as caught:
        read_checkpoint(path)
    assert sentence in caught.value.message and str(path) in caught.value.message
    assert "\n" not in caught.value.message and len(caught.value.message) < 400 + len(str(path))


@pytest.mark.parametrize("payload", [Payload, Words])
@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind != "safetensors"])
@pytest.mark.parametrize("place", ["beside", "inside", "alone"])
def test_a_pickle_that_brings_code_is_not_run(place: str, kind: str, payload: Any, tmp_path: Path) -> None:
    proof, path = tmp_path / "proof", tmp_path / "x.pth"
    evil = payload(proof)
    protocol = kind.removeprefix("pickle")
    weights: dict[str, Any] = dict(WEIGHTS) if kind in ("zip", "legacy") else dict(arrays())
    content = {"beside": {"model": weights, "x": evil}, "inside": {"model": {**weights, "x": evil}}, "alone": evil}[
        place
    ]
    if kind in ("zip", "legacy"):
        write_torch(path, content, kind == "legacy")
    else:
        write_pickle(path, content, int(protocol))
    with pytest.raises(ModelError, match=r"asks for (posix\.system|(__builtin__|builtins)?\.?eval)"):
        read_checkpoint(path)
    assert not proof.exists()
    if kind.startswith("pickle"):
        pickle.loads(path.read_bytes())
        assert proof.exists(), "the payload was none"


@pytest.mark.parametrize("legacy", [True, False])
def test_settings_of_a_training_beside_the_weights(legacy: bool, tmp_path: Path) -> None:
    path = write_torch(tmp_path / "x.pth", {"model": WEIGHTS, "args": argparse.Namespace(lr=1.0)}, legacy)
    with pytest.raises(ModelError, match=r"asks for argparse\.Namespace") as caught:
        read_checkpoint(path)
    line = caught.value.hint.partition("in Python: ")[2]
    assert line.startswith('torch.save({"model": torch.load(') and "If you trust the file" in caught.value.hint
    exec(line.replace('"clean.pth"', repr(str(tmp_path / "clean.pth"))), {"torch": torch})
    assert equal(read_checkpoint(tmp_path / "clean.pth").tensors)


@pytest.mark.parametrize("kind", GOOD)
def test_cut_off_anywhere(kind: str, tmp_path: Path) -> None:
    whole = write_good(tmp_path / "whole", kind).read_bytes()
    path = tmp_path / "x.pth"
    for length in {*range(0, len(whole), max(1, len(whole) // 60)), len(whole) - 1}:
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"damaged or cut off|is empty|no checkpoint"):
            read_checkpoint(path)


@pytest.mark.parametrize("kind", GOOD)
def test_flipped_bytes_end_in_weights_or_a_sentence(kind: str, tmp_path: Path) -> None:
    whole = bytearray(write_good(tmp_path / "whole", kind).read_bytes())
    chance = np.random.default_rng(0)
    path = tmp_path / "x.pth"
    for _ in range(150):
        broken = whole.copy()
        for at in chance.integers(0, len(whole), 3):
            broken[at] = chance.integers(0, 256)
        path.write_bytes(broken)
        try:
            read_checkpoint(path)
        except ModelError as error:
            assert str(path) in error.message


DTYPES = st.one_of(
    arrays_of.floating_dtypes(sizes=(16, 32, 64)), arrays_of.integer_dtypes(), arrays_of.boolean_dtypes()
)


@given(arrays_of.arrays(DTYPES, arrays_of.array_shapes(min_dims=0, min_side=0)), st.integers(0, 5), st.booleans())
def test_arrays_come_back(array: np.ndarray[Any, Any], protocol: int, fortran: bool) -> None:
    import io

    array = np.asfortranarray(array) if fortran else array
    found = read_arrays(io.BytesIO(pickle.dumps([array], protocol)))[0].array
    assert found.dtype.kind == array.dtype.kind and found.shape == array.shape
    np.testing.assert_array_equal(found, array)


def test_a_changed_number_is_found_by_the_checksums_of_torch(tmp_path: Path) -> None:
    path = write_good(tmp_path / "x.pth", "zip")
    content = bytearray(path.read_bytes())
    at = content.index(np.arange(6, dtype=np.float32).tobytes())
    content[at + 9] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged or cut off \(checksum of x/data/0\)"):
        read_checkpoint(path)


def test_a_file_without_checksums_is_read(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        path = write_good(tmp_path / "x.pth", "zip")
    finally:
        torch.serialization.set_crc32_options(True)
    assert equal(read_checkpoint(path).tensors)
