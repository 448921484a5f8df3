"""The plain vision transformer inside the ViT-Adapter: DINOv2's blocks (Oquab et al. 2023), one scale, one width."""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, scaled_dot_product_attention

#: Of every LayerNorm of the backbone.
EPS = 1e-6


class VisionTransformer(nn.Module):
    """A class token and one token per patch of ``patch`` pixels, ``depth`` blocks of width ``dim``."""

    def __init__(self, *, dim: int, depth: int, heads: int, patch: int, grid: int) -> None:
        super().__init__()
        self.grid = grid
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, dim))
        self.patch_embed = nn.Conv2d(3, dim, patch, stride=patch)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))

    def embed(self, pixels: Tensor) -> Tensor:
        """Tokens before the first block: [B, 3, H, W] -> [B, 1 + H/patch * W/patch, dim], the class token first."""
        patches = self.patch_embed(pixels)
        positions = self._positions(patches.shape[2], patches.shape[3])
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(pixels), -1, -1)
        return torch.cat((first, patches.flatten(2).transpose(1, 2) + positions), 1)

    def _positions(self, height: int, width: int) -> Tensor:
        """The learned grid in the patches' size, [1, height * width, dim].

        Resized with DINOv2's factors, a tenth of a patch too large: they decide where the samples lie, so the same
        resize by its resulting size gives other positions than those the weights were trained with.
        """
        table = self.pos_embed[:, 1:].view(1, self.grid, self.grid, -1).permute(0, 3, 1, 2)
        factors = ((height + 0.1) / self.grid, (width + 0.1) / self.grid)
        return interpolate(table, scale_factor=factors, mode="bicubic").flatten(2).transpose(1, 2)


class Block(nn.Module):
    """Self-attention and a fourfold MLP, each after a LayerNorm and added in a learned proportion per channel."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=EPS)
        self.attn = Attention(dim, heads)
        self.ls1 = LayerScale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=EPS)
        self.mlp = Mlp(dim)
        self.ls2 = LayerScale(dim)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = self.ls1(tokens, self.attn(self.norm1(tokens)))
        scaled: Tensor = self.ls2(tokens, self.mlp(self.norm2(tokens)))
        return scaled


class Attention(nn.Module):
    """Every token attends to all tokens of its image; [B, N, dim] -> the same."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(query, key, value)
        projected: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return projected


class Mlp(nn.Module):
    """Four times as wide in between; [B, N, dim] -> the same."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        projected: Tensor = self.fc2(gelu(self.fc1(tokens)))
        return projected


class LayerScale(nn.Module):
    """``tokens`` plus ``gamma`` times what a branch ``added`` to them, in one pass."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, tokens: Tensor, added: Tensor) -> Tensor:
        return torch.addcmul(tokens, self.gamma, added.to(tokens.dtype))
