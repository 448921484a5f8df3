"""What class correction repairs and breaks: ``python -m tests.experiments.correction FOLDER --local MODEL``.

Generated videos with a sea, a river or a lake, and a few without water, get known errors: the whole water is called
another one throughout, or a part of it, or all of it in some of the frames; every fourth video stays as it is. The
command is run on them as a user would run it, and what became of each video is counted. ``--right 0.9`` asks nobody:
every question is answered rightly with that probability, else wrongly. FOLDER is made; what is there is used again.
"""

import argparse
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsscli import engine
from vsscli.cli.main import run as vsscli
from vsscli.data.classes import vspw_classes
from vsscli.data.dataset import Dataset
from vsscli.data.open import open_dataset
from vsscli.data.world import Job, make_video, place_name, video_index, video_name
from vsscli.engine import Frame, Stage
from vsscli.engine.inputs import DatasetInput
from vsscli.infer.oracle import fill_void
from vsscli.postprocess.answers import AnswerStore
from vsscli.postprocess.groups import read_groups
from vsscli.postprocess.plan import Planner
from vsscli.postprocess.profiles import load_profile
from vsscli.postprocess.question import Answer
from vsscli.postprocess.rules import Rules
from vsscli.postprocess.wording import read_wording
from vsscli.runs.manifest import Manifest, describe_classes
from vsscli.runs.run import Run, open_run

SEED = 4242  # a world that no model was trained on
WATERS = ("sea", "river", "lake")
GROUPS = "group,stuff,classes,scope,priority\nwater,water,sea|river|lake,image,1\n"
KINDS = ("whole", "split", "flicker", "none")
#: An error is repaired when so large a share of its pixels is right again.
REPAIRED = 0.9

Array = NDArray[np.uint8]


def make_world(folder: Path, waters: int, lands: int, frames: int, size: tuple[int, int], workers: int) -> Dataset:
    """The first ``waters`` videos of the world with water and ``lands`` without, in VSPW's layout."""
    wanted, index = {True: waters, False: lands}, 0
    jobs: list[Job] = []
    while any(wanted.values()):
        number = video_index("val", index)
        wet = is_wet(video_name(SEED, number))
        if wanted[wet]:
            wanted[wet] -= 1
            jobs.append(Job(folder, SEED, "val", number, frames, size))
        index += 1
    list(engine.map(make_video, jobs, workers=workers, title="world"))
    shutil.rmtree(folder / ".doing", ignore_errors=True)
    (folder / "val.txt").write_text("".join(f"{job.name}\n" for job in jobs))
    return open_dataset(folder)


