"""The score for people: tables in percent that can be pasted into a paper, and sentences."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vsscli.score.protocols import PROTOCOLS

if TYPE_CHECKING:
    from rich.table import Table

#: Up to this many classes or videos are shown; of more classes the worst and the best ten.
FEW = 20
_NAMES = {"miou": "mIoU", "wiou": "wIoU", "pixel_acc": "pixel accuracy", "class_acc": "class accuracy"}
Rows = Sequence[Sequence[str]]


def metric_name(metric: str, protocol: str | None = None) -> str:
    """``miou`` -> ``mIoU``, ``vc8`` -> ``VC8``; what a protocol pools is called so: ``VC8+16``."""
    if protocol is not None and metric.startswith("vc"):
        return f"VC{'+'.join(map(str, PROTOCOLS[protocol].pooled(int(metric[2:]))))}"
    return _NAMES.get(metric, metric.upper())


def title(result: dict[str, Any]) -> list[str]:
    """What was scored and by which rule; what is not as it should be."""
    protocol = PROTOCOLS[result["protocol"]]
    where = " ".join(part for part in (result["dataset"], result["split"]) if part)
    size = f"{_count(result['videos'], 'video')}, {_count(result['frames'], 'frame')}"
    lines = [f"{where}: {size}, {result['classes']} classes", f"protocol {protocol.name}: {protocol.about}"]
    if protocol.note:
        lines.append(f"note: {protocol.note}")
    if result["dropped"]:
        lines.append(
            f"left out by the protocol: {_count(len(result['dropped']), 'video')} ({_some(result['dropped'])})"
        )
    if result["partial"]:
        lines.append(f"PARTIAL: {_partial(result['missing'])}")
    if result["void_pixels"]:
        lines.append(f"{_count(result['void_pixels'], 'pixel')} without a label counted as wrong (--allow-void)")
    return lines


def totals(result: dict[str, Any]) -> "Table":
    """The measures, their intervals where asked for, and what each is the mean of."""
    intervals = result["intervals"]
    rows = []
    for metric in metrics(result):
        row = [metric_name(metric, result["protocol"]), percent(result[metric])]
        if intervals is not None:
            row.append(_interval(intervals["metrics"][metric], percent))
        rows.append([*row, _support(result, metric)])
    heads = ["", ">%", *([f">{_level(intervals)}"] if intervals is not None else []), "over"]
    return _table(heads, rows)


def classes(result: dict[str, Any]) -> "Table":
    """IoU and accuracy of the classes that count: all when they are few, else the worst and the best ten."""
    counted = sorted((row for row in result["per_class"] if row["counted"]), key=lambda row: (row["iou"], row["id"]))
    cells = [[row["name"], percent(row["iou"]), percent(row["acc"])] for row in counted]
    if len(counted) <= FEW:
        return _table(["class", ">IoU", ">accuracy"], cells)
    best = cells[::-1][: FEW // 2]
    rows = [[*a, *b] for a, b in zip(cells[: FEW // 2], best, strict=True)]
    return _table(["worst classes", ">IoU", ">acc.", "best classes", ">IoU", ">acc."], rows, width=22)


def videos(result: dict[str, Any]) -> "Table":
    """The measures of each video."""
    shown = [metric for metric in metrics(result) if metric not in ("pixel_acc", "class_acc")]
    rows = [
        [row["video"], str(row["frames"]), *(percent(row[metric]) for metric in shown)] for row in result["per_video"]
    ]
    return _table(["video", ">frames", *(f">{metric_name(metric, result['protocol'])}" for metric in shown)], rows)


def comparison(against: dict[str, Any], protocol: str | None = None) -> "Table":
    """Both runs and their difference, with its interval; ``protocol`` is that of both."""
    rows = [
        [
            metric_name(metric, protocol),
            percent(row["value"]),
            percent(row["against"]),
            points(row["difference"]),
            _interval(row, points),
            "-" if row["low"] is None else "yes" if beyond_chance(row) else "no",
        ]
        for metric, row in against["metrics"].items()
    ]
    return _table(["", ">%", ">against", ">difference", f">{_level(against)}", "beyond chance"], rows)


def beyond_chance(row: dict[str, Any]) -> bool:
    """Whether the interval of a difference leaves out 0."""
    return bool(row["low"] > 0 or row["high"] < 0)


def compared(name: str, against: dict[str, Any]) -> str:
    """What the comparison is with."""
    text = f"compared with {name} on the same {_count(against['videos'], 'video')}"
    if against["left_out"]:
        text += f"; {_count(against['left_out'], 'video')} left out, of which not the same frames were scored"
    return text


def verdict(against: dict[str, Any], metric: str = "miou") -> str:
    """One sentence: is the difference real?"""
    row = against["metrics"][metric]
    head = f"{metric_name(metric)} {points(row['difference'])} points"
    if row["difference"] is None:
        return f"{metric_name(metric)} is not defined for both runs."
    if row["reason"] is not None:
        return f"{head}; whether that is real cannot be told: {row['reason']}."
    if row["difference"] == row["low"] == row["high"] == 0:
        return f"{metric_name(metric)}: no difference on any of the {against['videos']} videos."
    over = f"{100 * against['level']:.0f}% of resamplings of the {against['videos']} videos: {_interval(row, points)}"
    if beyond_chance(row):
        return f"{head}: more than chance on these videos ({over}, which leaves out 0)."
    return f"{head}: may be chance ({over}, which includes 0)."


def metrics(result: dict[str, Any]) -> list[str]:
    """The names of the measures in a result, in order."""
    return [*_NAMES, *(f"vc{n}" for n in result["windows"])]


def percent(value: float | None) -> str:
    """A fraction as percent with two decimals, ``-`` where undefined."""
    return "-" if value is None else f"{100 * value:.2f}"


def points(value: float | None) -> str:
    """A difference of fractions in percentage points, with its sign."""
    return "-" if value is None else f"{100 * value:+.2f}"


def no_intervals(result: dict[str, Any]) -> str | None:
    """Why some numbers have no interval; None when all have one, or none was asked for."""
    block = result["intervals"]
    if block is None:
        return None
    reasons = dict.fromkeys(
        row["reason"] for name, row in block["metrics"].items() if row["reason"] and result[name] is not None
    )
    return f"Without interval: {'; '.join(reasons)}." if reasons else None


def hidden(result: dict[str, Any]) -> str | None:
    """What the tables leave out, and where it is; None when they show all."""
    counted = sum(row["counted"] for row in result["per_class"])
    left_out = [f"the other {counted - FEW} classes"] if counted > FEW else []
    left_out += [f"each of the {result['videos']} videos"] if result["videos"] > FEW else []
    return f"For {' and '.join(left_out)}: --csv DIR or --json FILE." if left_out else None


def _support(result: dict[str, Any], metric: str) -> str:
    if not metric.startswith("vc"):
        if metric != "miou":
            return ""
        rule = PROTOCOLS[result["protocol"]].mean_over
        return f"{_count(sum(row['counted'] for row in result['per_class']), 'class')} in the {rule}"
    n = metric[2:]
    if result["windows"][n] is None:
        return "not part of this protocol"
    text = _count(result["windows"][n], "window")
    if result["skipped"][n]:
        text += f", {_count(result['skipped'][n], 'video')} too short"
    if result["empty_windows"][n]:
        text += f", {result['empty_windows'][n]} empty"
    return text


def _partial(missing: dict[str, Any]) -> str:
    parts = []
    if missing["videos"]:
        parts.append(f"{_count(len(missing['videos']), 'video')} not scored: {_some(missing['videos'])}")
    if missing["frames"]:
        frames = _count(sum(missing["frames"].values()), "frame")
        parts.append(f"{frames} not scored in {_some(list(missing['frames']))}")
    if missing["windows"]:
        parts.append("windows left out: " + ", ".join(f"{k} of VC{n}" for n, k in missing["windows"].items()))
    return "; ".join(parts)


def _interval(row: dict[str, Any], show: Callable[[float | None], str]) -> str:
    return "-" if row["low"] is None else f"{show(row['low'])} .. {show(row['high'])}"


def _level(block: dict[str, Any]) -> str:
    return f"{100 * block['level']:.0f}% interval"


def _count(count: int, noun: str) -> str:
    plural = noun if count == 1 else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {plural}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _table(heads: Sequence[str], rows: Rows, width: int | None = None) -> "Table":
    """Columns without rules; a head that begins with ``>`` is of numbers. ``width``: the most a text column takes."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        if head.startswith(">"):
            table.add_column(head[1:], justify="right", no_wrap=True)
        else:
            table.add_column(head, overflow="fold", max_width=width)
    for row in rows:
        table.add_row(*row)
    return table
