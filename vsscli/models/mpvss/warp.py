"""Masks along a flow, with the exact grid of the published code."""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate


def warp_masks(masks: Tensor, flow: Tensor) -> Tensor:
    """Mask logits [N, ..., h, w] of a key frame, sampled where ``flow`` [N, 2, h', w'] says that each pixel was.

    The flow is (x, y) in its own pixels; it is enlarged to the masks' size, and its values with it. Outside, the border
    goes on. Gradients pass.

    The grid is mmtracking's: positions over width and height, where the sampling that follows expects them over one
    less. So a flow of zero is not the identity: it draws the picture towards the upper left, by one pixel of the mask
    at the far edge. Trained flows make up for it.
    """
    height, width = masks.shape[-2:]
    scale = width / flow.shape[3]
    flow = interpolate(flow, (height, width), mode="bilinear", align_corners=False) * scale
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None]
    grid = torch.stack([(columns + flow[:, 0]) / width, (rows + flow[:, 1]) / height], -1) * 2 - 1
    layers = masks.reshape(len(masks), -1, height, width)
    sampled = grid_sample(layers, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return sampled.reshape(masks.shape)
