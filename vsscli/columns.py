"""Text in columns, for tables on the screen."""

from collections.abc import Sequence


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns two blanks apart; a head that begins with ``>`` is of numbers."""
    cells = [[head.removeprefix(">") for head in heads], *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    right = [head.startswith(">") for head in heads]
    return [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in cells
    ]
