"""What DVIS++ needs of memory and disk: as much as is told, less with fewer frames at once, and refused in time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.models.dvis.folders import write_random
from tests.models.tiny import picture
from vsscli.cli.main import run
from vsscli.data.open import open_dataset
from vsscli.errors import DeviceError
from vsscli.infer.build import build
from vsscli.infer.request import Request
from vsscli.infer.room import Need, available_memory, check_room, find_need
from vsscli.infer.store import FrameStore
from vsscli.runs.disk import DiskError

PROBE = """
import sys
from pathlib import Path
from tests.support import peak_memory
import vsscli.infer.store as store
from tests.infer.test_stage import infer
data, out, model, size, batch, limit = sys.argv[1:]
store.IN_MEMORY = int(limit)
infer(Path(data), Path(out), Path(model), size=size, batch=int(batch))
print(peak_memory())
"""


def make_frames(folder: Path, count: int, size: tuple[int, int]) -> Path:
    """A video of one and the same frame ``count`` times."""
    folder.mkdir(parents=True)
    first = folder / "00000.png"
    Image.fromarray(picture(*size)).save(first)
    for i in range(1, count):
        (folder / f"{i:05d}.png").hardlink_to(first)
    return folder


def in_own_process(probe: str, *words: object) -> str:
    """What the Python program ``probe`` prints."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "MALLOC_ARENA_MAX": "2"}
    environment.pop("TMPDIR", None)
    command = [sys.executable, "-c", probe, *map(str, words)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True).stdout


def peak(data: Path, out: Path, model: Path, size: str, batch: int, limit: int) -> int:
    """Bytes of memory that a process of its own takes at most."""
    return int(in_own_process(PROBE, data, out, model, size, batch, limit)) * 1024


def need_of(data: Path, model: Path, size: str) -> Need:
    dataset = open_dataset(data)
    plan = build(dataset, Request(str(model), size), ["cpu"], data.parent / "run")
    need = find_need(dataset, dataset.names(), plan.views, plan.card)
    assert need is not None
    return need


def test_a_frame_takes_what_is_told(tmp_path: Path) -> None:
    """By default: what is kept stays in memory up to a gigabyte.

    Before some 40 frames the peak still lies where the heap settles, so both runs are longer than that; and many small
    frames tell more than few large ones, for what is on its way varies by a few frames, not by a share of them.
    """
    model = write_random(tmp_path / "model", "offline")
    peaks = []
    for count in (60, 380):
        data = make_frames(tmp_path / f"v{count}" / "a", count, (180, 320)).parent
        peaks.append(peak(data, tmp_path / f"run{count}", model, "360", 2, 1 << 30))
    need = need_of(data, model, "360")
    assert (need.frames, need.stored) == (380, 32 * 96 * 160 * 4)
    grown = (peaks[1] - peaks[0]) / 320
    assert grown <= 1.1 * (need.stored + need.held), f"{grown / 1e6:.2f} MB a frame, told {need.stored / 1e6:.2f} MB"


@pytest.mark.parametrize("kind", ["online", "offline"])
def test_what_is_in_the_file_is_not_in_memory(kind: str, tmp_path: Path) -> None:
    model = write_random(tmp_path / "model", kind)
    peaks = []
    for count in (80, 240):  # what is on its way varies with the load: the more frames, the less that is of each
        data = make_frames(tmp_path / f"v{count}" / "a", count, (180, 320)).parent
        peaks.append(peak(data, tmp_path / f"run{count}", model, "360", 1, 0))
    need = need_of(data, model, "360")
    grown = (peaks[1] - peaks[0]) / 160
    # The heap itself settles over the first frames, a few MB in all; half of what is kept is far above that.
    told = f"{grown / 1e6:.2f} MB a frame; {need.stored / 1e6:.1f} MB are kept"
    assert grown <= 1.1 * need.held + need.stored / 2, told


def test_fewer_frames_at_once_take_less(tmp_path: Path) -> None:
    model = write_random(tmp_path / "model", "online")
    data = make_frames(tmp_path / "v" / "a", 24, (180, 320)).parent
    peaks = [peak(data, tmp_path / f"run{batch}", model, "720", batch, 0) for batch in (1, 4, 12)]
    assert peaks[0] + 100e6 < peaks[1] < peaks[2] - 100e6, peaks


def test_what_no_disk_can_hold_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    model = write_random(tmp_path / "model", "offline")
    data = make_frames(tmp_path / "v" / "long", 4_000, (32, 32)).parent
    command = ["infer", str(data), "--model", str(model), "--size", "8192", "--out", str(tmp_path / "run")]
    assert run(command) == 2
    said = capsys.readouterr().err
    assert f"4,000 frames x {32 * 2048**2 * 4 / 1e6:.1f} MB" in said and "The disk is too small" in said
    assert f"take the online model of it, which keeps {10 * 2048**2 * 4 / 1e6:.1f} MB of a frame" in said
    assert not (tmp_path / "run").exists()


