"""Multi-scale deformable attention on a CPU, without any intermediate tensor."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsscli.maps.compiled import compiled


def sample_levels(value: Tensor, shapes: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor) -> Tensor:
    """The weighted sum of bilinear samples of Deformable DETR (Zhu et al. 2021, equation 3).

    ``value`` is float32 [B, sum of h*w, heads, D], the levels of sizes ``shapes`` (h, w) one after the other;
    ``locations`` [B, N, heads, levels, points, 2] are (x, y) in 0..1 of each level; ``weights`` [B, N, heads, levels,
    points]. Returns [B, N, heads * D]. Outside a level there are zeros. On the CPU, without gradients.
    """
    batch, _, heads, dim = value.shape
    count = locations.shape[1]
    summed = np.zeros((batch, count, heads, dim), np.float32)
    values, places, shares = (tensor.detach().contiguous().numpy() for tensor in (value, locations, weights))
    _sample(values, places, shares, np.array(shapes, np.int64), summed)
    return torch.from_numpy(summed).view(batch, count, heads * dim)


@compiled
def _sample(
    value: NDArray[np.float32],
    locations: NDArray[np.float32],
    weights: NDArray[np.float32],
    shapes: NDArray[np.int64],
    summed: NDArray[np.float32],
) -> None:
    """Adds each sample's four neighbours to its place in ``summed`` [B, N, heads, D]: nothing in between is stored."""
    batch, count, heads, levels, points = weights.shape
    dim = value.shape[3]
    for b in range(batch):
        for n in range(count):
            for head in range(heads):
                total = summed[b, n, head]
                start = 0
                for level in range(levels):
                    height, width = shapes[level, 0], shapes[level, 1]
                    for point in range(points):
                        x = locations[b, n, head, level, point, 0] * np.float32(width) - np.float32(0.5)
                        y = locations[b, n, head, level, point, 1] * np.float32(height) - np.float32(0.5)
                        if not (x > -1 and x < width and y > -1 and y < height):
                            if np.isnan(x) or np.isnan(y):  # what is broken must show
                                total[:] = np.float32(np.nan)
                            continue
                        share = weights[b, n, head, level, point]
                        left, top = int(np.floor(x)), int(np.floor(y))
                        right_part, low_part = x - np.float32(left), y - np.float32(top)
                        for row in range(max(top, 0), min(top + 2, height)):
                            by_row = share * (low_part if row > top else np.float32(1) - low_part)
                            for column in range(max(left, 0), min(left + 2, width)):
                                by = by_row * (right_part if column > left else np.float32(1) - right_part)
                                source = value[b, start + row * width + column, head]
                                for d in range(dim):
                                    total[d] += by * source[d]
                    start += height * width


def use_fast_sampling(modeling: ModuleType) -> None:
    """Lets a modeling module of ``transformers`` sample with `sample_levels` where that is possible.

    On a CPU, in float32 and without gradients; everything else takes the module's own way.
    """
    stock = modeling.multi_scale_deformable_attention
    if stock.__module__ == __name__:
        return

    def sample(
        value: Tensor, value_spatial_shapes: Any, sampling_locations: Tensor, attention_weights: Tensor
    ) -> Tensor:
        plain = value.device.type == "cpu" and value.dtype == torch.float32 and not torch.is_grad_enabled()
        if not plain:
            found: Tensor = stock(value, value_spatial_shapes, sampling_locations, attention_weights)
            return found
        shapes = [(int(h), int(w)) for h, w in value_spatial_shapes]
        return sample_levels(value, shapes, sampling_locations, attention_weights)

    modeling.multi_scale_deformable_attention = sample  # type: ignore[attr-defined]
