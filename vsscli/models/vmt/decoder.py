"""The decoder of PMT and LVMT: levels of a frozen encoder become one, and queries go through blocks of their own."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vsscli.models.vmt.blocks import EPS, RotaryBlock, rotation
from vsscli.models.vmt.config import VmtConfig
from vsscli.models.vmt.encoders import Grid


class Levels(nn.Module):
    """Levels of the encoder, [B, N, C] each and normed by its own norm, to their sum, [B, N, C].

    Each is standardised per channel, gets what an MLP of half the width says of it added, and is scaled.
    """

    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm1d(dim) for _ in range(count))
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, dim // 2), nn.GELU(), nn.Linear(dim // 2, dim)) for _ in range(count)
        )
        self.scales = nn.ParameterList(nn.Parameter(torch.ones(dim)) for _ in range(count))

    def standardise(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Each level by the mean and the spread of its channels in the training, [B, N, C]."""
        return [norm(level.transpose(1, 2)).transpose(1, 2) for norm, level in zip(self.norms, levels, strict=True)]

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        found = [
            (level + project(level)) * scale
            for level, project, scale in zip(self.standardise(levels), self.projections, self.scales, strict=True)
        ]
        return torch.stack(found).sum(0)


class Decoder(nn.Module):
    """Blocks of DINOv3's design through which queries and tokens go together, as wide inside as outside."""

    def __init__(self, config: VmtConfig) -> None:
        super().__init__()
        dim, heads = config.encoder.dim, config.encoder.heads
        self.head = dim // heads
        self.blocks = nn.ModuleList(RotaryBlock(dim, heads, dim) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(dim, eps=EPS)

    def forward(self, tokens: Tensor, grid: Grid) -> Tensor:
        """[B, Q + prefix + patches, C] -> the same, before the norm."""
        turn = rotation(grid, self.head, tokens.device)
        for block in self.blocks:
            tokens = block(tokens, turn)
        return tokens
