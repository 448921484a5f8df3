"""Models from outside, found by the entry-point group ``vsscli.models``: a subclass of `Plugin` in one file.

``vsscli guide plugins`` has a whole one. ``--model NAME`` or ``--model NAME:ARGUMENT`` names it.
"""

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import torch
from torch import Tensor

from vsscli.errors import ModelError, VssError
from vsscli.models.network import DenseScores, QueryScores, Scores
from vsscli.models.preprocess import Preprocess

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
    try:
        made = point.load()(argument)
    except VssError:
        raise
    except Exception as error:  # somebody else's code can fail in any way
        raise ModelError(f"{owner} cannot be made: {type(error).__name__}: {error}.", "Mend or remove it.") from None
    if not isinstance(made, Plugin):
        raise ModelError(f"{owner} is no vsscli.models.plugin.Plugin.", "See 'vsscli guide plugins'.")
    names = getattr(made, "classes", ())
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{owner} does not name its classes.", "classes is a tuple of names, one a channel.")
    return made


def plugin_digest(plugin: Plugin, source: str) -> str:
    """SHA-256 over its name and argument, its source file and its `Plugin.files`; ModelError naming a missing one.

    An argument that is a path does not count: what lies there does, where it is one of the files.
    """
    name, _, argument = source.partition(":")
    state = hashlib.sha256(f"{name}\0{'' if Path(argument).exists() else argument}\0".encode())
    for path in (Path(inspect.getfile(type(plugin))), *map(Path, plugin.files())):
        try:
            with path.open("rb") as file:
                state.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        except OSError as error:
            raise ModelError(f"{path}, which the model {source} needs, cannot be read ({error.strerror}).") from None
    return state.hexdigest()


class PluginNetwork:
    """A plug-in behind `vsscli.models.network.Network`, loaded: its scores are looked at before they are used."""

    def __init__(self, plugin: Plugin, source: str, device: torch.device, dtype: torch.dtype) -> None:
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
        with torch.no_grad(), torch.autocast(self._device.type, self._dtype if half else None, enabled=half):
            found = self._plugin.forward(pixels.to(self._device))
        if len(found) != len(pixels):
            raise ModelError(f"The model {self._source} gave {len(found)} scores for {len(pixels)} frames.")
        return [self._checked(scores) for scores in found]

    def _checked(self, scores: Scores) -> Scores:
        count = len(self.classes)
        if isinstance(scores, DenseScores) and scores.values.ndim == 3 and len(scores.values) == count:
            return DenseScores(scores.values.float(), scores.logits)
        if isinstance(scores, QueryScores) and scores.class_prob.shape == (len(scores.mask_logits), count):
            return QueryScores(scores.class_prob.float(), scores.mask_logits.float())
        raise ModelError(
            f"The model {self._source} gave {type(scores).__name__} of another shape than its {count} classes.",
            f"DenseScores.values is [{count}, h, w], QueryScores.class_prob is [Q, {count}].",
        )
