"""The engine's promises: the same bytes however the work is spread, and one bad video stops no other."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.engine.stages import Stripes, contents
from vsscli.engine import Frame, plan, produce
from vsscli.engine.pool import Pool
from vsscli.errors import OptionError, RunError
from vsscli.processes import machine
from vsscli.runs.disk import DiskError
from vsscli.runs.output import open_output
from vsscli.runs.run import open_run

VIDEOS = [f"v{i}" for i in range(5)]


def test_workers_and_shards_give_the_same_bytes(tmp_path: Path) -> None:
    produce(Stripes(), tmp_path / "one", VIDEOS)
    produce(Stripes(), tmp_path / "two", VIDEOS, ["cpu"] * 3)
    produce(Stripes(), tmp_path / "shards", VIDEOS[1::2])
    produce(Stripes(), tmp_path / "shards", VIDEOS[0::2])
    expected = contents(tmp_path / "one")
    assert len(expected) == 1 + 5 * 4
    assert contents(tmp_path / "two") == expected
    assert contents(tmp_path / "shards") == expected


def test_the_same_call_does_what_is_left(tmp_path: Path) -> None:
    produce(Stripes(), tmp_path / "run", VIDEOS[:2])
    stage = Stripes()
    assert plan(stage, tmp_path / "run", VIDEOS) == (VIDEOS[2:], VIDEOS[:2])
    outcome = produce(stage, tmp_path / "run", VIDEOS)
    assert stage.seen == VIDEOS[2:] == outcome.done
    assert outcome.before == VIDEOS[:2]
    again = produce(stage, tmp_path / "run", VIDEOS)
    assert again.done == [] and again.before == VIDEOS


def test_other_options_are_refused_and_named(tmp_path: Path) -> None:
    produce(Stripes(), tmp_path / "run", VIDEOS[:1])
    before = contents(tmp_path / "run")
    with pytest.raises(RunError, match="option: 0 there, 1 now"):
        produce(Stripes(option=1), tmp_path / "run", VIDEOS)
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_video_stops_no_other(tmp_path: Path, workers: int) -> None:
    videos = ["a", "bad", "bug", "z"]
    outcome = produce(Stripes(), tmp_path / "run", videos, ["cpu"] * workers)
    assert sorted(outcome.done) == ["a", "z"]
    assert outcome.failed["bad"] == "frame 2 of bad is broken."
    assert "ZeroDivisionError" in outcome.failed["bug"] and "log.jsonl" in outcome.failed["bug"]
    assert open_run(tmp_path / "run").names() == ("a", "z")
    assert not (tmp_path / "run" / "bad").exists()
    assert list((tmp_path / "run" / ".vsscli" / "doing").iterdir()) == []
    log = [json.loads(line) for line in (tmp_path / "run" / ".vsscli" / "log.jsonl").read_text().splitlines()]
    assert any("ZeroDivisionError" in entry.get("traceback", "") for entry in log)


def test_a_killed_worker_fails_its_video_only(tmp_path: Path) -> None:
    outcome = produce(Stripes(), tmp_path / "run", ["a", "killed", *VIDEOS], ["cpu"] * 2)
    assert sorted(outcome.done) == ["a", *VIDEOS]
    assert "killed twice" in outcome.failed["killed"]
    assert multiprocessing.active_children() == []


def test_a_changed_input_is_an_error_that_names_the_video(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    stage = Stripes(folder=data)
    produce(stage, tmp_path / "run", VIDEOS)
    (data / "v3").write_text("other")
    with pytest.raises(RunError, match=r"Video v3 .* has changed"):
        produce(stage, tmp_path / "run", VIDEOS)


def test_output_and_input_may_not_contain_each_other(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    stage = Stripes(folder=data)
    for out, word in ((data, "is"), (data / "run", "lies inside"), (tmp_path, "holds")):
        with pytest.raises(OptionError, match=f"{word} .*data, an input"):
            produce(stage, out, VIDEOS)
    assert list(data.iterdir()) == []


def test_work_that_made_nothing_claims_no_folder(tmp_path: Path) -> None:
    assert produce(Stripes(), tmp_path / "run", ["bad"]).failed
    assert produce(Stripes(option=1), tmp_path / "run", ["v0"]).done == ["v0"]


def test_who_comes_second_with_other_options_stops(tmp_path: Path) -> None:
    """Before it has done any work, and although nothing is finished yet."""
    worked = []

    class Other(Stripes):
        def process(self, video: str) -> Iterator[Frame]:
            worked.append(video)
            return super().process(video)

    class First(Stripes):
        def process(self, video: str) -> Iterator[Frame]:
            with pytest.raises(RunError, match="made otherwise"):
                produce(Other(option=1), tmp_path / "run", ["v3"])
            yield from super().process(video)

    assert produce(First(), tmp_path / "run", VIDEOS).done == VIDEOS
    assert not worked


def test_who_was_killed_before_the_first_video_claims_no_folder(tmp_path: Path) -> None:
    run = open_output(tmp_path / "run", Stripes().manifest, None, [])
    with run.begin("v0"):
        assert (run.path / "run.json").is_file()
        (run.doing / f"v1.{machine()}.4194304").mkdir()  # of a process that is gone: no number is so high
    produce(Stripes(option=1), tmp_path / "run", VIDEOS)
    assert open_run(tmp_path / "run").names() == tuple(VIDEOS)


@pytest.mark.parametrize("damage", ["lost", "emptied", "exchanged", "gone"])
def test_a_damaged_video_is_made_again(tmp_path: Path, damage: str) -> None:
    run = tmp_path / "run"
    produce(Stripes(), run, VIDEOS)
    expected = contents(run)
    if damage == "lost":
        (run / "v1" / "00000002.png").unlink()
    elif damage == "emptied":
        (run / "v1" / "00000002.png").write_bytes(b"")
    elif damage == "exchanged":
        shutil.rmtree(run / "v1")
        shutil.copytree(run / "v2", run / "v1")
    else:
        shutil.rmtree(run / "v1")
    assert plan(Stripes(), run, VIDEOS)[0] == ["v1"]
    assert produce(Stripes(), run, VIDEOS).done == ["v1"]
    assert contents(run) == expected
    assert plan(Stripes(), run, VIDEOS) == ([], VIDEOS)
    assert open_run(run).frames("v1")


def test_what_else_lies_with_a_video_is_no_damage_and_is_never_removed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    produce(Stripes(), run, VIDEOS)
    mine = run / "v1" / "notes.txt"
    mine.write_text("mine")
    (run / "v1" / ".DS_Store").write_text("the system's")
    assert produce(Stripes(), run, VIDEOS).done == []
    (run / "v1" / "00000002.png").unlink()
    for _ in range(2):
        with pytest.raises(RunError, match=r"v1 has to be made again, but .*v1 also holds 'notes.txt'"):
            produce(Stripes(), run, VIDEOS)
    assert mine.read_text() == "mine"
    mine.rename(tmp_path / "notes.txt")
    assert produce(Stripes(), run, VIDEOS).done == ["v1"]


def test_a_folder_without_record_that_holds_another_picture_stays(tmp_path: Path) -> None:
    """Its frames are known only once the video is made: then this video fails, and no other."""
    run = tmp_path / "run"
    produce(Stripes(), run, VIDEOS)
    (run / ".vsscli" / "done" / "v1.json").unlink()
    (run / "v1" / "00000002.png").unlink()
    (run / "v1" / "figure.png").write_bytes(b"mine")
    outcome = produce(Stripes(), run, [*VIDEOS, "v9"])
    assert outcome.done == ["v9"] and "also holds 'figure.png'" in outcome.failed["v1"]
    assert (run / "v1" / "figure.png").read_bytes() == b"mine"


def test_records_without_the_state_of_the_files_are_accepted(tmp_path: Path) -> None:
    run = tmp_path / "run"
    produce(Stripes(), run, VIDEOS)
    path = run / ".vsscli" / "done" / "v1.json"
    content = json.loads(path.read_text())
    del content["files"]
    path.write_text(json.dumps(content))
    assert plan(Stripes(), run, VIDEOS) == ([], VIDEOS)
    (run / "v1" / "00000002.png").unlink()
    assert plan(Stripes(), run, VIDEOS)[0] == ["v1"]


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match="not empty"):
        produce(Stripes(), tmp_path, VIDEOS)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file"):
        produce(Stripes(), tmp_path / "file", VIDEOS)


def test_an_orphan_between_rename_and_record_is_adopted_or_replaced(tmp_path: Path) -> None:
    run = tmp_path / "run"
    produce(Stripes(), run, VIDEOS)
    expected = contents(run)
    for video in VIDEOS[:2]:
        (run / ".vsscli" / "done" / f"{video}.json").unlink()
    (run / "v1" / "00000002.png").write_bytes(b"torn")
    assert open_run(run).names() == tuple(VIDEOS[2:])
    assert open_run(run).unfinished() == tuple(VIDEOS[:2])
    assert produce(Stripes(), run, VIDEOS).done == VIDEOS[:2]
    assert contents(run) == expected


class Flat(Stripes):
    """Maps of one label; in the second video one pixel differs at the end."""

    def process(self, video: str) -> Iterator[Frame]:
        for i, frame in enumerate(super().process(video)):
            labels = np.full_like(frame.labels, 7)
            labels[0, 0] = 8 if video == "v1" and i == 3 else 7
            yield Frame(frame.name, labels)


def test_maps_of_one_label_are_told(tmp_path: Path) -> None:
    outcome = produce(Flat(), tmp_path / "run", VIDEOS[:2])
    assert outcome.constant == {"v0": 7}
    assert produce(Stripes(), tmp_path / "other", VIDEOS[:2]).constant == {}


SCRIPT = """
import sys
from pathlib import Path
from tests.engine.stages import Stripes
from vsscli.engine import produce
if __name__ == "__main__":
    videos = [f"v{i}" for i in range(5)]
    outcome = produce(Stripes(seconds=0.05), Path(sys.argv[1]), videos, ["cpu"] * int(sys.argv[2]))
    print(len(outcome.done), len(outcome.before), outcome.interrupted)
