"""A DVIS++ model as one module."""

import torch
from torch import nn

from vsscli.models.dvis.config import DvisConfig
from vsscli.models.dvis.refiner import Refiner
from vsscli.models.dvis.segmenter import Segmenter
from vsscli.models.dvis.tracker import Tracker


class Dvis(nn.Module):
    """The parts of a model, to be called one by one: a segmenter, with a tracker (online), with a refiner (offline)."""

    def __init__(self, config: DvisConfig) -> None:
        super().__init__()
        self.config = config
        self.segmenter = Segmenter(config)
        self.tracker = Tracker(config) if config.tracker else None
        self.refiner = Refiner(config) if config.refiner else None


def build(config: DvisConfig) -> Dvis:
    """The model without weights, for evaluation: in no time, and taking no memory.

    Its parameters are on torch's meta device until ``load_state_dict(weights, assign=True)`` gives them; what
    follows from the sizes alone is there.
    """
    with torch.device("meta"):
        model = Dvis(config).to("meta")  # once more, because transformers makes one parameter past the context
    model.segmenter.fill_constants()
    return model.eval()
