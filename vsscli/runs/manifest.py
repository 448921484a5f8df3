"""``run.json``: what made a run. It holds no time, host or shard, so that equal work gives equal bytes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vsscli import __version__
from vsscli.data.classes import ClassTable
from vsscli.errors import RunError
from vsscli.runs.disk import create_once

SCHEMA = 1
Json = Any  # what json.loads gives


@dataclass(frozen=True)
class Manifest:
    """What made a run.

    ``identity``: the identity options and the digests of model and inputs; must be equal when a run is continued.
    ``classes``: the class table as ``{"name", "digest", "names"}``, or None where nobody knows it.
    ``view``: for a run of one view of a network ``{"scale", "flip", "short", "cap"}`` (``short`` None: the frame's
    own), from which a vote ranks its runs; None otherwise. ``about``: names for people (of a model, of input runs);
    never compared.
    """

    verb: str
    identity: Mapping[str, Json] = field(default_factory=dict)
    classes: Mapping[str, Json] | None = None
    view: Mapping[str, Json] | None = None
    about: Mapping[str, Json] = field(default_factory=dict)
    version: str = __version__

    def dumps(self) -> bytes:
        content = {
            "schema": SCHEMA,
            "vsscli": self.version,
            "verb": self.verb,
            "about": dict(self.about),
            "identity": dict(self.identity),
            "view": None if self.view is None else dict(self.view),
            "classes": None if self.classes is None else dict(self.classes),
        }
        parts = [  # the class table, which is long, on one line; the rest for people
            f'"{key}": {json.dumps(value, indent=None if key == "classes" else 1, sort_keys=True, ensure_ascii=False)}'
            for key, value in content.items()
        ]
        return ("{\n" + ",\n".join(parts) + "\n}\n").encode()

    def inputs(self) -> list[tuple[str, str]]:
        """(identity, name) of the runs that this one was made from."""
        found = []
        if isinstance(self.identity.get("run"), str):
            found.append((self.identity["run"], str(self.about.get("run", "run"))))
        several, names = self.identity.get("runs"), self.about.get("runs")
        if isinstance(several, list):
            told = names if isinstance(names, list) and len(names) == len(several) else None
            found += [(str(one), str(told[i]) if told else f"run {i + 1}") for i, one in enumerate(several)]
        return found

    def differences(self, other: "Manifest") -> list[str]:
        """What keeps ``other`` from continuing this run, as sentences ``name: ours there, theirs now``."""
        mine, theirs = (json.loads(m.dumps()) for m in (self, other))
        flat = [
            {k: v for k, v in m.items() if k not in ("identity", "about", "vsscli", "classes")} | m["identity"]
            for m in (mine, theirs)
        ]
        for one in flat:  # short side and cap of a view follow from the size and its scale
            view = one.pop("view") or {}
            one |= {name: view[name] for name in ("scale", "flip") if name in view and name not in one}
        flat[0]["classes"], flat[1]["classes"] = ((m["classes"] or {}).get("digest") for m in (mine, theirs))
        missing = object()
        return [
            f"{name}: {_show(flat[0], name)} there, {_show(flat[1], name)} now"
            for name in sorted(flat[0].keys() | flat[1].keys())
            if flat[0].get(name, missing) != flat[1].get(name, missing)
        ]


def _show(options: Mapping[str, Json], name: str) -> str:
    if name not in options:
        return "nothing"
    value = options[name]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = re.sub(r"\b([0-9a-f]{12})[0-9a-f]{52}\b", r"\1...", text)  # digests, as short as git shows them
    return text if len(text) <= 80 else f"{text[:77]}..."


def describe_classes(table: ClassTable | None) -> dict[str, Json] | None:
    """A class table as it stands in ``run.json``: whoever reads the run needs no dataset to name and colour it."""
    if table is None:
        return None
    return {
        "name": table.name,
        "digest": table.digest,
        "names": list(table.names),
        "colors": [bytes(color).hex() for color in table.colors],
        "things": [name for name, thing in zip(table.names, table.things, strict=True) if thing],
    }


def parse_classes(classes: Mapping[str, Json]) -> ClassTable:
    """The class table that `describe_classes` described; ValueError when it is broken."""
    try:
        name, names, colors, things = (classes[key] for key in ("name", "names", "colors", "things"))
        rgb = [bytes.fromhex(color) for color in colors]
        table = ClassTable(name, tuple(names), tuple((r, g, b) for r, g, b in rgb), tuple(n in things for n in names))
        if table.digest != classes["digest"] or len(table.colors) != len(table):
            raise ValueError("names, colours and digest do not belong together")
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no class table: {error!r}") from None
    return table


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of the run at ``folder``, None for a folder made by someone else; RunError when it is broken."""
    path = folder / "run.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair is JSON and no text
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read ({error}).", "Remove the run and make it again.") from None
    if not isinstance(content, dict) or not isinstance(content.get("verb"), str):
        raise RunError(f"{path} is not the manifest of a run.", "Remove it if the folder was made by other software.")
    if content.get("schema") != SCHEMA:
        raise RunError(
            f"{path} has schema {content.get('schema')!r}; this version of vsscli reads schema {SCHEMA}.",
            "Use the version of vsscli that made the run, or make it again.",
        )
    parts = {name: content.get(name) for name in ("identity", "classes", "view", "about")}
    if any(part is not None and not isinstance(part, dict) for part in parts.values()):
        raise RunError(f"{path} is not the manifest of a run.", "Remove it if the folder was made by other software.")
    version = str(content.get("vsscli", ""))
    return Manifest(
        content["verb"], parts["identity"] or {}, parts["classes"], parts["view"], parts["about"] or {}, version
    )


def write_manifest(folder: Path, manifest: Manifest) -> bool:
    """Puts ``run.json`` into ``folder`` unless one is there; True if this call made it."""
    return create_once(folder / "run.json", manifest.dumps())
