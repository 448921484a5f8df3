"""Long texts for people, in Markdown: shown by ``vsscli guide TOPIC``."""

import difflib
from pathlib import Path

from vsscli.errors import OptionError

_FOLDER = Path(__file__).parent


def topics() -> dict[str, str]:
    """Topic -> title (its first line), sorted."""
    return {path.stem: _title(path) for path in sorted(_FOLDER.glob("*.md"))}


def read_guide(topic: str) -> str:
    """The Markdown of ``topic``; OptionError with the nearest names where there is none."""
    known = topics()
    if topic not in known:
        near = difflib.get_close_matches(topic.lower(), known, 1, 0.6)
        hint = f"{f'Did you mean {near[0]}? ' if near else ''}Topics: {', '.join(known)}."
        raise OptionError(f"There is no guide {topic!r}.", hint)
    return (_FOLDER / f"{topic}.md").read_text(encoding="utf-8")


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline().lstrip("# ").strip()
