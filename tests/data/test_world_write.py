"""The generated world on disk: VSPW's layout, the same bytes always, continued after any interruption."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import file_limit
from vsscli.data.classes import IGNORE
from vsscli.data.images import read_image, read_indices
from vsscli.data.open import open_dataset
from vsscli.data.world import Job, VideoRecord, World, place_name, render_video, video_index, write_world
from vsscli.data.world.plan import DOING, PLAN, Plan
from vsscli.engine import map as spread_over
from vsscli.errors import DataError, OptionError
from vsscli.processes import machine

COUNTS = {"train": 2, "val": 2, "test": 1}
SIZE = (40, 72)


def make(out: Path, **other: object) -> World:
    options: dict[str, object] = {"seed": 5, "videos": COUNTS, "frames": 3, "size": SIZE, **other}
    return write_world(out, **options)  # type: ignore[arg-type]


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world, made in one go."""
    out = tmp_path_factory.mktemp("world") / "w"
    assert not make(out).before
    return out


def test_it_opens_as_vspw(whole: Path) -> None:
    for split, count in COUNTS.items():
        dataset = open_dataset(whole, split)
        assert (dataset.kind, len(dataset.names())) == ("vspw", count)
        for name in dataset.names():
            video = dataset.video(name)
            assert len(video.frames) == 3
            assert all(len(frame) == 8 and int(frame) > 1 for frame in video.frames)
            assert {image.shape for image in video.images()} == {(*SIZE, 3)}
            assert video.has_masks() == (split != "test")


@pytest.mark.parametrize(("split", "masks"), [("train", "data"), ("test", "test_truth")])
def test_files_hold_what_memory_holds(whole: Path, split: str, masks: str) -> None:
    index = video_index(split, 0)
    dataset = open_dataset(whole, split)
    (name,) = [name for name in dataset.names() if name.startswith(f"{index + 1}_")]
    assert dataset.numbering is not None
    for frame, (image, labels) in zip(dataset.video(name).frames, render_video(5, index, 3, SIZE), strict=True):
        stored = read_indices(whole / masks / name / "mask" / f"{frame}.png")
        assert (dataset.numbering.labels[stored] == labels).all()
        kept = read_image(whole / "data" / name / "origin" / f"{frame}.jpg")
        assert np.abs(kept.astype(int) - image).mean() < 6


def test_masks_are_stored_as_vspw_stores_them(whole: Path) -> None:
    values: set[int] = set()
    for path in whole.rglob("mask/*.png"):
        with Image.open(path) as mask:
            assert mask.mode == "P"
            colors = mask.getpalette("RGB")
            values |= set(np.unique(np.asarray(mask)).tolist())
        assert colors is not None
        assert colors[:6] == [0, 0, 0, 120, 120, 120]  # others, wall
        assert colors[-3:] == [255, 255, 255]
    assert values <= {*range(125), 255}
    numbers = json.loads((whole / "label_num_dic_final.json").read_text())
    assert len(numbers) == 125
    assert (numbers["others"], numbers["wall"], numbers["train"]) == ("0", "1", "124")
    assert sorted(numbers.values(), key=int) == [str(i) for i in range(125)]


def test_nothing_is_left_of_the_work(whole: Path) -> None:
    left = {path.name for path in whole.iterdir()}
    assert left == {
        "data",
        "test_truth",
        "train.txt",
        "val.txt",
        "test.txt",
        "label_num_dic_final.json",
        "manifest.json",
    }


def test_the_manifest_tells_the_world(whole: Path) -> None:
    manifest = json.loads((whole / "manifest.json").read_text())
    assert (manifest["seed"], manifest["size"], manifest["frames"]) == (5, [40, 72], 3)
    assert manifest["videos"] == COUNTS
    assert [row["name"] for row in manifest["list"]] == [
        name for split in COUNTS for name in (whole / f"{split}.txt").read_text().split()
    ]
    seen: set[int] = set()
    for path in whole.rglob("mask/*.png"):
        seen |= set(np.unique(read_indices(path)).tolist())
    numbers = json.loads((whole / "label_num_dic_final.json").read_text())
    assert set(manifest["classes"]) == {name for name, number in numbers.items() if int(number) in seen - {0, IGNORE}}
    assert "test_truth" in manifest["test_truth"]


def test_any_order_and_any_number_of_workers_give_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    make(tmp_path / "two", spread=lambda function, jobs: spread_over(function, jobs, workers=2))
    assert tree(tmp_path / "two") == tree(whole)

    def backwards(function: Callable[[Job], VideoRecord], jobs: Sequence[Job]) -> Sequence[VideoRecord]:
        return [function(job) for job in jobs[::-1]][::-1]

    make(tmp_path / "back", spread=backwards)
    assert tree(tmp_path / "back") == tree(whole)


