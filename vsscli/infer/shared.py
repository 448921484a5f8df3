"""The network that all views of a worker share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsscli.models.network import Network, VideoNetwork


@dataclass
class SharedNetwork:
    """One network for all views of a worker: loaded by the first that opens."""

    source: str
    dtype: str
    network: "Network | VideoNetwork | None" = None
    device: str = ""

    def open(self, device: str) -> None:
        if self.network is None or self.device != device:
            import torch

            from vsscli.models.load import load_model

            if device == "cpu":
                torch.set_num_threads(1)
            self.network, self.device = load_model(self.source, device=device, dtype=self.dtype), device

    def close(self) -> None:
        self.network = None
