"""``kill -9`` anywhere, the same command again: the same bytes.

A harness over a table of verbs. Each writing verb has a line in `CASES`: its arguments, with ``{out}`` and the places
that the test has (``{data}``, runs ``{a}``, ``{b}``, ..., models, checkpoints) filled in. The command is started as a
process of its own, killed with its whole process group once its output holds a given number of files, and repeated.
"""

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.nursery import Nursery


@dataclass(frozen=True)
class Case:
    """A verb under fire, and at how many moments it is killed."""

    arguments: str
    kills: int


CASES = {
    "infer": Case("infer {data} --model oracle:noise=0.1,flicker=0.1 --out {out} --workers 1", 16),
    "infer-workers": Case("infer {data} --model oracle:noise=0.1,flicker=0.1 --out {out} --workers 2", 6),
    "infer-views": Case("infer {data} --model {model} --size 32 --scales 1.0,1.5 --flip --out {out} --workers 1", 8),
    "infer-whole-videos": Case("infer {data} --model {dvis} --size 32 --keep-topk 4 --out {out} --workers 1", 6),
    "infer-causal": Case("infer {data} --model {lvmt} --size 32 --causal --out {out} --workers 1", 4),
    "infer-key-frames": Case("infer {data} --model {mpvss} --size 32 --key-interval 2 --out {out} --workers 1", 4),
    "infer-scores": Case("infer {data} --model {model} --size 32 --keep-topk 3 --out {out} --workers 1", 8),
    "ensemble": Case("ensemble {a} {b} {c} --out {out} --workers 1", 12),
    "ensemble-mean": Case("ensemble {s} {t} --method mean --out {out} --workers 1", 8),
    "ensemble-flow-ssim": Case("ensemble {a} {b} {c} --method flow-ssim --data {data} --out {out} --workers 1", 8),
    "postprocess": Case(
        "postprocess {a} --data {data} --llm llava --base-url {server} --groups {groups} --out {out} --workers 1", 6
    ),
    "submit": Case("submit {a} --data {data} --split val --out {out}.zip", 6),
    "data synth": Case("data synth {out} --train 1 --val 2 --test 1 --frames 4 --size 64x48 --workers 1", 8),
    "convert": Case("convert {official} --out {out}", 4),
    "convert-vmt": Case("convert {official_lvmt} --out {out} --set vit_heads=4", 3),
    "train": Case("train {training} --data {data} --out {out} --device cpu", 2),
    "run": Case("run {recipe} --set data={data} --set out={out}", 3),
    "train-mpvss": Case("train {training_mpvss} --data {data} --out {out} --device cpu", 2),
    "report": Case("report {a} {b} --data {data} --out {out}.html --workers 1", 2),
    "show": Case("show {a} --data {data} --truth --videos 3_c --out {out}.mp4", 2),
    "show-pictures": Case("show {a} --data {data} --out {out} --workers 1", 4),
    "score": Case("score {a} --data {data} --json {out}.json --csv {out} --workers 1", 6),
}


@dataclass(frozen=True)
class Outcome:
    """What a kill did: whether it hit a running command, and the bytes that stand after the repetition."""

    hit: bool
    bytes: dict[str, bytes]


def results(out: Path) -> dict[str, bytes]:
    """Every byte that must be the same: all of it but what tells of times, hosts and work in progress."""
    folder = out.parent
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    files = [path for path in files if ".vsscli" not in path.parts or "topk" in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def leftovers(out: Path) -> list[str]:
    """What a command may not leave behind once it ended well: temporary files and unfinished videos."""
    doing = out / ".vsscli" / "doing"
    there = [str(path) for path in out.parent.rglob("*.tmp")]
    return there + ([str(path) for path in doing.iterdir()] if doing.is_dir() else [])


def arguments(case: Case, places: dict[str, Path | str], out: Path) -> list[str]:
    return [word.format(**places, out=out) for word in case.arguments.split()]


def complete(nursery: Nursery, command: list[str], log: Path) -> None:
    """Runs the command to its end, which must be a good one."""
    assert nursery.wait(nursery.start(command, log)) == 0, log.read_text()


def kill(nursery: Nursery, command: list[str], out: Path, files: int, delay: float, log: Path) -> bool:
    """Starts the command and kills its process group ``delay`` seconds after ``out`` holds ``files`` files.

    True when the command was still running by then.
    """
    pid = nursery.start(command, log)
    deadline = time.monotonic() + 120
    while nursery.poll(pid) is None and count(out) < files:
        assert time.monotonic() < deadline, f"the command hangs: {command}"
        time.sleep(0.0005)
    time.sleep(delay)
    hit = nursery.poll(pid) is None
    if hit:
        os.killpg(pid, signal.SIGKILL)
    nursery.wait(pid)
    return hit


def count(out: Path) -> int:
    """Files in the output's folder so far, finished or not."""
    return sum(len(names) for _, _, names in os.walk(out.parent))


def kill_points(case: Case, total: int, seed: int) -> list[tuple[int, float]]:
    """(files, delay) for each kill: spread over the whole run, with a little chance in when."""
    chance = random.Random(seed)
    return [(round(i * total / case.kills), chance.uniform(0, 0.004)) for i in range(case.kills)]


def attack(
    nursery: Nursery, case: Case, places: dict[str, Path | str], folder: Path, seed: int = 0
) -> tuple[dict[str, bytes], list[Outcome]]:
    """The undisturbed result, and what stands after every kill and repetition."""
    whole, log = folder / "whole" / "out", folder / "log.txt"
    whole.parent.mkdir(parents=True)
    complete(nursery, arguments(case, places, whole), log)
    outcomes = []
    for i, (files, delay) in enumerate(kill_points(case, count(whole), seed)):
        out = folder / f"kill{i}" / "out"
        out.parent.mkdir()
        command = arguments(case, places, out)
        hit = kill(nursery, command, out, files, delay, log)
        complete(nursery, command, log)
        assert not leftovers(out), leftovers(out)
        outcomes.append(Outcome(hit, results(out)))
    return results(whole), outcomes
