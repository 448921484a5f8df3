"""The models in the box: small ones that come with the package, to try the tool with.

Each is a model folder ``<name>-<version>`` in here, with ``box.json``: what it was trained on and what it scored. They
know the generated world (``vsscli data synth``) only, and every use says so. ``pipelines/tiny.sh`` makes them anew;
`vsscli.models.box.pack` puts a trained model here.
"""

import json
from pathlib import Path
from typing import Any

BOX = Path(__file__).parent
CARD = "box.json"


def boxed_models() -> dict[str, Path]:
    """The newest version of each name, and every version by its own (``tiny`` and ``tiny-1``)."""
    found: dict[str, Path] = {}
    folders = (path for path in BOX.iterdir() if (path / CARD).is_file())
    for folder in sorted(folders, key=lambda path: int(path.name.rpartition("-")[2])):
        found[folder.name.rpartition("-")[0]] = found[folder.name] = folder
    return found


def find_boxed(name: str) -> Path | None:
    """The folder of a model in the box; None where ``name`` is none."""
    return boxed_models().get(name) if "/" not in name else None


def boxed_card(folder: Path) -> dict[str, Any]:
    """What ``box.json`` says."""
    found: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return found


def caution(source: str) -> str | None:
    """The sentence that goes with every use of a model in the box; None for other models."""
    folder = find_boxed(source)
    if folder is None:
        return None
    return (
        f"{folder.name} has seen nothing but generated videos ({', '.join(boxed_card(folder)['places'])} of vsscli "
        "data synth): it is there to try the tool with, and its maps of real video mean nothing."
    )
