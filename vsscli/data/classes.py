"""Class tables: the names, colours and kinds of a dataset's classes."""

import csv
import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from vsscli.errors import OptionError

#: The value of "no label" in every label map, in memory and on disk.
IGNORE = 255

Color = tuple[int, int, int]


@dataclass(frozen=True)
class ClassTable:
    """The classes 0..K-1 of a dataset, K <= 255.

    ``colors`` are RGB; ``things`` is true for countable objects, false for stuff.
    """

    name: str
    names: tuple[str, ...]
    colors: tuple[Color, ...]
    things: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the ordered names: two tables with equal digests number their classes alike."""
        return hashlib.sha256("\n".join(self.names).encode()).hexdigest()

    def index(self, name: str) -> int:
        """The id of class ``name``; OptionError with the nearest names when there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            near = difflib.get_close_matches(name, self.names, 3, 0.5)
            hint = f"Did you mean {', '.join(near)}?" if near else f"The table {self.name} has {len(self)} classes."
            raise OptionError(f"There is no class {name!r} in the table {self.name}.", hint) from None

    @cached_property
    def palette(self) -> bytes:
        """768 bytes for a palette PNG: class colours, unused entries black, IGNORE white."""
        flat = bytearray(768)
        for i, color in enumerate(self.colors):
            flat[3 * i : 3 * i + 3] = bytes(color)
        flat[3 * IGNORE :] = b"\xff\xff\xff"
        return bytes(flat)


def read_table(name: str, rows: Iterable[dict[str, str]]) -> ClassTable:
    """A table from rows with the fields ``name, thing, r, g, b``, in the order of the ids."""
    ordered = list(rows)
    return ClassTable(
        name,
        tuple(row["name"] for row in ordered),
        tuple((int(row["r"]), int(row["g"]), int(row["b"])) for row in ordered),
        tuple(row["thing"] == "1" for row in ordered),
    )


@cache
def vspw_classes() -> ClassTable:
    """The 124 classes of VSPW in the order of its label file (``label_num_dic_final.json``, number minus one)."""
    with (Path(__file__).parent / "tables" / "vspw.csv").open(newline="") as file:
        return read_table("vspw", csv.DictReader(file))
