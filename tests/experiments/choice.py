"""How far the choice by motion can be trusted: ``python -m tests.experiments.choice FOLDER [--data DATA]``.

Models with known errors answer on videos with masks: the test double's, five kinds in two strengths each, and none at
all. For every video and every two models it is asked whether the one with the higher SSIM is the one with the higher
mIoU, for both kinds of comparison and, for ids, under random numberings of the classes. FOLDER is made: a generated
world (unless ``--data`` is given) and the runs; what is there already is used again. Tables are Markdown.
"""

import argparse
from collections.abc import Callable, Iterable
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsscli import engine
from vsscli.data.dataset import Dataset
from vsscli.data.open import open_dataset
from vsscli.data.world import write_world
from vsscli.ensemble.consistency import Consistency
from vsscli.ensemble.explain import count_video, miou
from vsscli.infer.oracle import OracleStage
from vsscli.maps.flow import gray
from vsscli.runs.run import Run, open_run
from vsscli.runs.source import frames_and_maps

NUMBERINGS = 20
#: Models by name: kind of error, then strength. ``confuse`` is filled in from the dataset's classes.
MODELS = {
    "none": "oracle",
    "noise 3%": "oracle:noise=0.03",
    "noise 10%": "oracle:noise=0.1",
    "flicker 3%": "oracle:flicker=0.03",
    "flicker 10%": "oracle:flicker=0.1",
    "lag 1": "oracle:lag=1",
    "lag 3": "oracle:lag=3",
    "missing 20%": "oracle:drop=0.2",
    "missing 50%": "oracle:drop=0.5",
    "wrong class 10%": "oracle:confuse=",
    "wrong class 30%": "oracle:confuse=",
}
KINDS = ("none", "noise", "flicker", "lag", "missing", "wrong")

Floats = NDArray[np.float64]


class Found:
    """Of videos [V] and models [M]: ``miou [V, M]``, ``classes [V, M]``, and ``ids [1 + NUMBERINGS, V, M]``."""

    def __init__(self, rows: Iterable[tuple[Floats, Floats, Floats]]) -> None:
        ious, classes, ids = zip(*rows, strict=True)
        self.miou, self.classes, self.ids = np.stack(ious), np.stack(classes), np.stack(ids, axis=1)


def confusions(dataset: Dataset, share: float) -> str:
    """``share`` of the classes, drawn, are taken for others, throughout."""
    assert dataset.classes is not None
    names, random = dataset.classes.names, np.random.default_rng(3)
    order, others = random.permutation(len(names)), random.permutation(len(names))
    wrong = [i for i in order[: round(share * len(names))].tolist() if others[i] != i]
    return "+".join(f"{names[i]}>{names[others[i]]}" for i in wrong)


def make_runs(dataset: Dataset, folder: Path, workers: int) -> list[Run]:
    runs = []
    for name, model in MODELS.items():
        if model.endswith("="):
            model += confusions(dataset, int(name.split()[-1].removesuffix("%")) / 100)
        out = folder / "runs" / name.replace(" ", "_").replace("%", "")
        videos = [video for video in dataset.names() if dataset.video(video).has_masks()]
        engine.produce(OracleStage(dataset, model, 1), out, videos, ["cpu"] * workers)
        runs.append(open_run(out))
    return runs


def measure(dataset: Dataset, runs: list[Run], video: str) -> tuple[Floats, Floats, Floats]:
    """mIoU [M], SSIM on classes [M], SSIM on ids [1 + NUMBERINGS, M] with the true numbering and with others."""
    random = np.random.default_rng(5)  # the same numberings for every video, as if the table were another
    classes = len(dataset.classes or ())
    orders = [np.arange(256, dtype=np.uint8)]
    for _ in range(NUMBERINGS):
        orders.append(np.concatenate([random.permutation(classes), np.arange(classes, 256)]).astype(np.uint8))
    by_class, by_id = Consistency(len(runs), "classes"), Consistency(len(runs) * len(orders), "ids")
    for image, maps in frames_and_maps(dataset, runs, video):
        frame = gray(image)
        by_class.add(frame, maps)
        by_id.add(frame, [order[labels] for order in orders for labels in maps])
    assert by_class.means is not None and by_id.means is not None
    counts = count_video(dataset, runs, video)
    return (
        np.array([miou(run) for run in counts]),
        np.array(by_class.means),
        np.array(by_id.means).reshape(len(orders), len(runs)),
    )


