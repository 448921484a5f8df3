"""How the ViT-Adapter's spatial tokens read from the transformer's: deformable attention, then a small convolution."""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, grid_sample

from vsscli.models.deformable import sample_levels
from vsscli.models.dvis.vit import EPS

Size = tuple[int, int]  # height, width


class Extractor(nn.Module):
    """One reading of the transformer's patch tokens by the spatial tokens of several maps."""

    def __init__(self, *, dim: int, heads: int, points: int, ffn_ratio: float) -> None:
        super().__init__()
        self.query_norm = nn.LayerNorm(dim, eps=EPS)
        self.feat_norm = nn.LayerNorm(dim, eps=EPS)
        self.attn = DeformableAttention(dim, heads, points)
        self.ffn_norm = nn.LayerNorm(dim, eps=EPS)
        self.ffn = ConvFfn(dim, int(dim * ffn_ratio))

    def forward(self, spatial: Tensor, sizes: list[Size], patches: Tensor, grid: Size, places: Tensor) -> Tensor:
        """``spatial`` [B, n, dim], maps of ``sizes`` one after the other, and ``patches`` [B, h*w, dim] of the map
        ``grid`` -> ``spatial`` anew. ``places`` [n, 2] are the spatial tokens' centres (x, y) in 0..1."""
        spatial = spatial + self.attn(self.query_norm(spatial), self.feat_norm(patches), grid, places)
        mixed: Tensor = spatial + self.ffn(self.ffn_norm(spatial), sizes)
        return mixed


class DeformableAttention(nn.Module):
    """Each query reads one map at a few points it chooses itself (Zhu et al. 2021), one level."""

    def __init__(self, dim: int, heads: int, points: int) -> None:
        super().__init__()
        self.heads, self.points = heads, points
        self.sampling_offsets = nn.Linear(dim, heads * points * 2)
        self.attention_weights = nn.Linear(dim, heads * points)
        self.value_proj = nn.Linear(dim, dim)
        self.output_proj = nn.Linear(dim, dim)

    def forward(self, query: Tensor, values: Tensor, grid: Size, places: Tensor) -> Tensor:
        """``query`` [B, n, dim] at ``places`` [n, 2], ``values`` [B, h*w, dim] of the map ``grid`` -> [B, n, dim]."""
        value = self.value_proj(values).unflatten(2, (self.heads, -1))
        locations, weights = self._choose(query, grid, places)
        projected: Tensor = self.output_proj(sample_map(value, grid, locations, weights))
        return projected

    def _choose(self, query: Tensor, grid: Size, places: Tensor) -> tuple[Tensor, Tensor]:
        """Where each query reads, [B, n, heads, points, 2] in 0..1, and in which proportion, [B, n, heads, points].

        In float32 whatever the rest computes in: half precision would shift the points. Offsets are in cells.
        """
        with torch.autocast(query.device.type, enabled=False):
            query = query.to(self.sampling_offsets.weight.dtype)
            offsets = self.sampling_offsets(query).unflatten(2, (self.heads, self.points, 2))
            weights = self.attention_weights(query).unflatten(2, (self.heads, self.points)).softmax(-1)
            cells = torch.tensor((grid[1], grid[0]), dtype=places.dtype, device=places.device)
            return places[:, None, None] + offsets / cells, weights


class ConvFfn(nn.Module):
    """A narrow MLP with a 3x3 convolution per channel in between, on each map alone; [B, n, dim] -> the same."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, tokens: Tensor, sizes: list[Size]) -> Tensor:
        maps = as_maps(self.fc1(tokens), sizes)
        mixed = torch.cat([self.depthwise(one).flatten(2).transpose(1, 2) for one in maps], 1)
        projected: Tensor = self.fc2(gelu(mixed))
        return projected


def as_maps(tokens: Tensor, sizes: list[Size]) -> list[Tensor]:
    """Tokens [B, n, dim] of maps one after the other -> one view [B, dim, h, w] per map."""
    parts = torch.split(tokens, [height * width for height, width in sizes], 1)
    return [part.transpose(1, 2).view(*part.shape[::2], *size) for part, size in zip(parts, sizes, strict=True)]


def sample_map(value: Tensor, size: Size, locations: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum of bilinear samples of one map, zeros outside.

    ``value`` [B, h*w, heads, D] of the map ``size``; ``locations`` [B, n, heads, points, 2] are (x, y) in 0..1;
    ``weights`` [B, n, heads, points]. Returns [B, n, heads * D].
    """
    if value.device.type == "cpu" and value.dtype == torch.float32 and not torch.is_grad_enabled():
        return sample_levels(value, [size], locations.unsqueeze(3), weights.unsqueeze(3))
    return _sample_plainly(value, size, locations, weights)


def _sample_plainly(value: Tensor, size: Size, locations: Tensor, weights: Tensor) -> Tensor:
    """What `sample_map` does, on every device and with gradients: one point of all queries at a time."""
    batch, count, heads, points, _ = locations.shape
    maps = value.to(locations.dtype).permute(0, 2, 3, 1).reshape(batch * heads, -1, *size)
    grid = (2 * locations - 1).transpose(1, 2).flatten(0, 1)
    shares = weights.transpose(1, 2).reshape(batch * heads, 1, count, points)
    samples = (
        grid_sample(maps, grid[:, :, point : point + 1], align_corners=False)[..., 0] * shares[..., point]
        for point in range(points)
    )
    summed = sum(samples, torch.zeros((), dtype=maps.dtype, device=maps.device))
    return summed.view(batch, -1, count).transpose(1, 2)
