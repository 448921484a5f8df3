"""What the seed does: ``python -m tests.experiments.seeds FOLDER FOLDER ...``.

Each FOLDER is one that ``pipelines/tiny.sh`` made with another SEED, and holds ``runs/NAME.json``,
the scores of its models. The first table has mean and range over the seeds; the second the difference that Masked Video
Consistency makes, seed by seed, beside the spread (standard deviation) of what it is compared with. Markdown, percent.
"""

import argparse
import json
from pathlib import Path
from statistics import mean, stdev

MEASURES = {"miou": "mIoU", "pixel_acc": "pixel accuracy", "vc8": "VC8", "vc16": "VC16"}
ROWS = (
    *("identities", "segmenter", "online", "offline", "online-mvc", "offline-mvc"),
    *("offline-views", "offline-mvc-views", "selected"),
    *(f"mpvss-{interval}" for interval in (1, 2, 5, 10)),
    *(f"{how}-{interval}" for how in ("farneback", "zero") for interval in (2, 5, 10)),
)
PAIRS = (("online-mvc", "online"), ("offline-mvc", "offline"), ("offline-mvc-views", "offline-views"))


def scores(folder: Path, name: str) -> dict[str, float] | None:
    """The measures of a run in percent; None where it is not there."""
    path = folder / "runs" / f"{name}.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return {key: 100 * found[key] for key in MEASURES if found[key] is not None}


def table(folders: list[Path]) -> list[str]:
    """Mean and range of every run that all seeds have."""
    lines = ["| | " + " | ".join(MEASURES.values()) + " |", "|---" * (len(MEASURES) + 1) + "|"]
    for name in ROWS:
        found = [one for folder in folders if (one := scores(folder, name)) is not None]
        if len(found) == len(folders):
            cells = []
            for key in MEASURES:
                values = [one[key] for one in found if key in one]
                cells.append(f"{mean(values):.1f} ({min(values):.1f} to {max(values):.1f})" if values else "-")
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def differences(folders: list[Path]) -> list[str]:
    """What MVC changes, seed by seed, and the spread of the plain model over the seeds."""
    lines = ["| | measure | difference, seed by seed | mean | spread of the plain one |", "|---|---|---|---|---|"]
    for one, other in PAIRS:
        pairs = [(scores(folder, one), scores(folder, other)) for folder in folders]
        whole = [(a, b) for a, b in pairs if a is not None and b is not None]
        if len(whole) < len(folders):
            continue
        for key, title in MEASURES.items():
            changes = [a[key] - b[key] for a, b in whole if key in a and key in b]
            if len(changes) < len(whole):
                continue
            spread = f"{stdev(b[key] for _, b in whole):.1f}" if len(whole) > 1 else "-"
            told = ", ".join(f"{change:+.1f}" for change in changes)
            lines.append(f"| {one} - {other} | {title} | {told} | {mean(changes):+.1f} | {spread} |")
    return lines


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    folders = parser.parse_args(words).folders
    print("\n".join([*table(folders), "", *differences(folders)]))


if __name__ == "__main__":
    main()