def test_more_videos_leave_the_others_as_they_are(whole: Path, tmp_path: Path) -> None:
    make(tmp_path / "w", videos={"train": 3, "val": 1})
    small, large = tree(whole / "data"), tree(tmp_path / "w" / "data")
    common = set(small) & set(large)
    assert len({name.split("/")[0] for name in common}) == 3
    assert all(small[name] == large[name] for name in common)
    assert not (tmp_path / "w" / "test.txt").exists()


def test_what_a_killed_process_was_writing_is_swept(whole: Path, tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    out = tmp_path / "w"
    make(out)
    (out / "manifest.json").unlink()
    (out / DOING).mkdir()
    (out / DOING / PLAN).write_text(json.dumps(Plan(5, COUNTS, 3, SIZE).identity()))
    (out / f".train.txt.{machine()}.{child.pid}.part").touch()
    assert not make(out).before
    assert tree(out) == tree(whole)


def test_a_process_killed_right_after_its_manifest_is_cleaned_up_after(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "w"
    make(out)
    (out / DOING).mkdir()
    (out / DOING / PLAN).write_text("{}")
    assert make(out).before
    assert tree(out) == tree(whole)


@pytest.mark.parametrize("after", [0, 1, 4])
def test_an_interrupted_world_is_continued(whole: Path, tmp_path: Path, after: int) -> None:
    out = tmp_path / "w"

    def broken(function: Callable[[Job], VideoRecord], jobs: Sequence[Job]) -> Iterator[VideoRecord]:
        for i, job in enumerate(jobs):
            if i == after:
                raise KeyboardInterrupt
            yield function(job)

    with pytest.raises(KeyboardInterrupt):
        make(out, spread=broken)
    assert not (out / "manifest.json").exists()
    assert not (out / "train.txt").exists()
    left = out / ".doing" / f"4_abc.{machine()}.999999999" / "data" / "origin"
    left.mkdir(parents=True)
    (left / "00000001.jpg").write_bytes(b"half")
    before = tree(out / "data") if after else {}
    assert not make(out).before
    assert tree(out) == tree(whole)
    assert set(before) <= set(tree(out / "data"))


def test_kill_and_repeat(whole: Path, tmp_path: Path) -> None:
    """A real kill -9 while videos are being drawn."""
    out = tmp_path / "w"
    options = f"seed=5, videos={COUNTS}, frames=3, size={SIZE}"
    imports = "from pathlib import Path; from vsscli.data.world import write_world"
    script = f"{imports}; write_world(Path({str(out)!r}), {options})"
    with subprocess.Popen([sys.executable, "-c", script]) as process:
        while process.poll() is None and not list(out.glob("data/*")):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert out.is_dir()
    make(out)
    assert tree(out) == tree(whole)


def test_two_at_once(whole: Path, tmp_path: Path) -> None:
    """Two processes make the same world in the same folder: both succeed, nothing is left of the race."""
    out = tmp_path / "w"
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        digests = {future.result().digest for future in [pool.submit(make, out) for _ in range(2)]}
    assert len(digests) == 1
    assert tree(out) == tree(whole)
    assert not (out / ".doing").exists()


def test_truth_without_its_video_is_made_again(whole: Path, tmp_path: Path) -> None:
    """Killed between the two renames of a test video: only its truth lies there."""
    out = tmp_path / "w"
    make(out)
    (name,) = (out / "test.txt").read_text().split()
    for path in sorted((out / "data" / name / "origin").iterdir()):
        path.unlink()
    (out / "data" / name / "origin").rmdir()
    (out / "data" / name).rmdir()
    assert not make(out).before
    assert tree(out) == tree(whole)


def test_a_finished_world_is_left_alone(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "w"
    first = make(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again = make(out)
    assert again.before
    assert (again.digest, again.classes, again.videos) == (first.digest, first.classes, first.videos)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times


def test_digests_tell_worlds_apart(whole: Path, tmp_path: Path) -> None:
    digests = {json.loads((whole / "manifest.json").read_text())["digest"]}
    others: tuple[dict[str, object], ...] = ({"seed": 6}, {"frames": 4}, {"size": (41, 72)}, {})
    for i, other in enumerate(others):
        digests.add(make(tmp_path / str(i), videos={"train": 1}, **other).digest)
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"seed": 6}, "its seed is 5, not 6"),
        ({"frames": 4}, "its frames is 3, not 4"),
        ({"size": (72, 40)}, r"its size is \[40, 72\], not \[72, 40\]"),
        ({"videos": {"train": 2, "val": 2}}, "its videos is"),
    ],
)
def test_another_world_in_the_folder_is_refused(whole: Path, other: dict[str, object], word: str) -> None:
    before = tree(whole)
    with pytest.raises(OptionError, match=word):
        make(whole, **other)
    assert tree(whole) == before


