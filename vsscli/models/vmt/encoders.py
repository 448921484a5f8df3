"""The plain vision transformers that see a frame: DINOv2's and DINOv3's, with registers, at any size."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from vsscli.models.dvis.vit import EPS as DINOV2_EPS
from vsscli.models.dvis.vit import Block
from vsscli.models.vmt.blocks import EPS, RotaryBlock, rotation
from vsscli.models.vmt.config import PATCH, EncoderConfig

Grid = tuple[int, int]


def grid_of(pixels: Tensor) -> Grid:
    """Rows and columns of the patches of [..., H, W]."""
    return pixels.shape[-2] // PATCH, pixels.shape[-1] // PATCH


class Encoder(nn.Module, ABC):
    """What both have: class token, ``registers`` more, one token per patch, blocks, a norm behind them."""

    def __init__(self, config: EncoderConfig, eps: float) -> None:
        super().__init__()
        dim = config.dim
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.reg_token = nn.Parameter(torch.zeros(1, config.registers, dim))
        self.patch_embed = nn.Conv2d(3, dim, PATCH, stride=PATCH)
        self.norm = nn.LayerNorm(dim, eps=eps)

    def embed(self, pixels: Tensor) -> Tensor:
        """Tokens before the first block: [B, 3, H, W] -> [B, 1 + registers + patches, dim], the patches last."""
        patches = self.patch_embed(pixels)
        # In half precision too the tokens themselves stay in float32, and only what is done to them is rounded.
        patches = patches.flatten(2).transpose(1, 2).float() + self.positions(patches.shape[2], patches.shape[3])
        first = torch.cat((self.cls_token, self.reg_token), 1).expand(len(pixels), -1, -1)
        return torch.cat((first, patches), 1)

    @abstractmethod
    def positions(self, height: int, width: int) -> Tensor | float:
        """What is added to the patches for their places."""

    @abstractmethod
    def states(self, pixels: Tensor, after: list[int]) -> list[Tensor]:
        """The tokens behind each of the blocks ``after`` (counted from 0, ascending), without the norm."""


class Dinov2Encoder(Encoder):
    """Learned positions on patches only (Oquab et al. 2023, Darcet et al. 2024)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config, DINOV2_EPS)
        assert config.grid is not None
        self.grid = config.grid
        self.pos_embed = nn.Parameter(torch.zeros(1, config.grid**2, config.dim))
        self.blocks = nn.ModuleList(Block(config.dim, config.heads) for _ in range(config.depth))

    def positions(self, height: int, width: int) -> Tensor:
        """The learned grid in the patches' size, float32 [1, height * width, dim]: resized by that size, smoothed."""
        if (height, width) == (self.grid, self.grid):
            return self.pos_embed
        table = self.pos_embed.float().view(1, self.grid, self.grid, -1).permute(0, 3, 1, 2)
        resized = interpolate(table, (height, width), mode="bicubic", antialias=True, align_corners=False)
        return resized.flatten(2).transpose(1, 2)

    def states(self, pixels: Tensor, after: list[int]) -> list[Tensor]:
        tokens, found = self.embed(pixels), []
        for i in range(after[-1] + 1):
            tokens = self.blocks[i](tokens)
            if i in after:
                found.append(tokens)
        return found


class Dinov3Encoder(Encoder):
    """Rotary positions in every block (Siméoni et al. 2025)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config, EPS)
        self.head = config.dim // config.heads
        self.blocks = nn.ModuleList(RotaryBlock(config.dim, config.heads, 4 * config.dim) for _ in range(config.depth))

    def positions(self, height: int, width: int) -> float:
        return 0.0

    def states(self, pixels: Tensor, after: list[int]) -> list[Tensor]:
        tokens, found = self.embed(pixels), []
        turn = rotation(grid_of(pixels), self.head, pixels.device)
        for i in range(after[-1] + 1):
            tokens = self.blocks[i](tokens, turn)
            if i in after:
                found.append(tokens)
        return found
