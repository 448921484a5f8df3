"""Which run is taken for a video, and how that stands in its record."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vsscli.errors import RunError
from vsscli.runs.record import read_record, record_path

HIGHEST = "highest SSIM"
ONLY_ONE = "the only run that holds two classes or more"
NONE_ELIGIBLE = "the first run listed: none holds two classes"
ONE_FRAME = "the first run listed: the video has one frame"
NO_WINDOW = "the first run listed that holds two classes: no two frames could be compared"


@dataclass(frozen=True)
class Choice:
    """``chosen``: the place of the run in the list, and ``why``.

    ``ssim``: every run's mean, None where nothing could be compared. ``ineligible``: the runs whose maps hold fewer
    than two classes. ``margin``: by how much the chosen mean exceeds that of the next eligible run, None where there
    is no such comparison.
    """

    video: str
    chosen: int
    why: str
    ssim: tuple[float, ...] | None
    ineligible: tuple[int, ...]
    margin: float | None

    def facts(self) -> dict[str, Any]:
        """What stands in the record."""
        return {name: value for name, value in asdict(self).items() if name != "video"}


def choose(video: str, frames: int, ssim: tuple[float, ...] | None, eligible: Sequence[bool]) -> Choice:
    """The eligible run with the highest mean; among equals, and where means decide nothing, the first listed."""
    able = [i for i, good in enumerate(eligible) if good]
    ineligible = tuple(i for i, good in enumerate(eligible) if not good)
    if frames == 1:
        return Choice(video, 0, ONE_FRAME, None, ineligible, None)
    if not able:
        return Choice(video, 0, NONE_ELIGIBLE, ssim, ineligible, None)
    if ssim is None:
        return Choice(video, able[0], NO_WINDOW, None, ineligible, None)
    best, *others = sorted(able, key=lambda i: -ssim[i])  # stable: equals stay as listed
    if not others:
        return Choice(video, best, ONLY_ONE if ineligible else HIGHEST, ssim, ineligible, None)
    return Choice(video, best, HIGHEST, ssim, ineligible, ssim[best] - ssim[others[0]])


def read_choice(run: Path, video: str, runs: int) -> Choice:
    """The choice among ``runs`` runs that the record of a finished video tells; RunError when it tells none."""
    record = read_record(run, video)
    facts: Mapping[str, Any] = record.facts if record is not None else {}
    try:
        ssim = facts["ssim"]
        choice = Choice(
            video,
            facts["chosen"],
            str(facts["why"]),
            None if ssim is None else tuple(float(value) for value in ssim),
            tuple(facts["ineligible"]),
            None if facts["margin"] is None else float(facts["margin"]),
        )
        places = (choice.chosen, *choice.ineligible)
        if any(type(i) is not int or i not in range(runs) for i in places) or len(ssim or range(runs)) != runs:
            raise ValueError("it is not of these runs")
        if not all(map(math.isfinite, (*(choice.ssim or ()), choice.margin or 0.0))):
            raise ValueError("a number of it is none")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"{record_path(run, video)}: this record does not tell which run was chosen ({error}).",
            f"Remove it and {run / video}, and repeat the command that made them.",
        ) from None
    return choice
