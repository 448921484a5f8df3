"""Words for people, from whatever room."""


def plural(count: int, noun: str) -> str:
    """``1 class``, ``2 videos``, ``3 classes``, ``24,392 frames``."""
    end = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{end}"


def clock(seconds: float) -> str:
    """``0:41:10``."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def speed(count: int, seconds: float, noun: str = "frames") -> str:
    """``12.3 frames/s``; where that would say little, ``73 s each``."""
    each = max(seconds, 1e-9) / max(count, 1)
    return f"{1 / each:.1f} {noun}/s" if each <= 10 else f"{each:.0f} s each"
