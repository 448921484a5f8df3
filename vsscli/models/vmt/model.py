"""VidEoMT, PMT and LVMT as one module: an encoder of single frames, then queries that pass from frame to frame.

Written from the published descriptions: VidEoMT (Norouzi et al., CVPR 2026), PMT and LVMT of the same group.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm

from vsscli.models.vmt.config import VmtConfig
from vsscli.models.vmt.decoder import Decoder, Levels
from vsscli.models.vmt.encoders import Dinov2Encoder, Dinov3Encoder, Encoder, Grid


class Step(NamedTuple):
    """A frame after its queries: ``queries`` [Q, C] as they came out, ``normed`` [Q + prefix + patches, C] all tokens
    after the last norm, ``following`` [Q, C] the queries of the next frame."""

    queries: Tensor
    normed: Tensor
    following: Tensor


class Vmt(nn.Module):
    """The parts of a model, to be called one by one: `see` frames, `step` from one to the next, `classify`, `paint`."""

    def __init__(self, config: VmtConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.encoder.dim
        self.encoder: Encoder = (Dinov2Encoder if config.encoder.type == "dinov2" else Dinov3Encoder)(config.encoder)
        self.levels = Levels(dim, config.levels) if config.levels else None
        self.decoder = Decoder(config) if config.levels else None
        self.queries = nn.Parameter(torch.zeros(config.queries, dim))
        self.update = nn.GRUCell(dim, dim) if config.kind == "lvmt" else nn.Linear(dim, dim)
        self.classes = nn.Linear(dim, len(config.labels) + 1)
        self.masks = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.upscale = nn.Sequential(Upscale(dim), Upscale(dim))

    def see(self, pixels: Tensor) -> Tensor:
        """What the queries will meet of each frame: [B, 3, H, W] -> [B, prefix + patches, C]."""
        depth = self.config.encoder.depth
        if self.levels is None:
            if depth == self.config.blocks:
                return self.encoder.embed(pixels)
            return self.encoder.states(pixels, [depth - self.config.blocks - 1])[0]
        return self.levels(self.normed_levels(pixels))  # type: ignore[no-any-return]

    def normed_levels(self, pixels: Tensor) -> list[Tensor]:
        """The encoder's tokens at evenly spaced depths, the last included, each after the encoder's norm."""
        depth, count = self.config.encoder.depth, self.config.levels or 1
        after = [(i + 1) * depth // count - 1 for i in range(count)]
        return [self.encoder.norm(tokens) for tokens in self.encoder.states(pixels, after)]

    def step(self, queries: Tensor | None, tokens: Tensor, grid: Grid) -> Step:
        """One frame, [prefix + patches, C], met by ``queries`` [Q, C]; None: by those of a video's first frame."""
        queries = self.queries if queries is None else queries
        together = torch.cat((queries, tokens))[None]
        if self.decoder is None:
            for block in self.encoder.blocks[-self.config.blocks :]:  # type: ignore[index]
                together = block(together)
            normed = self.encoder.norm(together)
        else:
            together = self.decoder(together, grid)
            normed = self.decoder.norm(together)
        out = together[0, : len(queries)]
        return Step(out, normed[0], self._following(queries, out))

    def _following(self, queries: Tensor, out: Tensor) -> Tensor:
        """The queries of the next frame, from those that entered this one and what came out."""
        if self.config.kind != "lvmt":
            return self.update(out) + self.queries  # type: ignore[no-any-return]
        with torch.autocast(out.device.type, enabled=False):  # a memory that is rounded at every frame forgets
            return self.update(out.float(), queries.float())  # type: ignore[no-any-return]

    def classify(self, normed: Tensor) -> tuple[Tensor, Tensor]:
        """Of all tokens of a frame, [.., C]: class logits [Q, K + 1], "no object" last, and mask embeddings [Q, C]."""
        queries = normed[: self.config.queries]
        return self.classes(queries), self.masks(queries)

    def features(self, patches: Tensor, grid: Grid) -> Tensor:
        """What masks are made of: patches [N, C] of a grid (rows, columns) -> [C, 4 rows, 4 columns]."""
        found: Tensor = self.upscale(patches.t().reshape(1, -1, *grid))
        return found[0]

    def paint(self, mask_embeds: Tensor, patches: Tensor, grid: Grid) -> Tensor:
        """Mask logits [Q, 4 rows, 4 columns] of mask embeddings [Q, C] and normed patches [N, C]."""
        return torch.einsum("qc,chw->qhw", mask_embeds, self.features(patches, grid))


class Upscale(nn.Module):
    """Twice the height and the width: [B, C, h, w] -> [B, C, 2 h, 2 w]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.ConvTranspose2d(dim, dim, 2, stride=2)
        self.conv2 = nn.Conv2d(dim, dim, 3, padding=1, groups=dim, bias=False)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.conv2(gelu(self.conv1(maps))).permute(0, 2, 3, 1)
        normed = layer_norm(maps, self.norm.normalized_shape, self.norm.weight, self.norm.bias, self.norm.eps)
        return normed.permute(0, 3, 1, 2)


def build(config: VmtConfig) -> Vmt:
    """The model without weights, for evaluation: in no time, and taking no memory.

    Its parameters are on torch's meta device until ``load_state_dict(weights, assign=True)`` gives them.
    """
    with torch.device("meta"):
        return Vmt(config).eval()
