"""Models from outside, found by the entry-point group ``vsscli.models``: a subclass of `Plugin` in one file.

``vsscli guide plugins`` has a whole one. ``--model NAME`` or ``--model NAME:ARGUMENT`` names it.
"""

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import torch
from torch import Tensor

from vsscli.errors import ModelError, VssError
from vsscli.models.box import boxed_models
from vsscli.models.catalogue import catalogue
from vsscli.models.network import DenseScores, QueryScores, Scores
from vsscli.models.outside import outside
from vsscli.models.preprocess import Preprocess, preprocess_fault
from vsscli.models.source import lies_here

__all__ = ["DenseScores", "Plugin", "PluginNetwork", "Preprocess", "QueryScores", "Scores", "find_plugin", "plugins"]

GROUP = "vsscli.models"


class Plugin(ABC):
    """A model of single frames. Made with what stands behind ``NAME:``, by the command and again by each worker.

    ``classes`` names the K channels; ``preprocess`` says how frames become input. Only workers call `load`.
    """

    classes: tuple[str, ...]
    preprocess = Preprocess(720, 1333, divisor=32)

    def __init__(self, argument: str = "") -> None:
        self.argument = argument

    def files(self) -> Sequence[Path]:
        """The files that its answers depend on, beside its own source: weights, a configuration."""
        return ()

    @abstractmethod
    def load(self, device: torch.device) -> None:
        """Loads the weights of `files` to ``device``; nothing is to be random."""

    @abstractmethod
    def forward(self, pixels: Tensor) -> list[Scores]:
        """The scores of B frames, float32 [B, 3, H, W], normalised and padded, as `DenseScores` or `QueryScores`.

        One for each; they cover the whole padded input, at any stride. Threads may call it at the same time.
        """


def plugins() -> dict[str, EntryPoint]:
    """What is installed, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def find_plugin(source: str) -> Plugin | None:
    """The plug-in that ``NAME`` or ``NAME:ARGUMENT`` names, not loaded; None where none has that name.

    ModelError where it is none, or cannot be made.
    """
    name, _, argument = source.partition(":")
    point = plugins().get(name)
    if point is None:
        return None
    owner = f"The model plug-in {name} ({point.value})"
    if name in boxed_models() or name in catalogue().models:
        raise ModelError(
            f"{owner} has the name of a model that vsscli knows itself.",
            "Rename the plug-in's entry point, or remove it.",
        )
    with outside(f"{owner} cannot be made"):
        made = point.load()(argument)
    if not isinstance(made, Plugin):
        raise ModelError(f"{owner} is no vsscli.models.plugin.Plugin.", "See 'vsscli guide plugins'.")
    with outside(f"{owner} cannot be asked"):
        _check(owner, getattr(made, "classes", ()), made.preprocess)
    return made


def _check(owner: str, names: object, preprocess: object) -> None:
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{owner} does not name its classes.", "classes is a tuple of names, one a channel.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ModelError(f"{owner} has the class {twice[0]!r} more than once.", "Give every class a name of its own.")
    if not isinstance(preprocess, Preprocess):
        kind = type(preprocess).__name__
        raise ModelError(f"{owner}: preprocess is no Preprocess, but {kind}.", "See 'vsscli guide plugins'.")
    fault = preprocess_fault(preprocess)
    if fault is not None:
        raise ModelError(f"{owner}: its preprocess makes no sense: {fault}.", "Correct it.")


def plugin_digest(plugin: Plugin, source: str) -> str:
    """SHA-256 over its name and argument, its source file and its `Plugin.files`; ModelError naming a missing one.

    An argument that is a path does not count: what lies there does, where it is one of the files.
    """
    name, _, argument = source.partition(":")
    state = hashlib.sha256(f"{name}\0{'' if lies_here(argument) else argument}\0".encode())
    with outside(f"The model plug-in {name} does not tell its files"):
        files: list[object] = [inspect.getfile(type(plugin)), *plugin.files()]
    for file in files:
        if not isinstance(file, str | Path):
            raise ModelError(
                f"The model plug-in {name} does not tell its files: {file!r} is no path.",
                "files() gives a list of paths.",
            )
        path = Path(file)
        try:
            with path.open("rb") as opened:
                state.update(f"{path.name}\0{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ModelError(f"{path}, which the model {source} needs, cannot be read ({why}).") from None
    return state.hexdigest()


class PluginNetwork:
    """A plug-in behind `vsscli.models.network.Network`, loaded: its scores are looked at before they are used."""

    def __init__(self, plugin: Plugin, source: str, device: torch.device, dtype: torch.dtype) -> None:
        name = source.partition(":")[0]
        with outside(f"The model plug-in {name} cannot be loaded", (VssError, torch.OutOfMemoryError, MemoryError)):
            plugin.load(device)
        self._plugin, self._source, self._device, self._dtype = plugin, source, device, dtype

    @property
    def classes(self) -> tuple[str, ...]:
        return self._plugin.classes

    @property
    def preprocess(self) -> Preprocess:
        return self._plugin.preprocess

    @property
    def parameters(self) -> int:
        modules = [value for value in vars(self._plugin).values() if isinstance(value, torch.nn.Module)]
        return sum(p.numel() for module in modules for p in module.parameters())

    def forward(self, pixels: Tensor) -> list[Scores]:
        half = self._dtype != torch.float32
        with (
            outside(f"The model {self._source} gave no scores", (Exception,)),  # workers tell of errors themselves
            torch.no_grad(),
            torch.autocast(self._device.type, self._dtype if half else None, enabled=half),
        ):
            found = self._plugin.forward(pixels.to(self._device))
        if len(found) != len(pixels):
            raise ModelError(f"The model {self._source} gave {len(found)} scores for {len(pixels)} frames.")
        return [self._checked(scores) for scores in found]

    def _checked(self, scores: Scores) -> Scores:
        count = len(self.classes)
        if isinstance(scores, DenseScores) and scores.values.ndim == 3 and len(scores.values) == count:
            return DenseScores(scores.values.float(), scores.logits)
        if isinstance(scores, QueryScores) and scores.class_prob.shape == (len(scores.mask_logits), count):
            if scores.class_prob.numel() and scores.class_prob.min() < 0:
                raise ModelError(
                    f"The model {self._source} gave a negative probability.", "Give softmax's, not logits."
                )
            return QueryScores(scores.class_prob.float(), scores.mask_logits.float())
        raise ModelError(
            f"The model {self._source} gave {type(scores).__name__} of another shape than its {count} classes.",
            f"DenseScores.values is [{count}, h, w], QueryScores.class_prob is [Q, {count}].",
        )