class Injected(Stage):
    """The truth with an error of one kind in each video; `kind_of` tells which."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.table = dataset, vspw_classes()
        self.inputs = [DatasetInput(dataset)]
        self.manifest = Manifest("inject", {"seed": SEED}, describe_classes(self.table))
        self.ids = [self.table.index(name) for name in WATERS]

    def count(self, video: str) -> int:
        return len(self.dataset.video(video).frames)

    def process(self, video: str) -> Iterator[Frame]:
        source, kind = self.dataset.video(video), kind_of(self.dataset, video)
        chance = np.random.default_rng(list(video.encode()))
        shift, part = int(chance.integers(1, 3)), chance.uniform(0.3, 0.7)
        swap = np.arange(256, dtype=np.uint8)
        swap[self.ids] = np.roll(self.ids, shift)
        for name in source.frames:
            labels = fill_void(source.labels(name))
            wrong = np.ones(labels.shape, np.bool_) if kind == "whole" else np.zeros(labels.shape, np.bool_)
            if kind == "split":
                wrong[:, : round(part * labels.shape[1])] = True
            elif kind == "flicker":
                wrong[:] = chance.random() < 0.4
            yield Frame(name, np.where(wrong, swap[labels], labels))


def is_wet(video: str) -> bool:
    """Whether a generated video shows water; its index is in its name."""
    return place_name(SEED, int(video.partition("_")[0]) - 1) in ("coast", "river", "lake")


def kind_of(dataset: Dataset, video: str) -> str:
    """The kind of error of a video: each in turn among those with water, none in the others."""
    wet = [name for name in dataset.listed() if is_wet(name)]
    return KINDS[wet.index(video) % len(KINDS)] if video in wet else "none"


@dataclass(frozen=True)
class Fate:
    """What became of a video: pixels wrong by injection, of those repaired, and all that went wrong by correction."""

    video: str
    kind: str
    injected: int
    repaired: int
    hurt: int
    changed: int


def judge(dataset: Dataset, before: Run, after: Run, video: str) -> Fate:
    source, counts = dataset.video(video), np.zeros(4, np.int64)
    for frame in source.frames:
        truth = fill_void(source.labels(frame))
        old, new = before.labels(video, frame), after.labels(video, frame)
        counts += [
            (old != truth).sum(),
            ((old != truth) & (new == truth)).sum(),
            ((old == truth) & (new != truth)).sum(),
            (old != new).sum(),
        ]
    return Fate(video, kind_of(dataset, video), *map(int, counts))


def invent_answers(planner: Planner, out: Path, asked: str, right: float) -> None:
    """Answers as a model would give them that is right with probability ``right``."""
    store, names = AnswerStore(out), vspw_classes().names
    for video in planner.dataset.names():
        source = planner.dataset.video(video)
        for question in planner.questions(video):
            counts = np.bincount(source.labels(question.frame).ravel(), minlength=256)
            truth = max(question.candidates, key=lambda name: counts[names.index(name)])
            key = question.key(asked)
            chance = np.random.default_rng(list(bytes.fromhex(key)))
            others = [name for name in question.candidates if name != truth]
            chosen = truth if chance.random() < right else str(chance.choice(others))
            store.add(Answer(key, chosen, None, chosen, "invented"))


def correct(options: argparse.Namespace, dataset: Dataset, before: Run, when: str) -> tuple[Run, int]:
    """Runs the command; the corrected run, and how many questions were asked."""
    groups, out = options.folder / "groups.csv", options.folder / f"corrected-{when}-{options.image}"
    groups.write_text(GROUPS)
    words = ["postprocess", str(before.path), "--data", str(dataset.root), "--llm", "llava", "--out", str(out)]
    words += ["--groups", str(groups), "--when", when, "--image", options.image, "--workers", str(options.workers)]
    if options.right is None:
        words += ["--local", options.local] if options.local else ["--base-url", options.base_url]
    else:
        table, rules = vspw_classes(), Rules(when=when, image=options.image)
        wording = read_wording(None, options.image)
        planner = Planner(before, dataset, read_groups(groups, table, 1), wording, rules)
        invent_answers(planner, out, load_profile("llava").asked, options.right)
        words.append("--offline")
    assert vsscli(words) == 0
    return open_run(out), len(AnswerStore(out))


def report(fates: Sequence[Fate], asked: int, when: str, image: str) -> None:
    print(f"\n--when {when} --image {image}: {len(fates)} videos, {asked} questions\n")
    print("| error | videos | repaired | changed | made worse | wrong pixels before | after |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind in (*KINDS, "all"):
        these = [fate for fate in fates if kind in (fate.kind, "all")]
        wrong = sum(fate.injected for fate in these)
        left = wrong - sum(fate.repaired for fate in these) + sum(fate.hurt for fate in these)
        cells = [
            len(these),
            sum(fate.injected > 0 and fate.repaired >= REPAIRED * fate.injected for fate in these),
            sum(fate.changed > 0 for fate in these),
            sum(fate.hurt > fate.repaired for fate in these),
        ]
        print(f"| {kind} | {' | '.join(map(str, cells))} | {wrong:,} | {left:,} |")


def main(arguments: list[str] | None = None) -> dict[str, list[Fate]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--local", help="a LLaVA-type model folder, asked in this process")
    who.add_argument("--base-url", help="a server of the OpenAI protocol")
    who.add_argument("--right", type=float, help="ask nobody: how often the answers are right")
    parser.add_argument("--image", choices=("outlined", "plain"), default="outlined")
    parser.add_argument("--waters", type=int, default=40)
    parser.add_argument("--lands", type=int, default=8)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--size", type=int, nargs=2, default=(180, 320), metavar=("H", "W"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    size = (options.size[0], options.size[1])
    dataset = make_world(options.folder / "world", options.waters, options.lands, options.frames, size, options.workers)
    out = options.folder / "injected"
    engine.produce(Injected(dataset), out, dataset.names(), ["cpu"] * options.workers)
    before = open_run(out)
    found = {}
    for when in ("mixed", "all"):
        after, asked = correct(options, dataset, before, when)
        work = partial(judge, dataset, before, after)
        found[when] = list(engine.map(work, list(dataset.names()), workers=options.workers))
        report(found[when], asked, when, options.image)
    return found


if __name__ == "__main__":
    main()
