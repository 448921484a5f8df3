"""What a model folder says of itself, before its weights are read."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from vsscli.errors import ModelError
from vsscli.models.families import FAMILIES, Family, Kept, OwnFamily
from vsscli.models.network import Network
from vsscli.models.plugin import Plugin, PluginNetwork, find_plugin, plugin_digest
from vsscli.models.preprocess import Preprocess, read_preprocess
from vsscli.models.source import (
    PREPROCESSORS,
    WEIGHTS,
    folder_digest,
    lies_here,
    read_config,
    resolve_source,
    weight_files,
)


@dataclass(frozen=True)
class ModelCard:
    """A model folder: ``source`` as the user wrote it, its ``classes`` in the order of the channels, its input.

    ``config`` is what one of our own families reads of ``config.json``.
    """

    source: str
    folder: Path
    model_type: str
    classes: tuple[str, ...]
    preprocess: Preprocess
    config: Any = None

    @property
    def family(self) -> Family | OwnFamily:
        """The family's line in the table; a plug-in is a family of its own."""
        return PLUGIN if isinstance(self.config, Plugin) else FAMILIES[self.model_type]

    @property
    def size_from(self) -> str:
        """Who says the size of the input: the model folder, a plug-in, or, where they do not, the family."""
        told = isinstance(self.config, Plugin) or any((self.folder / name).exists() for name in PREPROCESSORS)
        return "the model tells" if told else "its family does, for the model does not tell"

    @property
    def title(self) -> str:
        """What to call it."""
        return self.family.title(self.config) if isinstance(self.family, OwnFamily) else self.model_type

    @property
    def carries(self) -> bool:
        """Whether it carries key frames on to the frames between by itself."""
        return isinstance(self.family, OwnFamily) and self.family.carries

    def kept(self, padded: tuple[int, int]) -> Kept | None:
        """What is kept of each frame of a padded input size (H, W) until its video ends; None: nothing is."""
        return self.family.kept(self.config, padded) if isinstance(self.family, OwnFamily) else None

    @property
    def causal(self) -> bool:
        """Whether it depends on the whole video and can do with the part of it that is past."""
        return isinstance(self.family, OwnFamily) and self.family.causal(self.config)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over configuration and weights (`vsscli.models.source.model_digest`); reads the weights once."""
        if isinstance(self.config, Plugin):
            return plugin_digest(self.config, self.source)
        return folder_digest(self.folder)


def _load_plugin(folder: Path, source: str, preprocess: Preprocess, *place: Any) -> Network:
    plugin = find_plugin(source)
    assert plugin is not None
    return PluginNetwork(plugin, source, *place)


PLUGIN = OwnFamily(
    lambda plugin: f"{type(plugin).__name__} (a plug-in)",
    lambda config, name: config,
    _load_plugin,
    lambda plugin, padded: None,
    Plugin.preprocess,
)


def describe_model(source: str, offline: bool = False) -> ModelCard:
    """The card of a model folder, a plug-in (`vsscli.models.plugin`) or a hub id (`resolve_source`).

    Raises ModelError when it is no model, has no weights, or is of a family that is not supported.
    """
    plugin = None if lies_here(source) else find_plugin(source)
    if plugin is not None:
        kind = f"plugin:{source.partition(':')[0]}"
        return ModelCard(source, Path(), kind, plugin.classes, plugin.preprocess, plugin)
    folder = resolve_source(source, offline)
    config = read_config(folder)
    weight_files(folder)
    model_type = config.get("model_type")
    family = FAMILIES.get(str(model_type))
    if family is None:
        if model_type == "videomt":
            line = f"vsscli convert {folder / WEIGHTS} --out models/videomt"
            raise ModelError(
                f"{source} is VidEoMT as transformers writes it, which does not run as it is.",
                f"Make a model folder of its weights, which also puts its classes in order: {line}",
            )
        raise ModelError(
            f"{source}: models of the type {model_type!r} are not supported.", f"Supported are {', '.join(FAMILIES)}."
        )
    default = family.preprocess
    if family.side is not None:
        side = _side(config.get("image_size", family.side), folder)
        default = replace(default, short=side)
    classes, preprocess = _classes(config, folder, isinstance(family, OwnFamily)), read_preprocess(folder, default)
    own = family.read(config, str(folder / "config.json")) if isinstance(family, OwnFamily) else None
    return ModelCard(source, folder, str(model_type), classes, preprocess, own)


def _side(image_size: Any, folder: Path) -> int:
    sides = set(image_size) if isinstance(image_size, list) else {image_size}
    side = sides.pop()
    if sides or type(side) is not int or side < 1:
        raise ModelError(f"{folder / 'config.json'}: image_size {image_size!r} is no square.")
    return side


def _classes(config: dict[str, Any], folder: Path, distinct: bool) -> tuple[str, ...]:
    names = config.get("id2label")
    if names is None:
        count = config.get("num_labels", 2)  # two is what transformers assumes
        names = {str(i): f"LABEL_{i}" for i in range(count if type(count) is int else 0)}
    expected = [str(i) for i in range(len(names))] if isinstance(names, dict) else []
    if not expected or sorted(names, key=str) != sorted(expected):
        raise ModelError(f"{folder / 'config.json'}: id2label does not name the classes 0, 1, 2, ... without gaps.")
    found = tuple(str(names[key]) for key in expected)
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice and distinct:  # models of other makers keep theirs: classes of one name share a target
        raise ModelError(
            f"{folder / 'config.json'}: id2label has the name {twice[0]!r} more than once.",
            "Give every class a name of its own.",
        )
    return found