"""


def start(run: Path, workers: int) -> "subprocess.Popen[str]":
    script = run.parent / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(script), str(run), str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)


def wait_for(run: Path, records: int) -> None:
    deadline = time.monotonic() + 60
    while len(list((run / ".vsscli" / "done").glob("*.json"))) < records:
        assert time.monotonic() < deadline, "nothing was finished"
        time.sleep(0.01)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_what_is_finished_and_nothing_else(tmp_path: Path, workers: int) -> None:
    run = tmp_path / "run"
    process = start(run, workers)
    wait_for(run, 1)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output.endswith("True\n")
    assert list((run / ".vsscli" / "doing").iterdir()) == []
    produce(Stripes(), tmp_path / "whole", VIDEOS)
    produce(Stripes(), run, VIDEOS)
    assert contents(run) == contents(tmp_path / "whole")


def test_workers_go_when_their_parent_is_killed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(run, 2)
    wait_for(run, 1)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True).stdout:
        assert time.monotonic() < deadline, "workers outlived their parent"
        time.sleep(0.1)
    produce(Stripes(), run, VIDEOS)
    assert open_run(run).names() == tuple(VIDEOS)
    assert list((run / ".vsscli" / "doing").iterdir()) == []


PARENT = """
import multiprocessing
import os
import signal
import time
from vsscli.engine.pool import Pool
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # some shells start what they start deaf
    pool = Pool(1)
    pool.submit(os.getpid)  # begins to start a worker
    print(multiprocessing.active_children()[0].pid, flush=True)
    {end}
