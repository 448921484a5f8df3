"""The ViT-Adapter backbone of DVIS++: a plain vision transformer that gives maps of four strides.

After Chen et al., "Vision Transformer Adapter for Dense Predictions" (2023), in the lighter form that DVIS++ uses: the
transformer runs undisturbed, and spatial tokens from convolutions read from it after every quarter of its blocks.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from vsscli.models.dvis.extractor import Extractor, Size, as_maps
from vsscli.models.dvis.spatial_prior import SpatialPrior
from vsscli.models.dvis.vit import VisionTransformer

#: The transformer's blocks in equal parts, each read once; after the last part there are `EXTRA` further readings.
STAGES, EXTRA = 4, 2


class ViTAdapter(nn.Module):
    """Maps [B, dim, H/s, W/s] of strides s = 4, 8, 16, 32 from normalised pixels.

    ``depth`` blocks of ``heads`` heads, patches of ``patch`` = 16 pixels, positions learned on ``grid`` x ``grid``
    patches; the spatial tokens come from convolutions ``prior_width`` wide, read at ``deform_heads`` x
    ``deform_points`` points and pass through layers of ``ffn_ratio`` times ``dim``. ValueError for sizes that do not
    fit together.
    """

    def __init__(
        self,
        *,
        dim: int,
        depth: int,
        heads: int,
        deform_heads: int,
        deform_points: int,
        prior_width: int,
        ffn_ratio: float,
        patch: int = 16,
        grid: int = 37,
    ) -> None:
        super().__init__()
        if patch != 16 or depth % STAGES or dim % heads or dim % deform_heads:
            raise ValueError(
                f"a ViT-Adapter has patches of 16 pixels and {STAGES} equal stages, and its heads divide its width: "
                f"not {patch=}, {depth=}, {dim=}, {heads=}, {deform_heads=}"
            )
        self.vit = VisionTransformer(dim=dim, depth=depth, heads=heads, patch=patch, grid=grid)
        self.prior = SpatialPrior(dim=dim, width=prior_width)
        self.level_embed = nn.Parameter(torch.zeros(3, dim))
        self.extractors = nn.ModuleList(
            Extractor(dim=dim, heads=deform_heads, points=deform_points, ffn_ratio=ffn_ratio)
            for _ in range(STAGES + EXTRA)
        )
        self.up = nn.ConvTranspose2d(dim, dim, 2, stride=2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(dim) for _ in range(STAGES))

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """``pixels`` [B, 3, H, W], H and W multiples of 32 -> four maps, the finest first."""
        height, width = pixels.shape[2:]
        if height % 32 or width % 32:
            raise ValueError(f"a ViT-Adapter takes sides that are multiples of 32, not {height}x{width}")
        grid = (height // 16, width // 16)
        sizes = [(height // stride, width // stride) for stride in (8, 16, 32)]
        stem, maps = self.prior(pixels)
        spatial = torch.cat(
            [one.flatten(2).transpose(1, 2) + level for one, level in zip(maps, self.level_embed, strict=True)],
            1,
        )
        spatial, seen = self._read(self.vit.embed(pixels), spatial, sizes, grid)
        return self._compose(as_maps(spatial, sizes), seen, stem)

    def _read(self, tokens: Tensor, spatial: Tensor, sizes: list[Size], grid: Size) -> tuple[Tensor, list[Tensor]]:
        """Runs the transformer; the spatial tokens at the end, and its map [B, dim, *grid] after each stage."""
        places = torch.cat([centres(size, spatial.device) for size in sizes])
        length, seen = len(self.vit.blocks) // STAGES, []
        for stage in range(STAGES):
            for block in self.vit.blocks[stage * length : (stage + 1) * length]:
                tokens = block(tokens)
            patches = tokens[:, 1:]
            for extractor in self.extractors[stage : stage + 1 if stage < STAGES - 1 else None]:
                spatial = extractor(spatial, sizes, patches, grid, places)
            seen += as_maps(patches, [grid])
        return spatial, seen

    def _compose(self, spatial: list[Tensor], seen: list[Tensor], stem: Tensor) -> list[Tensor]:
        """Each output is the sum of what convolutions and the stage of its turn say about its places, normalised."""
        outputs = []
        for place, (factor, stage) in enumerate(zip((4.0, 2.0, 1.0, 0.5), seen, strict=True)):
            # Enlarging takes five times as long when the channels lie together, as they do in tokens.
            summed = interpolate(stage.contiguous(), scale_factor=factor, mode="bilinear")
            if place == 0:
                summed += self.up(spatial[0])
                summed += self.prior.finest(stem)
            else:
                summed += spatial[place - 1]
            outputs.append(self.norms[place](summed))
        return outputs


def centres(size: Size, device: torch.device) -> Tensor:
    """The centres of a map's cells, row by row, as (x, y) in 0..1 of the map: float32 [h*w, 2]."""
    rows, columns = ((torch.arange(side, dtype=torch.float32, device=device) + 0.5) / side for side in size)
    grid = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack((grid[1], grid[0]), -1).flatten(0, 1)
