"""AdamW as Mask2Former sets it up, and the learning rate of each step."""

import torch
from torch import nn

from vsscli.train.config import Optimizer
from vsscli.train.stage import Stage

#: The parameters of these modules are not pulled towards zero.
_UNDECAYED = (nn.LayerNorm, nn.BatchNorm2d, nn.GroupNorm, nn.Embedding)


def make_optimizer(stage: Stage, config: Optimizer) -> torch.optim.AdamW:
    """AdamW over what learns, in up to four groups: backbone or not, with decay or without."""
    undecayed = {
        f"{name}.{own}"
        for name, module in stage.model.named_modules()
        for own, _ in module.named_parameters(recurse=False)
        if isinstance(module, _UNDECAYED) or own.endswith(("pos_embed", "level_embed"))
    }
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in stage.parameters_that_learn():
        backbone = ".pixel_level_module.encoder." in name
        groups.setdefault((backbone, name in undecayed), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "factor": config.backbone if backbone else 1.0,
                "weight_decay": 0.0 if bare else config.weight_decay,
            }
            for (backbone, bare), parameters in groups.items()
        ],
        lr=config.lr,
    )


def learning_rate(config: Optimizer, step: int, steps: int) -> float:
    """The learning rate of step 0, 1, ..., ``steps`` - 1, for groups without a factor."""
    rate = config.lr * (config.warmup_factor if step < config.warmup else 1.0)
    if config.schedule == "poly":
        return float(rate * (1 - step / steps) ** 0.9)
    return float(rate * config.decay ** sum(step >= at for at in config.decay_at))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives each group ``rate`` times its factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
