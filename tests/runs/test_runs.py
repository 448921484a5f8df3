"""Run folders: what is read from them, what is refused."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from vsscli.data.classes import vspw_classes
from vsscli.errors import OptionError, RunError
from vsscli.processes import machine
from vsscli.runs.disk import create_once, write_atomic
from vsscli.runs.labels import read_labels, write_labels
from vsscli.runs.manifest import Manifest, describe_classes, read_manifest, write_manifest
from vsscli.runs.output import open_output
from vsscli.runs.run import open_run

MAP = np.arange(12, dtype=np.uint8).reshape(3, 4)


def make_run(path: Path, videos: dict[str, int]) -> Path:
    run = open_output(path, Manifest("test", {"a": 1}, describe_classes(vspw_classes())), None, [])
    for video, frames in videos.items():
        with run.begin(video) as writer:
            for i in range(frames):
                writer.add(f"{i:08d}", MAP)
            writer.commit({"data": "d"}, {"input": [3, 4]})
    return path


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20))), gray=st.booleans())
def test_label_maps_come_back_as_written(tmp_path: Path, labels: NDArray[np.uint8], gray: bool) -> None:
    path = tmp_path / "map.png"
    write_labels(path, labels, None if gray else vspw_classes().palette)
    assert np.array_equal(read_labels(path), labels)
    with Image.open(path) as image:
        assert image.mode == ("L" if gray else "P")


def test_the_palette_shows_the_class_colours(tmp_path: Path) -> None:
    write_labels(tmp_path / "map.png", np.array([[0, 18, 255]], np.uint8), vspw_classes().palette)
    with Image.open(tmp_path / "map.png") as image:
        colors = np.asarray(image.convert("RGB"))[0].tolist()
    assert colors == [[120, 120, 120], [255, 51, 7], [255, 255, 255]]


def test_a_run_is_read_back(tmp_path: Path) -> None:
    run = open_run(make_run(tmp_path / "run", {"b": 2, "a.b": 3}))
    assert run.names() == ("a.b", "b")
    assert run.frames("b") == ("00000000", "00000001")
    assert np.array_equal(run.labels("b", "00000001"), MAP)
    record = run.record("b")
    assert record is not None and record.inputs == {"data": "d"} and record.facts == {"input": [3, 4]}
    assert run.digest("b") == record.labels != run.digest("a.b")


def test_foreign_folders_are_runs(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "notes").mkdir()
    for name in ("10", "9", "._9"):
        Image.fromarray(MAP).save(tmp_path / "v" / f"{name}.png")
    run = open_run(tmp_path)
    assert run.manifest is None and run.identity == "foreign"
    assert run.names() == ("v",) and run.frames("v") == ("9", "10")
    before = run.digest("v")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "v" / "9.png")
    assert run.digest("v") != before


def test_what_is_unfinished_does_not_count(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", {"a": 1, "b": 1})
    (path / ".vsscli" / "done" / "b.json").unlink()
    run = open_run(path)
    assert run.names() == ("a",) and run.unfinished() == ("b",)
    with pytest.raises(OptionError, match="'b' is not finished"):
        run.frames("b")
    with pytest.raises(OptionError, match="'c' is not there"):
        run.frames("c")


@pytest.mark.parametrize("change", ["added", "removed"])
def test_a_folder_that_differs_from_its_record_is_refused(tmp_path: Path, change: str) -> None:
    path = make_run(tmp_path / "run", {"a": 2})
    if change == "added":
        Image.fromarray(MAP).save(path / "a" / "00000009.png")
    else:
        (path / "a" / "00000001.png").unlink()
    with pytest.raises(RunError, match=f"frame 0000000[19] was {change}"):
        open_run(path).frames("a")


@pytest.mark.parametrize("change", ["exchanged", "emptied"])
def test_a_video_whose_files_are_not_those_of_its_record_is_refused(tmp_path: Path, change: str) -> None:
    path = make_run(tmp_path / "run", {"a": 2, "b": 1})
    run = open_run(path)
    assert run.frames("a") and run.digest("a")
    other = np.random.default_rng(0).integers(0, 9, (3, 4), dtype=np.uint8)
    file = path / "a" / "00000001.png"
    if change == "exchanged":
        Image.fromarray(other).save(file)
    else:
        file.write_bytes(b"")
    for read in (run.frames, run.digest, open_run(path).frames):
        with pytest.raises(RunError, match=r"a is not what its record says: its label maps were changed") as caught:
            read("a")
        assert "Repeat the command" in caught.value.hint
    assert run.frames("b") and run.digest("b")
    (path / "run.json").unlink()
    assert open_run(path).frames("a") == ("00000000", "00000001")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"verb": 3}', '{"verb": "x", "schema": 1, "identity": []}', "\xff", '{"verb":"x","schema":99}'],
)
def test_broken_manifests_have_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content, encoding="latin-1")
    with pytest.raises(RunError, match="run.json"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"frames": 3}', '{"video": "a", "frames": [], "labels": "", "more": 1}']
)
def test_broken_records_have_a_sentence(tmp_path: Path, content: str) -> None:
    path = make_run(tmp_path / "run", {"a": 1})
    (path / ".vsscli" / "done" / "a.json").write_text(content)
    with pytest.raises(RunError, match="record cannot be read"):
        open_run(path).frames("a")


def test_no_run_at_all(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none", "not a folder"), (tmp_path, "no label maps")):
        with pytest.raises(RunError, match=words):
            open_run(path)


def test_the_manifest_knows_no_time_and_its_identity_no_version(tmp_path: Path) -> None:
    one = make_run(tmp_path / "one", {"a": 1})
    two = make_run(tmp_path / "two", {"b": 1})
    assert (one / "run.json").read_bytes() == (two / "run.json").read_bytes()
    content = json.loads((two / "run.json").read_text())
    (two / "run.json").write_text(json.dumps({**content, "vsscli": "9.9.9"}))
    assert open_run(one).identity == open_run(two).identity


def test_names_for_people_are_kept_and_never_compared(tmp_path: Path) -> None:
    one, two = (Manifest("x", {"model": "ab" * 32}, about={"model": name}) for name in ("mine", "yours"))
    write_manifest(tmp_path, one)
    there = read_manifest(tmp_path)
    assert there is not None and there.about == {"model": "mine"} and not there.differences(two)
    (difference,) = there.differences(Manifest("x", {"model": "cd" * 32}))
    assert difference == "model: abababababab... there, cdcdcdcdcdcd... now"


def test_only_one_manifest_wins(tmp_path: Path) -> None:
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(write_manifest(tmp_path, Manifest("x")))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]
    manifest = read_manifest(tmp_path)
    assert manifest is not None and manifest.verb == "x"


def test_an_atomic_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(RunError, match="target cannot be written"):
        write_atomic(tmp_path / "target", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]
    assert create_once(tmp_path / "new", b"1") and not create_once(tmp_path / "new", b"2")
    assert (tmp_path / "new").read_bytes() == b"1"


def test_folders_of_dead_processes_go_and_others_stay(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", {"a": 1})
    doing = path / ".vsscli" / "doing"
    host = machine()
    for name in (f"v.{host}.99999999", f"v.{host}.1", "v.elsewhere.99999999"):
        (doing / name).mkdir()
    make_run(path, {})
    assert sorted(item.name for item in doing.iterdir()) == sorted([f"v.{host}.1", "v.elsewhere.99999999"])
