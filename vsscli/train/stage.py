"""What every stage of training is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Parameter

from vsscli.models.dvis.model import Dvis
from vsscli.models.mpvss.model import Mpvss
from vsscli.models.preprocess import Preprocess
from vsscli.train.config import TrainConfig
from vsscli.train.criterion import Criterion, Losses
from vsscli.train.targets import Targets


class Stage(nn.Module, ABC):
    """A model of which one part learns. ``forward`` gives the weighted terms of the loss of a batch.

    Its pixels were normalised as ``preprocess`` says.
    """

    def __init__(self, model: Dvis | Mpvss, config: TrainConfig, preprocess: Preprocess) -> None:
        super().__init__()
        self.model, self.config, self.preprocess = model, config, preprocess
        self.criterion = Criterion(config.loss)
        #: What learns beside the model, and is not kept with it.
        self.heads = nn.ModuleDict()
        model.requires_grad_(False)
        self.trained().requires_grad_(True)
        if config.norms == "frozen":
            for module in model.modules():
                if isinstance(module, BatchNorm2d):
                    module.requires_grad_(False)

    @abstractmethod
    def trained(self) -> nn.Module:
        """The module that learns."""

    @abstractmethod
    def forward(self, pixels: Tensor, targets: Sequence[Targets], progress: float, seed: int) -> Losses:
        """The terms for ``pixels`` [B, T, 3, H, W] and the targets of the B clips.

        ``progress`` is the share of the training that is over; all chance follows from ``seed``.
        """

    def train(self, mode: bool = True) -> "Stage":
        """Nothing here drops anything out: only batch norms know whether they train, and frozen ones never do."""
        super().train(False)
        if mode and self.config.norms == "batch" and self.config.stage == "segmenter":
            for module in self.model.segmenter.modules():
                module.training = isinstance(module, BatchNorm2d)
        self.training = mode
        return self

    def parameters_that_learn(self) -> Iterator[tuple[str, Parameter]]:
        """Names and parameters; those of the heads last."""
        yield from ((name, each) for name, each in self.model.named_parameters() if each.requires_grad)
        yield from self.heads.named_parameters(prefix="heads")

    def _chance(self, seed: int, device: torch.device) -> torch.Generator:
        return torch.Generator(device).manual_seed(seed)

    def _sum(self, layers: Sequence[Losses]) -> Losses:
        """The sum over layers of each term."""
        return {name: torch.stack([layer[name] for layer in layers]).sum() for name in layers[0]}
