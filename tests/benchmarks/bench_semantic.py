"""From queries or logits to a label map, against the plain way in torch's own operators.

CPU time of one thread, medians of interleaved rounds, made-up outputs of a trained and of an untrained network.
"all" is ours with nothing left out. Memory is what a process grows by at most, each measured in a process of its own.
"""

import math
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from tests.infer.semantic_cases import Size, noise_like, trained_like
from vsscli.infer.semantic import label_map_from_logits, label_map_from_queries

ROUNDS, CLASSES = 5, 124
Way = Callable[[], Tensor]


class Case(NamedTuple):
    """One line of the table; ``queries`` 0 means logits per class."""

    name: str
    queries: int
    trained: bool
    coarse: Size
    padded: Size
    network: Size
    out: Size = (480, 853)


P480 = ((120, 216), (480, 864), (480, 853))
P720 = ((184, 320), (736, 1280), (720, 1280))
SMALL = ((24, 40), (96, 160), (96, 160))
CASES = [
    *(Case(name, q, t, *s) for name, s in (("480p", P480), ("720p", P720)) for q in (100, 200) for t in (True, False)),
    *(Case("96x160", 24, t, *SMALL) for t in (True, False)),
    *(Case(name, 0, t, *s) for name, s in (("480p", P480), ("720p", P720)) for t in (True, False)),
]


def plain(values: Tensor, case: Case, prob: Tensor | None) -> Tensor:
    """The definition, on whole arrays."""
    x = functional.interpolate(values[None], size=case.padded, mode="bilinear", align_corners=False)
    x = x[:, :, : case.network[0], : case.network[1]]
    if prob is not None:
        x = x.sigmoid()
    if case.network != case.out:
        x = functional.interpolate(x, size=case.out, mode="bilinear", align_corners=False)
    scores = x[0] if prob is None else torch.einsum("qk,qhw->khw", prob, x[0])
    return scores.argmax(0).to(torch.uint8)


def ways(case: Case) -> list[Way]:
    """Ours, ours with nothing left out, and the plain way."""
    if case.queries:
        prob, masks = (trained_like if case.trained else noise_like)(case.queries, CLASSES, case.coarse)
        ours = partial(label_map_from_queries, prob, masks, padded=case.padded, network=case.network, out=case.out)
        return [ours, partial(ours, prune=False), partial(plain, masks, case, prob)]
    prob, masks = (trained_like if case.trained else noise_like)(100, CLASSES, case.coarse)
    logits = torch.einsum("qk,qhw->khw", prob, masks.sigmoid()).log() if case.trained else masks.new_empty(0)
    if not case.trained:
        logits = noise_like(CLASSES, 1, case.coarse)[1]
    ours = partial(label_map_from_logits, logits, padded=case.padded, network=case.network, out=case.out)
    return [ours, partial(ours, prune=False), partial(plain, logits, case, None)]


def interleaved(functions: list[Way]) -> list[float]:
    """Milliseconds of CPU time per call."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, spent in zip(functions, times, strict=True):
            start = time.process_time()
            function()
            spent.append((time.process_time() - start) * 1000)
    return [statistics.median(spent) for spent in times]


def peak_growth(case: Case, way: int) -> float:
    """MB by which this fresh process grows at most during one call (Linux; elsewhere NaN)."""
    torch.set_num_threads(1)
    function = ways(case)[way]
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not reset.exists():
        return math.nan
    reset.write_text("5")  # the peak so far is forgotten
    before = kilobytes(status, "VmRSS")
    function()
    return (kilobytes(status, "VmHWM") - before) / 1024


def kilobytes(status: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(f"{name}:"))


def in_fresh_process(case: Case, way: int) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        return fresh.submit(peak_growth, case, way).result()


def main() -> None:
    torch.set_num_threads(1)
    print(f"{CLASSES} classes to 480x853; ms of CPU time per frame, one thread; peak memory in MB")
    print("network   queries   scores      ours    all   plain   plain/ours   equal to plain     MB: ours   plain")
    for case in CASES:
        functions = ways(case)
        maps = [function() for function in functions]
        assert torch.equal(maps[0], maps[1])
        equal = float((maps[0] == maps[2]).float().mean())
        ours, everything, theirs = interleaved(functions)
        memory = f"{in_fresh_process(case, 0):12.0f} {in_fresh_process(case, 2):7.0f}" if case.trained else ""
        print(
            f"{case.name:9} {case.queries or 'logits':>7}   {'trained' if case.trained else 'noise':8}"
            f"{ours:7.1f} {everything:6.0f} {theirs:7.0f} {theirs / ours:12.1f} {equal:16.6f}{memory}",
            flush=True,
        )


if __name__ == "__main__":
    main()
