"""Class scores on disk: the format, what is broken, what belongs to a record."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runs.topk import make_topk
from tests.support import tree
from vsscli.errors import RunError
from vsscli.infer.semantic.grid import bilinear_taps
from vsscli.runs.manifest import Manifest
from vsscli.runs.output import OutputRun, is_whole, open_output
from vsscli.runs.run import open_run
from vsscli.runs.scores import cells_read, read_scores, scores_folder, write_scores

FRAMES = ("1", "2", "10")


def make(path: Path, topk: int | None, seed: int = 0) -> OutputRun:
    """A run of one video, of equal maps for all seeds."""
    run = open_output(path, Manifest("infer", {"a": 1}), None, [], topk)
    with run.begin("v") as writer:
        for i, name in enumerate(FRAMES):
            kept = make_topk(np.random.default_rng([seed, i]), topk) if topk else None
            writer.add(name, np.full((4, 6), i, np.uint8), kept)
        writer.commit({"data": "x"}, {})
    return run


def test_a_file_gives_back_its_arrays_and_equal_scores_give_equal_bytes(tmp_path: Path) -> None:
    kept = make_topk(np.random.default_rng(0), 4)
    for name in ("a", "b"):
        write_scores(tmp_path / f"{name}.npz", kept)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    ours, numpys = read_scores(tmp_path / "a.npz"), np.load(tmp_path / "a.npz")
    assert set(numpys) == {"classes", "probabilities", "sizes", "flip"}
    for name in numpys:
        np.testing.assert_array_equal(numpys[name], getattr(kept, name))
        np.testing.assert_array_equal(getattr(ours, name), getattr(kept, name))
    assert zipfile.ZipFile(tmp_path / "a.npz").testzip() is None


@given(grid=st.integers(1, 60), stride=st.floats(1, 8), data=st.data())
def test_the_cells_kept_are_those_that_a_resize_reads(grid: int, stride: float, data: st.DataObject) -> None:
    import torch

    padded = int(grid * stride)
    network = data.draw(st.integers(1, padded))
    taps = bilinear_taps(grid, padded, network, torch.device("cpu"))
    read = int(torch.where(taps.weight > 0, taps.high, taps.low).max()) + 1
    assert read <= cells_read(grid, padded, network) <= min(grid, read + 1)


@pytest.mark.parametrize("what", ["half", "flipped bit", "empty", "gone", "other arrays", "other sizes", "text"])
def test_a_broken_file_is_one_sentence(tmp_path: Path, what: str) -> None:
    path = tmp_path / "f.npz"
    kept = make_topk(np.random.default_rng(0), 4)
    write_scores(path, kept)
    content = path.read_bytes()
    if what == "gone":
        path.unlink()
    elif what == "other arrays":
        np.savez(path, classes=kept.classes, probabilities=kept.probabilities.astype(np.float32), sizes=kept.sizes)
    elif what == "other sizes":
        np.savez(path, classes=kept.classes, probabilities=kept.probabilities, sizes=kept.sizes * 9, flip=False)
    else:
        middle = bytes([content[200] ^ 16])
        path.write_bytes(
            {
                "half": content[: len(content) // 2],
                "flipped bit": content[:200] + middle + content[201:],
                "empty": b"",
                "text": b"no scores",
            }[what]
        )
    with pytest.raises(RunError, match=r"f\.npz.*--keep-topk"):
        read_scores(path)


def test_a_record_tells_of_scores_and_a_run_reads_them(tmp_path: Path) -> None:
    make(tmp_path / "run", 3)
    run = open_run(tmp_path / "run")
    record = run.record("v")
    assert record is not None and record.topk is not None and record.topk["k"] == 3
    assert run.scores_digest("v") == record.topk["digest"]
    kept = make_topk(np.random.default_rng([0, 2]), 3)
    np.testing.assert_array_equal(run.scores("v", "10").probabilities, kept.probabilities)
    make(tmp_path / "other", 3, seed=1)
    assert open_run(tmp_path / "other").scores_digest("v") != record.topk["digest"]
    make(tmp_path / "none", None)
    assert open_run(tmp_path / "none").scores_digest("v") is None
    assert not scores_folder(tmp_path / "none", "v").exists()


def test_what_was_changed_or_removed_is_noticed(tmp_path: Path) -> None:
    run = make(tmp_path / "run", 3)
    record = run.record("v")
    assert record is not None and is_whole(run.path, record, 3) and not is_whole(run.path, record, 4)
    path = scores_folder(run.path, "v") / "2.npz"
    path.write_bytes(path.read_bytes() + b" ")
    assert not is_whole(run.path, record, 3)
    assert is_whole(run.path, record, None), "the maps need no scores"
    with pytest.raises(RunError, match=r"topk.v is not what .*--keep-topk 3"):
        open_run(run.path).scores_digest("v")
    shutil.rmtree(scores_folder(run.path, "v"))
    assert not is_whole(run.path, record, 3) and is_whole(run.path, record, None)


def test_scores_are_added_to_a_finished_video_and_stay_when_its_maps_are_mended(tmp_path: Path) -> None:
    path = tmp_path / "run"
    make(path, None)
    maps = {name: content for name, content in tree(path).items() if name.endswith(".png")}
    make(path, 3)
    assert {name: content for name, content in tree(path).items() if name.endswith(".png")} == maps
    told = open_run(path).scores_digest("v")
    assert told is not None
    (path / "v" / "2.png").unlink()
    make(path, None)
    assert open_run(path).scores_digest("v") == told
    make(path, 2)
    assert open_run(path).scores("v", "1").classes.shape[0] == 2
    assert not list((path / ".vsscli" / "doing").iterdir())


def test_scores_of_other_inputs_do_not_stay(tmp_path: Path) -> None:
    path = tmp_path / "run"
    make(path, 3)
    record = path / ".vsscli" / "done" / "v.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "inputs": {"data": "other"}}))
    (path / "v" / "2.png").unlink()
    make(path, None)
    assert open_run(path).scores_digest("v") is None


def test_another_process_that_finished_first_keeps_its_scores(tmp_path: Path) -> None:
    path = tmp_path / "run"
    late = open_output(path, Manifest("infer", {"a": 1}), None, [], 3)
    writer = late.begin("v")
    with writer:
        for i, name in enumerate(FRAMES):
            writer.add(name, np.full((4, 6), i, np.uint8), make_topk(np.random.default_rng([9, i]), 3))
        folder = next((path / ".vsscli" / "doing").iterdir())
        folder.rename(tmp_path / "aside")  # the same process has one place for a video
        make(path, 3)
        (tmp_path / "aside").rename(folder)
        before = tree(path)
        writer.commit({"data": "x"}, {})
    after = tree(path)
    assert {name for name in after if "doing" not in name} == {name for name in before if "doing" not in name}
    assert all(after[name] == before[name] for name in after)
