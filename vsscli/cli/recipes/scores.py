"""The table at a recipe's end: what its ``score`` steps found."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vsscli.cli.recipes.steps import Step
from vsscli.cli.talk import visible

_MEASURES = {"mIoU": "miou", "VC8": "vc8", "VC16": "vc16"}


def read_scores(steps: Sequence[Step]) -> dict[str, dict[str, Any]]:
    """Name of the step -> its score, for every ``score`` step whose ``json`` is there and is one, in their order."""
    found = {}
    for step in steps:
        place = step.values.get("json")
        if step.verb == "score" and place not in (None, "-") and Path(place).is_file():
            score = _read(Path(place))
            if score is not None:
                found[step.name] = score
    return found


def _read(path: Path) -> dict[str, Any] | None:
    try:
        score = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return score if isinstance(score, dict) and "miou" in score else None


def table_lines(scores: dict[str, dict[str, Any]]) -> list[str]:
    """A line for each step, in percent; measures that a protocol does not define are a dash."""
    width = max((len(name) for name in scores), default=0)
    lines = [f"{'%':<{width}}  " + "".join(f"{head:>7}" for head in _MEASURES)]
    for name, score in scores.items():
        values = (score.get(key) for key in _MEASURES.values())
        cells = (f"{100 * value:7.2f}" if isinstance(value, float | int) else "      -" for value in values)
        lines.append(f"{visible(name):<{width}}  {''.join(cells)}")
    return lines
