"""DINOv3's block, whose positions are rotations of queries and keys (Siméoni et al. 2025; Su et al. 2021)."""

from math import pi

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

#: Of every LayerNorm of DINOv3's design.
EPS = 1e-5
_BASE = 100.0

Rotation = tuple[Tensor, Tensor]


def rotation(grid: tuple[int, int], channels: int, device: torch.device) -> Rotation:
    """Cosines and sines for the patches of a ``grid`` (rows, columns), row by row: float32 [rows * columns, channels].

    ``channels`` are those of a head. The centres of the patches lie between -1 and 1 on both axes; a quarter of the
    channels turns with the row, a quarter with the column, each with its own frequency, and the second half as the
    first.
    """
    frequencies = _BASE ** -(torch.arange(channels // 4, dtype=torch.float32, device=device) * (4 / channels))
    ys, xs = ((torch.arange(n, dtype=torch.float32, device=device) + 0.5) / n * 2 - 1 for n in grid)
    places = torch.stack(torch.meshgrid(ys, xs, indexing="ij"), -1).flatten(0, 1)
    angles = (2 * pi * places[:, :, None] * frequencies).flatten(1).tile(2)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, turn: Rotation) -> Tensor:
    """``x`` [B, heads, N, D] with its last tokens turned, as many as ``turn`` is for; those before have no place."""
    cos, sin = turn
    first, patches = x[:, :, : -len(cos)], x[:, :, -len(cos) :]
    low, high = patches.chunk(2, -1)
    turned = patches * cos + torch.cat((-high, low), -1) * sin
    return torch.cat((first, turned.to(x.dtype)), 2)


class RotaryBlock(nn.Module):
    """Self-attention and an MLP of ``hidden`` channels, each after a LayerNorm and added in a learned proportion."""

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=EPS)
        self.attention = RotaryAttention(dim, heads)
        self.layer_scale1 = Scale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=EPS)
        self.mlp = Mlp(dim, hidden)
        self.layer_scale2 = Scale(dim)

    def forward(self, tokens: Tensor, turn: Rotation) -> Tensor:
        """[B, N, dim] -> the same; the last tokens are the patches that ``turn`` is for."""
        tokens = tokens + self.layer_scale1(self.attention(self.norm1(tokens), turn))
        scaled: Tensor = tokens + self.layer_scale2(self.mlp(self.norm2(tokens)))
        return scaled


class RotaryAttention(nn.Module):
    """Every token attends to all; keys have no bias."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim, bias=False)
        self.v_proj = nn.Linear(dim, dim)
        self.o_proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor, turn: Rotation) -> Tensor:
        query, key, value = (
            project(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = scaled_dot_product_attention(rotate(query, turn), rotate(key, turn), value)
        projected: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(2))
        return projected


class Mlp(nn.Module):
    """[B, N, dim] -> the same, ``hidden`` channels inside."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.up_proj = nn.Linear(dim, hidden)
        self.down_proj = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        found: Tensor = self.down_proj(gelu(self.up_proj(tokens)))
        return found


class Scale(nn.Module):
    """A learned factor per channel."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.lambda1 = nn.Parameter(torch.ones(dim))

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens * self.lambda1
