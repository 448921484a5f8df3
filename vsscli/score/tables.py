"""The score as tables for a spreadsheet or a notebook."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsscli.runs.disk import disk_errors, write_atomic

if TYPE_CHECKING:
    from pandas import DataFrame

COUNTED = ("id", "name", "iou", "acc", "truth_pixels", "predicted_pixels", "counted")


def class_table(result: dict[str, Any]) -> "DataFrame":
    """One row per class, all classes in the order of their ids."""
    from pandas import DataFrame

    return DataFrame(result["per_class"], columns=list(COUNTED))


def video_table(result: dict[str, Any]) -> "DataFrame":
    """One row per scored video, sorted by name."""
    from pandas import DataFrame

    return DataFrame(result["per_video"])


def comparison_table(differences: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> "DataFrame":
    """Rows ``scope, name, metric, value, against, difference, low, high``: totals, then classes, then videos.

    ``differences`` is what `vsscli.score.intervals.compare` gives; ``ours`` and ``theirs`` are the results on the
    videos they have in common.
    """
    from pandas import DataFrame

    columns = ["scope", "name", "metric", "value", "against", "difference", "low", "high"]
    rows = [{"scope": "total", "name": "", "metric": name, **row} for name, row in differences["metrics"].items()]
    for scope, key, metrics in (
        ("class", "per_class", ("iou",)),
        ("video", "per_video", tuple(differences["metrics"])),
    ):
        for a, b in zip(ours[key], theirs[key], strict=True):
            rows += [_row(scope, a, b, metric) for metric in metrics]
    return DataFrame(rows, columns=columns)


def write_tables(folder: Path, tables: dict[str, "DataFrame"]) -> None:
    """Writes ``folder/<name>.csv`` for each, making the folder; DiskError when the disk refuses."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_atomic(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n").encode())


def _row(scope: str, a: dict[str, Any], b: dict[str, Any], metric: str) -> dict[str, Any]:
    value, against = a[metric], b[metric]
    difference = None if value is None or against is None else value - against
    name = a["name"] if scope == "class" else a["video"]
    return {
        "scope": scope,
        "name": name,
        "metric": metric,
        "value": value,
        "against": against,
        "difference": difference,
    }