def test_a_part_of_another_world_is_refused(tmp_path: Path) -> None:
    def nothing(function: Callable[[Job], VideoRecord], jobs: Sequence[Job]) -> Sequence[VideoRecord]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "w", spread=nothing)
    with pytest.raises(OptionError, match="its seed is 5, not 9"):
        make(tmp_path / "w", seed=9)


def test_foreign_folders_and_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OptionError, match="is a file"):
        make(tmp_path / "file")
    with pytest.raises(OptionError, match="is not empty and holds no generated world"):
        make(tmp_path)
    for text in ("{", "[]", "\xff"):
        (tmp_path / "manifest.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(OptionError, match="manifest|another generated world"):
            make(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "manifest.json"]


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"seed": -1}, "seed -1 is negative"),
        ({"videos": {"train": -1}}, "train cannot have -1 videos"),
        ({"videos": {"train": 0}}, "no video"),
        ({"videos": {"dev": 1}}, "no split 'dev'"),
        ({"frames": 0}, "cannot have 0 frames"),
        ({"size": (4, 100)}, r"100x4 \(width x height\)"),
        ({"size": (100, 9000)}, "9000x100"),
    ],
)
def test_bad_numbers_have_their_sentence(tmp_path: Path, other: dict[str, object], word: str) -> None:
    with pytest.raises(OptionError, match=word) as caught:
        make(tmp_path / "w", **other)
    assert caught.value.hint
    assert not (tmp_path / "w").exists()


def test_a_disk_that_refuses_has_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be written") as caught:
        make(tmp_path / "file" / "w")
    assert "continues" in caught.value.hint


def test_a_full_disk_leaves_no_part_of_a_picture(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "w"
    with file_limit(1024), pytest.raises(DataError, match="cannot be written: File too large"):
        make(out)
    assert not list((out / "data").glob("*"))
    make(out)
    assert tree(out) == tree(whole)


def test_a_damaged_video_is_named(whole: Path, tmp_path: Path) -> None:
    """In a finished world and in one that is continued."""
    out = tmp_path / "w"
    make(out)
    (name,) = (out / "test.txt").read_text().split()
    for folder, kind in ((out / "data" / name, "origin"), (out / "test_truth" / name, "mask")):
        next((folder / kind).iterdir()).unlink()
        for manifest in (True, False):
            if not manifest:
                (out / DOING).mkdir()
                (out / DOING / PLAN).write_text(json.dumps(Plan(5, COUNTS, 3, SIZE).identity()))
                (out / "manifest.json").rename(tmp_path / "manifest.json")
            with pytest.raises(DataError, match=rf"{kind} lacks 1 of its 3 files, the first") as caught:
                make(out)
            assert f"Remove {folder} and repeat" in caught.value.hint
        shutil.rmtree(folder)
        make(out)
        assert tree(out) == tree(whole)


def test_chosen_places_are_videos_of_the_whole_world(tmp_path: Path) -> None:
    counts = {"train": 24, "val": 0, "test": 0}
    everything = [job.name for job in Plan(5, counts, 3, SIZE).jobs(tmp_path)]
    wanted = Plan(5, {"train": 4, "val": 0, "test": 0}, 3, SIZE, ("lake", "coast")).jobs(tmp_path)
    shown = [name for name, job in zip(everything, Plan(5, counts, 3, SIZE).jobs(tmp_path), strict=True) if water(job)]
    assert [job.name for job in wanted] == shown[:4]
    made = make(tmp_path / "w", videos={"train": 1, "val": 0, "test": 0}, places=("lake",))
    assert [video.place for video in made.videos] == ["lake"]
    assert make(tmp_path / "w", videos={"train": 1, "val": 0, "test": 0}, places=("lake",)).before
    with pytest.raises(OptionError, match='its places is \\["lake"\\], not null'):
        make(tmp_path / "w", videos={"train": 1, "val": 0, "test": 0})


def water(job: Job) -> bool:
    return place_name(job.seed, job.index) in ("lake", "coast")


def test_worlds_of_before_there_was_a_choice_are_known_again(whole: Path) -> None:
    manifest = json.loads((whole / "manifest.json").read_text())
    del manifest["places"]
    (whole / "manifest.json").write_text(json.dumps(manifest))
    assert make(whole).before


@pytest.mark.parametrize(("places", "sentence"), [(("laek",), "no place 'laek'"), ((), "No place is named")])
def test_places_that_are_none(places: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=sentence) as caught:
        make(tmp_path / "w", places=places)
    assert "winter" in str(caught.value.hint)
    assert not (tmp_path / "w").exists()
