"""What a model's answer says: one of the classes offered, or nothing that is sure."""

import json
from collections.abc import Sequence

#: What the model may say instead of a class.
ABSTAIN = "none of these"


def parse(text: str, candidates: Sequence[str]) -> str | None:
    """The one of ``candidates`` that ``text`` names, None where it names none, or more than one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = text
    said = found.get("answer") if isinstance(found, dict) else found
    return said if said in candidates else None