def agreement(ssim: Floats, truth: Floats, pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Per video (comparisons in which SSIM [V, M] orders a pair of models as mIoU [V, M], comparisons), [V, 2]."""
    found = np.zeros((len(truth), 2), np.int64)
    for i, j in pairs:
        better = np.sign(truth[:, i] - truth[:, j])
        found += np.stack([(better != 0) & (np.sign(ssim[:, i] - ssim[:, j]) == better), better != 0], 1)
    return found


def percent(counts: NDArray[np.int64], interval: bool = False) -> str:
    """The share in percent; with what 95% of 2000 resamplings of the videos give."""
    if not counts[:, 1].any():
        return "-"
    text = f"{share(counts.sum(0)):.0f}"
    if interval and len(counts) > 1:
        picks = np.random.default_rng(0).integers(0, len(counts), (2000, len(counts)))
        low, high = np.percentile([share(counts[pick].sum(0)) for pick in picks], (2.5, 97.5))
        text += f" ({low:.0f} to {high:.0f})"
    return text


def share(counts: NDArray[np.int64]) -> float:
    return 100 * float(counts[0]) / float(counts[1])


def table(heads: list[str], rows: Iterable[list[str]]) -> None:
    for row in (heads, [*["---"] * len(heads)], *rows):
        print("| " + " | ".join(row) + " |")
    print()


def report(found: Found, names: list[str]) -> None:
    models = range(len(names))
    kind = [next(k for k in KINDS if name.startswith(k)) for name in names]
    ids, videos = found.ids[0], len(found.miou)
    print(f"\n{videos} videos\n")
    means = [
        [n, f"{100 * found.miou[:, i].mean():.1f}", f"{ids[:, i].mean():.4f}", f"{found.classes[:, i].mean():.4f}"]
        for i, n in enumerate(names)
    ]
    table(["model", "mIoU %", "SSIM on ids", "SSIM on classes"], means)

    def cell(pick: Callable[[int, int], bool], interval: bool = False) -> list[str]:
        pairs = [pair for pair in combinations(models, 2) if pick(*pair)]
        counts = [agreement(ssim, found.miou, pairs) for ssim in (ids, found.classes)]
        return [*(percent(count, interval) for count in counts), str(counts[0][:, 1].sum())]

    def both(a: str, b: str) -> Callable[[int, int], bool]:
        return lambda i, j: {kind[i], kind[j]} == {a, b}

    rows = [
        [f"{a}, {b}" if a != b else f"{a}, weak and strong", *cell(both(a, b))]
        for a in KINDS
        for b in KINDS[KINDS.index(a) :]
        if (a, b) != ("none", "none")
    ]
    rows.append(["**all**", *cell(lambda i, j: True, interval=True)])
    rows.append(["**all but none**", *cell(lambda i, j: "none" not in (kind[i], kind[j]), interval=True)])
    table(["models", "alike on ids, %", "on classes, %", "comparisons"], rows)
    choices(found, [i for i in models if kind[i] != "none"], names)
    margins(found, [i for i in models if kind[i] != "none"])
    numbering(found, [i for i in models if kind[i] != "none"])


def choices(found: Found, models: list[int], names: list[str]) -> None:
    """The mean over videos of the mIoU of the model chosen out of ``models``, and of pairs of them."""
    truth = found.miou[:, models]
    every = np.arange(len(truth))
    ways = {"SSIM on ids": found.ids[0][:, models], "SSIM on classes": found.classes[:, models], "mIoU (oracle)": truth}
    rows = []
    for name, by in ways.items():
        picked = truth[every, by.argmax(1)].mean()
        paired = np.mean([truth[every, np.where(by[:, i] > by[:, j], i, j)].mean() for i, j in _pairs(len(models))])
        rows.append([name, f"{100 * picked:.1f}", f"{100 * paired:.1f}"])
    best = int(truth.mean(0).argmax())
    single = np.mean([max(truth[:, i].mean(), truth[:, j].mean()) for i, j in _pairs(len(models))])
    rows.append(
        [f"the best single model ({names[models[best]]})", f"{100 * truth.mean(0).max():.1f}", f"{100 * single:.1f}"]
    )
    rows.append(["chance", f"{100 * truth.mean():.1f}", f"{100 * truth.mean():.1f}"])
    table(["chosen by", f"of all {len(models)}, mIoU %", "of two, mIoU %"], rows)


def margins(found: Found, models: list[int]) -> None:
    """Is a wide margin more to be trusted? Comparisons of two ``models`` in quarters by the margin of SSIM."""
    truth = found.miou[:, models]
    for name, ssim in (("ids", found.ids[0][:, models]), ("classes", found.classes[:, models])):
        pairs = _pairs(len(models))
        margin = np.concatenate([ssim[:, i] - ssim[:, j] for i, j in pairs])
        gain = np.concatenate([truth[:, i] - truth[:, j] for i, j in pairs]) * np.sign(margin)
        rows = []
        for part in np.array_split(np.argsort(np.abs(margin), kind="stable"), 4):
            low, high = np.abs(margin[part[[0, -1]]])
            better = 100 * (gain[part] > 0).sum() / (gain[part] != 0).sum()
            rows.append([f"{low:.4f} to {high:.4f}", f"{better:.0f}", f"{100 * gain[part].mean():+.1f}"])
        table([f"margin on {name}", "alike, %", "mIoU of the chosen over the other, points"], rows)


def _pairs(count: int) -> list[tuple[int, int]]:
    return list(combinations(range(count), 2))


def numbering(found: Found, models: list[int]) -> None:
    """How much the numbering of the classes decides, for ids."""
    ids, truth = found.ids[:, :, models], found.miou[:, models]
    pairs = _pairs(len(models))
    shares = [share(agreement(ssim, truth, pairs).sum(0)) for ssim in ids]
    winners = ids.argmax(2)
    other = 100 * (winners[1:] != winners[0]).mean()
    order = np.stack([np.sign(ids[:, :, i] - ids[:, :, j]) for i, j in pairs])
    turned = 100 * (order[:, 1:] != order[:, :1]).mean()
    spread = ids[1:].std(0).mean()
    print(
        f"Under {NUMBERINGS} random numberings another of the {len(models)} models is chosen in {other:.0f}% of the "
        f"videos, and {turned:.1f}% of the comparisons of two turn round; agreement with mIoU is {shares[0]:.1f}% with "
        f"the true numbering and {min(shares[1:]):.1f} to {max(shares[1:]):.1f}% with the others; the SSIM of a model "
        f"in a video varies by {spread:.4f} (standard deviation).\n"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--videos", type=int, default=48)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--size", type=int, nargs=2, default=(240, 424), metavar=("H", "W"))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    spread = partial(engine.map, workers=options.workers, title="experiment")
    if options.data is None:
        options.data = options.folder / "world"
        counts = {"train": 0, "val": options.videos, "test": 0}
        write_world(
            options.data, seed=11, videos=counts, frames=options.frames, size=tuple(options.size), spread=spread
        )
    dataset = open_dataset(options.data, options.split)
    runs = make_runs(dataset, options.folder, options.workers)
    report(Found(spread(partial(measure, dataset, runs), list(runs[0].names()))), list(MODELS))


if __name__ == "__main__":
    main()