def test_what_memory_cannot_hold_is_refused(tmp_path: Path) -> None:
    need = Need("a", 1000, 1, available_memory() // 500, "mask logits", "take a smaller --size")
    with pytest.raises(Exception, match="Memory is too small: 1,000 frames x .* in each of 2 workers"):
        check_room(need, tmp_path, 2)


def test_what_fits_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    said = check_room(Need("a", 100, 60_000_000, 1000, "mask features", ""), tmp_path / "run", 1)
    assert said == (
        "100 frames x 60.0 MB = 6.0 GB of mask features are kept of the largest video (a) until its end: "
        "1.1 GB in memory, "
        f"4.9 GB in a temporary file in {tmp_path}."
    )
    small = check_room(Need("a", 6, 60_000, 1000, "mask logits", ""), tmp_path / "run", 3)
    told = (
        "6 frames x 60.0 kB = 360.0 kB of mask logits are kept of the largest video (a) in each of 3 workers until its "
        "end"
    )
    assert small == f"{told}: 366.0 kB in memory."


def test_the_memory_that_is_left_is_told_as_the_system_does() -> None:
    import psutil

    assert 0 < available_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_of_a_job_is_seen_and_cached_files_count_as_free(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job of 100 MB in groups of either version: 90 are used, 70 of them by files that were read."""
    limit, used, prefix = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
        2: ("memory.max", "memory.current", ""),
    }[version]
    base = tmp_path / "groups" / ("memory" if version == 1 else "")
    job = base / "slurm" / "job_1"
    (job / "step").mkdir(parents=True)
    (job / limit).write_text("100000000\n")
    (job / used).write_text("90000000\n")
    (job / "memory.stat").write_text(f"anon 5\n{prefix}inactive_file 40000000\n{prefix}active_file 30000000\n")
    (job / "step" / limit).write_text("max\n" if version == 2 else f"{2**63 - 4096}\n")
    (job / "step" / used).write_text("1\n")
    (job / "step" / "memory.stat").write_text("")
    lines = {1: "9:cpu,memory:/slurm/job_1/step\n0::/\n", 2: "0::/slurm/job_1/step\n"}
    (tmp_path / "cgroup").write_text(lines[version])
    monkeypatch.setattr("vsscli.infer.room._OF_THIS_PROCESS", tmp_path / "cgroup")
    monkeypatch.setattr("vsscli.infer.room._GROUPS", tmp_path / "groups")
    assert available_memory() == 80_000_000
    (job / limit).unlink()
    assert available_memory() > 80_000_000


def test_links_that_lead_nowhere_are_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_random(tmp_path / "model", "online")
    data = make_frames(tmp_path / "v" / "a", 2, (32, 32)).parent
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "at" / "all")
    command = ["infer", str(data), "--model", str(model), "--size", "64", "--out"]
    for place in ("dangling", "dangling/x"):
        assert run([*command, str(tmp_path / place)]) == 2
        assert f"{place} cannot be written" in capsys.readouterr().err
    monkeypatch.setenv("TMPDIR", str(tmp_path / "dangling"))
    assert run([*command, str(tmp_path / "run")]) == 0  # so little stays in memory


def test_a_temporary_folder_that_is_not_there_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it would be needed; and it is not made."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "slip"))
    large = Need("a", 100, 60_000_000, 1000, "mask features", "")
    with pytest.raises(DeviceError, match="TMPDIR is .*slip, which is no folder, and 100 frames x 60.0 MB"):
        check_room(large, tmp_path / "run", 1)
    assert "in memory" in check_room(Need("a", 6, 60_000, 1000, "mask logits", ""), tmp_path / "run", 1)
    with FrameStore(tmp_path / "run", limit=0) as store, pytest.raises(DiskError):
        store.append(torch.zeros(3))
    assert not (tmp_path / "slip").exists()


def test_finished_videos_that_are_made_again_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that lacks class scores keeps as much again as the first time."""
    model = write_random(tmp_path / "model", "online")
    data = make_frames(tmp_path / "v" / "a", 2, (32, 32)).parent
    command = ["infer", str(data), "--model", str(model), "--size", "64", "--out", str(tmp_path / "run")]
    for more, told in (([], True), ([], False), (["--keep-topk", "2"], True)):
        assert run([*command, *more]) == 0
        assert ("are kept of the largest video (a)" in " ".join(capsys.readouterr().err.split())) == told
