"""What the networks of our own share: a model on its device."""

from typing import Generic, Protocol, TypeVar

import torch
from torch import nn

from vsscli.models.preprocess import Preprocess


class Labelled(Protocol):
    """A configuration that names the classes in the order of the channels."""

    @property
    def labels(self) -> tuple[str, ...]: ...


Model = TypeVar("Model", bound=nn.Module)


class PlacedNetwork(Generic[Model]):
    """``model``, which has a ``config`` (`Labelled`), on its ``device``, in half precision where that is asked for."""

    def __init__(self, model: Model, preprocess: Preprocess, device: torch.device, dtype: torch.dtype) -> None:
        self.model, self.device = model, device
        self._preprocess, self._dtype = preprocess, dtype

    @property
    def classes(self) -> tuple[str, ...]:
        config: Labelled = self.model.config  # type: ignore[assignment]
        return config.labels

    @property
    def preprocess(self) -> Preprocess:
        return self._preprocess

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters())

    def precision(self) -> torch.autocast:
        """The context to compute in."""
        half = self._dtype != torch.float32
        return torch.autocast(self.device.type, self._dtype if half else None, enabled=half)