"""


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.3])
def test_workers_go_when_their_parent_is_killed_before_they_began(tmp_path: Path, delay: float) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(end=f"time.sleep({delay}); os.kill(os.getpid(), 9)"))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    worker = int(done.stdout)
    deadline = time.monotonic() + 30
    while is_python(worker):
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.05)


def is_python(pid: int) -> bool:
    status = subprocess.run(["ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return "python" in status and not status.startswith("Z")


def test_a_worker_that_starts_hears_no_ctrl_c(tmp_path: Path) -> None:
    """Every worker lives through a hail of them and says nothing; the parent ends in its own time."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(end="time.sleep(60)"))
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    for _ in range(100):
        os.kill(worker, signal.SIGINT)
        time.sleep(0.01)
        assert is_python(worker)
    os.kill(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said and "Interrupt" not in said


def test_ctrl_c_while_a_worker_is_started_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    launched: list[bool] = []

    def launch(self: ProcessPoolExecutor, *arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)
        launched.append(True)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", launch)
    before = signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with pytest.raises(KeyboardInterrupt):
        Pool(1).submit(os.getpid)
    assert launched == [True]
    assert (signal.getsignal(signal.SIGINT), signal.pthread_sigmask(signal.SIG_BLOCK, [])) == before


def test_two_processes_on_one_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    both = [start(run, 1), start(run, 1)]
    results = [process.communicate(timeout=60)[0].split() for process in both]
    assert [sum(map(int, result[:2])) for result in results] == [5, 5]
    produce(Stripes(), tmp_path / "whole", VIDEOS)
    assert contents(run) == contents(tmp_path / "whole")


def test_a_disk_that_refuses_ends_the_command_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="cannot be written"):
        produce(Stripes(), Path("/proc/vsscli-run"), VIDEOS)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="lies below .*file, which is a file"):
        produce(Stripes(), tmp_path / "file" / "run", VIDEOS)
