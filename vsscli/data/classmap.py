"""From the classes a model was trained on to the classes of a dataset."""

import csv
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vsscli.data.classes import ClassTable, vspw_classes
from vsscli.errors import ModelError, OptionError

_FOLDER = Path(__file__).parent / "maps"
_NAMELESS = re.compile(r"LABEL_\d+")  # what transformers calls a class without a name


@dataclass(frozen=True)
class ClassMap:
    """What each channel of a model stands for.

    ``sources[c]`` is the target id of the model's channel ``c``, or -1 where the channel has none: such channels are
    left out before the argmax, and the probabilities of channels with one target are added up. ``table`` is the
    dataset's, None where the dataset has none and the channels keep the model's own order. ``notes`` are sentences
    that the user should read.
    """

    table: ClassTable | None
    sources: tuple[int, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def targets(self) -> tuple[int, ...]:
        """The target ids that can be predicted, ascending."""
        return tuple(sorted(set(self.sources) - {-1}))

    @property
    def is_identity(self) -> bool:
        """Whether channel c is class c, for every channel."""
        return self.sources == tuple(range(len(self.sources)))

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The names of the dataset's classes that no channel stands for."""
        return () if self.table is None else _missing(self.table, self.sources)

    @property
    def digest(self) -> str:
        """SHA-256 over ``sources``: two maps with equal digests read a model's channels alike."""
        return hashlib.sha256(",".join(map(str, self.sources)).encode()).hexdigest()


def shipped_class_maps() -> tuple[str, ...]:
    """The names that ``--class-map`` takes beside a file."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.csv")))


def guess_table(model_names: Sequence[str], choice: str | None) -> ClassTable | None:
    """The table for an input without classes of its own: VSPW's where a map is asked for or the names are VSPW's."""
    known = {_plain(name) for name in vspw_classes().names}
    fits = choice is not None or all(_plain(name) in known for name in model_names)
    return vspw_classes() if fits else None


def resolve_class_map(model_names: Sequence[str], table: ClassTable | None, choice: str | None = None) -> ClassMap:
    """How the channels ``model_names`` of a model are read for a dataset with the classes ``table``.

    With ``choice``, the name of a shipped map or a CSV file with the columns ``source,target``, that map alone counts.
    Without: names decide (upper case and underscores do not matter), whatever the order; a model that does not name
    its classes (``LABEL_0 ...``) is taken in the table's order if it has as many, and a note says so. With ``table``
    None the channels keep their own order.

    Raises ModelError when the classes do not fit, OptionError when ``choice`` is no map or names unknown classes.
    """
    if table is None:
        if choice is not None:
            raise OptionError(f"--class-map {choice} maps to the classes of a dataset, and this input has none.")
        if len(model_names) > 255:
            raise ModelError(f"The model has {len(model_names)} classes, and a label map holds at most 255.")
        return ClassMap(None, tuple(range(len(model_names))))
    if choice is not None:
        return _with_notes(table, _by_file(model_names, table, choice), model_names)
    if all(_NAMELESS.fullmatch(name) for name in model_names):
        return _by_order(model_names, table)
    ids = {_plain(name): i for i, name in enumerate(table.names)}
    unknown = [name for name in model_names if _plain(name) not in ids]
    if unknown:
        raise ModelError(
            f"The model's classes are not those of {table.name}: {len(unknown)} of its {len(model_names)} have no "
            f"namesake there ({_some(unknown)}).",
            f"Give --class-map NAME or a CSV file with the columns source,target; NAME is {_shipped()}.",
        )
    return _with_notes(table, tuple(ids[_plain(name)] for name in model_names), model_names)


def _by_order(model_names: Sequence[str], table: ClassTable) -> ClassMap:
    if len(model_names) != len(table):
        raise ModelError(
            f"The model does not name its {len(model_names)} classes, and {table.name} has {len(table)}.",
            "Write their names into id2label of its config.json, or give --class-map FILE.",
        )
    note = f"The model does not name its classes: its {len(table)} channels are taken in the order of {table.name}."
    return ClassMap(table, tuple(range(len(table))), (note,))


def _by_file(model_names: Sequence[str], table: ClassTable, choice: str) -> tuple[int, ...]:
    path = _FOLDER / f"{choice}.csv" if choice in shipped_class_maps() else Path(choice)
    targets = _read(path, table)
    # Lists of ADE20K name a class by all its synonyms ("road, route"): then the first one counts.
    keys = [_plain(name) if _plain(name) in targets else _plain(name.split(",")[0]) for name in model_names]
    silent = [name for name, key in zip(model_names, keys, strict=True) if key not in targets]
    if silent:
        if all(_NAMELESS.fullmatch(name) for name in model_names):
            raise ModelError(
                f"The model does not name its {len(model_names)} classes, so the class map {choice} cannot be applied.",
                "Write their names into id2label of its config.json.",
            )
        raise ModelError(
            f"The class map {choice} has no row for {len(silent)} of the model's {len(model_names)} classes "
            f"({_some(silent)}).",
            "Add a row for each; an empty target leaves a class out.",
        )
    sources = tuple(targets[key] for key in keys)
    if max(sources) < 0:
        raise ModelError(f"The class map {choice} leaves out all {len(model_names)} classes of the model.")
    return sources


def _read(path: Path, table: ClassTable) -> dict[str, int]:
    """Normalised source name -> target id, or -1 for an empty target."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise OptionError(f"--class-map {path}: {reason}.", f"Shipped maps: {_shipped()}.") from None
    if not {"source", "target"} <= columns:
        raise OptionError(f"--class-map {path}: its first line must name the columns source and target.")
    targets: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        source, target = _plain(row["source"] or ""), (row["target"] or "").strip()
        if source in targets:
            raise OptionError(f"--class-map {path}: line {number} names the source {row['source']!r} again.")
        targets[source] = _target(target, table, path, number) if target else -1
    return targets


def _target(name: str, table: ClassTable, path: Path, number: int) -> int:
    for i, known in enumerate(table.names):
        if _plain(known) == _plain(name):
            return i
    try:
        return table.index(name)
    except OptionError as error:
        raise OptionError(f"--class-map {path}, line {number}: {error.message}", error.hint) from None


def _with_notes(table: ClassTable, sources: tuple[int, ...], model_names: Sequence[str]) -> ClassMap:
    notes = []
    unmapped = [name for name, target in zip(model_names, sources, strict=True) if target < 0]
    if unmapped:
        notes.append(f"{len(unmapped)} of the model's {len(sources)} classes are left out: {_some(unmapped)}.")
    missing = _missing(table, sources)
    if missing:
        notes.append(f"{len(missing)} of the {len(table)} classes can never be predicted: {_some(missing)}.")
    return ClassMap(table, sources, tuple(notes))


def _missing(table: ClassTable, sources: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(name for i, name in enumerate(table.names) if i not in sources)


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _shipped() -> str:
    return ", ".join(shipped_class_maps())
