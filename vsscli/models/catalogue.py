"""The models that are known by name: what they are, where their weights are had, what their authors report.

No weights and no torch here: facts, read from ``published.toml``.
"""

import difflib
import tomllib
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from vsscli.errors import ModelError, OptionError
from vsscli.maps.geometry import padded_size
from vsscli.models.box import boxed_models

#: The size that ``kept`` is stated for: what a 16:9 video becomes at short side 720, padded.
SHOWN_SIZE = padded_size(720, 1280, 32)


@dataclass(frozen=True)
class Family:
    """What models of one project have in common.

    ``hub`` is a repository of the hub, empty where no weights are public; ``files`` what is known of it; ``kept`` says
    what their kinds keep of a frame, ``caution_short`` what ``caution`` says, in a table.
    """

    title: str
    hub: str
    files: str
    classes: str
    scored: str
    kept: str
    caution: str
    caution_short: str
    licence: str

    @property
    def checkpoint(self) -> str:
        """What to give to ``convert``, with FILE for the name of a file."""
        return f"hf://{self.hub}/FILE" if self.hub else "FILE"

    @property
    def weights(self) -> str:
        """Where the weights are had."""
        return f"in {self.hub} on the hub ({self.files})" if self.hub else f"nowhere public ({self.files})"


@dataclass(frozen=True)
class Published:
    """A published model.

    ``parameters`` in millions; ``short`` and ``cap`` are the size it is tested at, in pixels; ``kept`` is what
    inference keeps of every frame until the video ends: one float32 map at a quarter of the input's sides for each of
    its queries or channels, ``channels`` numbers for each query and each patch of 16x16 pixels, or nothing
    (``keeps_per``). The
    scores are fractions, as published (None: not stated). ``file`` is its place in the hub's repository, where known.
    """

    name: str
    family: str
    network: str
    kept: str
    keeps_per: str
    queries: int
    channels: int
    parameters: float
    short: int
    cap: int
    miou: float
    vc16: float
    vc8: float | None = None
    file: str = "FILE"

    @property
    def about(self) -> Family:
        """The family's facts."""
        return catalogue().families[self.family]

    def kept_bytes(self, height: int, width: int) -> int:
        """Bytes kept per frame when the network's input is ``height`` x ``width``, padding included."""
        if self.keeps_per == "patches":
            return (height // 16 * (width // 16) + self.queries) * self.channels * 4
        maps = {"queries": self.queries, "channels": self.channels}.get(self.keeps_per, 0)
        return maps * (height // 4) * (width // 4) * 4

    @property
    def convert_line(self) -> str:
        """The command that makes a model folder of it."""
        place = f"hf://{self.about.hub}/{self.file}" if self.about.hub else self.about.checkpoint
        return f"vsscli convert {place} --out models/{self.name}"


_Entry = TypeVar("_Entry", Family, Published)


@dataclass(frozen=True)
class Catalogue:
    """All that ``published.toml`` says. ``direct``: families of transformers that load as they are, with titles."""

    families: dict[str, Family]
    models: dict[str, Published]
    direct: dict[str, str]


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with the package."""
    return read_catalogue((Path(__file__).parent / "published.toml").read_text(encoding="utf-8"))


def read_catalogue(text: str) -> Catalogue:
    """A catalogue from TOML. ValueError naming an entry whose fields are missing, unknown or ill-typed."""
    content = tomllib.loads(text)
    families = {name: _entry(Family, name, entry) for name, entry in content["families"].items()}
    models = {entry["name"]: _entry(Published, entry["name"], entry) for entry in content["models"]}
    for model in models.values():
        if model.family not in families or model.keeps_per not in ("queries", "channels", "patches", "nothing"):
            raise ValueError(f"{model.name}: family or keeps_per is none of those known")
        if not all(0 < score < 1 for score in (model.miou, model.vc8, model.vc16) if score is not None):
            raise ValueError(f"{model.name}: a score is no fraction")
    return Catalogue(families, models, dict(content["direct"]))


def _entry(kind: type[_Entry], name: str, entry: dict[str, Any]) -> _Entry:
    wanted = {field.name: field.type for field in fields(kind)}
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    wrong = sorted(set(entry) - set(wanted) | needed - set(entry))
    wrong = wrong or [key for key, value in entry.items() if not isinstance(value, wanted[key])]  # type: ignore[arg-type]
    if wrong:
        raise ValueError(f"{name}: {', '.join(wrong)} missing, unknown or of another type")
    return kind(**entry)


def find_published(name: str) -> Published:
    """The published model ``name``; OptionError with the nearest names when there is none."""
    models = catalogue().models
    if name not in models:
        near = [model for model in models if name and model.startswith(name)]
        near = near or difflib.get_close_matches(name, [*boxed_models(), *models], 3, 0.5)
        hint = f"Did you mean {', '.join(near)}?" if near else f"There are {', '.join(models)}."
        raise OptionError(f"There is no published model {name!r}.", hint)
    return models[name]


def refuse_published(name: str) -> None:
    """Raises ModelError when ``name`` is that of a published model: says where its weights are had and what to type."""
    model = catalogue().models.get(name)
    if model is not None:
        raise ModelError(
            f"{name} is the name of a published model; its weights do not come with vsscli, and no folder of that "
            "name is here.",
            f"They are {model.about.weights}. Then: {model.convert_line} and --model models/{name}",
        )
