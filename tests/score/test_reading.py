"""From folders to counts: what is missing, extra or of another kind is named; workers change nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.score.brute import Scene, expected, make_clip
from vsscli.data.classes import ClassTable
from vsscli.data.open import open_dataset
from vsscli.errors import DataError, OptionError, RunError
from vsscli.runs.manifest import Manifest, describe_classes, write_manifest
from vsscli.runs.run import open_run
from vsscli.score.protocols import find_protocol
from vsscli.score.reading import Counts, count_run, make_rule
from vsscli.score.result import describe, dumps

LENGTHS = {"9_b": 20, "10_a": 9, "7_c": 17, "8_one": 1}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, {name: make_clip(i, frames) for i, (name, frames) in enumerate(LENGTHS.items())}).write()


def count(scene: Scene, protocol: str = "vspw", vc: tuple[int, ...] = (), **options: Any) -> Counts:
    dataset = open_dataset(scene.data, "val")
    allow_void = options.pop("allow_void", False)
    rule = make_rule(dataset, find_protocol(protocol), vc, allow_void=allow_void)
    return count_run(open_run(scene.run), dataset, rule, **{"workers": 1, **options})


@pytest.mark.parametrize("protocol", ["vspw", "cffm", "mmseg", "dvis"])
def test_from_files_to_numbers(scene: Scene, protocol: str) -> None:
    result = describe(count(scene, protocol, (3, 20)))
    wanted = expected(list(scene.clips.values()), protocol, [3, 8, 16, 20])
    assert {name: result[name] for name in wanted} == pytest.approx(wanted, abs=1e-12)
    assert result["frames"] == (37 if protocol == "cffm" else sum(LENGTHS.values()))


def test_workers_and_order_of_the_list(scene: Scene) -> None:
    one = dumps(describe(count(scene)))
    assert dumps(describe(count(scene, workers=2))) == one
    assert dumps(describe(count(scene, workers=None))) == one
    (scene.data / "val.txt").write_text("\n".join(sorted(LENGTHS)))
    other = describe(count(scene))
    assert [video["video"] for video in other["per_video"]] == sorted(LENGTHS)
    assert json.loads(one)["per_video"] == other["per_video"] and json.loads(one)["run"] == other["run"]


def test_the_protocol_drops_short_videos(scene: Scene) -> None:
    counts = count(scene, "cffm")
    assert counts.dropped == ("10_a", "8_one") and [video.video for video in counts.videos] == ["9_b", "7_c"]
    with pytest.raises(DataError, match="nothing to score.*17 frames or more"):
        count(scene, "cffm", videos=["10_a"])


def test_a_choice_of_videos(scene: Scene) -> None:
    shutil.copytree(scene.run / "9_b", scene.run / "99_other")
    result = describe(count(scene, videos=["7_c"]))
    assert [video["video"] for video in result["per_video"]] == ["7_c"] and result["partial"] is False
    wanted = expected([scene.clips["7_c"]], "vspw", [8, 16])
    assert {name: result[name] for name in wanted} == pytest.approx(wanted, abs=1e-12)


def test_a_missing_video(scene: Scene) -> None:
    shutil.rmtree(scene.run / "10_a")
    shutil.rmtree(scene.run / "9_b")
    with pytest.raises(RunError, match=r"Video 10_a \(and 1 more\) of val.txt .* is missing in .*run") as caught:
        count(scene)
    assert "--partial" in caught.value.hint
    counts = count(scene, partial=True)
    assert counts.missing == ("10_a", "9_b") and not counts.complete
    assert describe(counts)["missing"] == {"videos": ["10_a", "9_b"], "frames": {}, "windows": {}}


def test_a_missing_frame(scene: Scene) -> None:
    scene.label_map("9_b", 11).unlink()
    frame = scene.frames["9_b"][11]
    with pytest.raises(RunError, match=f"Video 9_b: the frame {frame} is missing in .*9_b"):
        count(scene)
    result = describe(count(scene, partial=True))
    assert result["partial"] is True and result["frames"] == sum(LENGTHS.values()) - 1
    assert result["missing"] == {"videos": [], "frames": {"9_b": 1}, "windows": {"8": 8, "16": 4}}
    assert result["windows"] == {"8": 4 + 1 + 9, "16": 0 + 1}


def test_nothing_missing_is_not_partial(scene: Scene) -> None:
    assert dumps(describe(count(scene, partial=True))) == dumps(describe(count(scene)))


def test_extra_frames_and_videos(scene: Scene) -> None:
    shutil.copy(scene.label_map("9_b", 0), scene.run / "9_b" / "00000002.png")
    for partial in (False, True):
        with pytest.raises(RunError, match=r"Video 9_b: .*9_b holds the frame 00000002, which the dataset has not"):
            count(scene, partial=partial)
    shutil.copytree(scene.run / "9_b", scene.run / "99_other")
    with pytest.raises(RunError, match=r"holds the video 99_other, which is not in val.txt"):
        count(scene)


def test_a_frame_without_a_mask(scene: Scene) -> None:
    scene.mask("7_c", 16).unlink()
    with pytest.raises(DataError, match=f"Video 7_c: the frame {scene.frames['7_c'][16]} has no mask"):
        count(scene)
    result = describe(count(scene, partial=True))
    assert result["partial"] is True and result["missing"]["frames"] == {"7_c": 1}
    assert result["vc8"] == describe(count(scene, partial=True, vc=(2,)))["vc8"], "the last frame is in no window"
    assert result["missing"]["windows"] == {}


def test_a_split_without_masks(scene: Scene) -> None:
    for name in LENGTHS:
        shutil.rmtree(scene.data / "data" / name / "mask")
    with pytest.raises(DataError, match="No video of val.txt of .* has masks"):
        count(scene)
    with pytest.raises(DataError, match="nothing to score"):
        count(scene, partial=True)


def test_a_broken_label_map_and_a_broken_mask(scene: Scene) -> None:
    scene.label_map("7_c", 2).write_bytes(b"")
    with pytest.raises(RunError, match=str(scene.label_map("7_c", 2))):
        count(scene)
    with pytest.raises(RunError, match=str(scene.label_map("7_c", 2))):
        count(scene, workers=2)
    scene.mask("7_c", 1).write_bytes(scene.mask("7_c", 1).read_bytes()[:60])
    with pytest.raises(DataError, match=str(scene.mask("7_c", 1))):
        count(scene)


def test_a_palette_map_is_its_indices(scene: Scene) -> None:
    before = dumps(describe(count(scene)))
    for path in scene.run.glob("7_c/*.png"):
        image = Image.fromarray(np.asarray(Image.open(path)))
        image.putpalette(list(range(255, -1, -1)) * 3)
        image.save(path)
    after = json.loads(dumps(describe(count(scene))))
    assert {**after, "run": None} == {**json.loads(before), "run": None}


def test_a_run_of_other_classes(scene: Scene) -> None:
    table = ClassTable("pets", ("cat", "dog"), ((0, 0, 0), (1, 1, 1)), (True, True))
    write_manifest(scene.run, Manifest("infer", classes=describe_classes(table)))
    with pytest.raises(RunError, match="holds the 2 classes of pets, the dataset the 124 classes of vspw"):
        count(scene)


def test_an_unfinished_video(scene: Scene) -> None:
    write_manifest(scene.run, Manifest("infer"))
    with pytest.raises(RunError, match=r"Video 10_a \(and 3 more\) .* is not finished"):
        count(scene)


def test_impossible_requests(scene: Scene) -> None:
    dataset = open_dataset(scene.data, "val")
    for n in (0, -3, 65536):
        with pytest.raises(OptionError, match=f"--vc {n}"):
            make_rule(dataset, find_protocol("vspw"), (n,))
    with pytest.raises(OptionError, match="no protocol 'official'"):
        find_protocol("official")
    with pytest.raises(DataError, match="has no classes and no masks"):
        make_rule(open_dataset(scene.run, "val"), find_protocol("vspw"))
