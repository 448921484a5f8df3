"""Words for people, from whatever room."""


def plural(count: int, noun: str) -> str:
    """``1 class``, ``2 videos``, ``3 classes``, ``24,392 frames``."""
    end = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{end}"
