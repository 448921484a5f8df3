"""DVIS++'s order of VSPW's classes: its "things" by id, then its "stuff" by id (its own division)."""

import csv
from functools import cache
from pathlib import Path


@cache
def class_order() -> tuple[int, ...]:
    """The VSPW id (0..123) of each of DVIS++'s class channels, in the order of the channels."""
    with (Path(__file__).parent / "dvis_classes.csv").open(newline="", encoding="utf-8") as file:
        return tuple(int(row["id"]) for row in csv.DictReader(file))
