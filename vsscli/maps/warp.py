"""Carrying label maps along optical flow."""

import numpy as np
from numpy.typing import NDArray

from vsscli.maps.compiled import compiled
from vsscli.maps.confusion import flat


def flow_sources(flow: NDArray[np.float32]) -> NDArray[np.int32]:
    """The pixel nearest to (x + dx, y + dy) for ``flow``, ``float32 [H, W, 2]``: ``int32 [H, W]``, its place y * W + x.

    -1 where that is outside the frame (or the flow is no number). Half a pixel rounds up. The same for every label map
    of the frame: see `warp`.
    """
    sources = np.empty(flow.shape[:2], np.int32)
    _sources(np.ascontiguousarray(flow), sources)
    return sources


def warp(labels: NDArray[np.uint8], sources: NDArray[np.int32]) -> NDArray[np.uint8]:
    """``labels``, ``uint8 [H, W]``, sampled at ``sources`` (see `flow_sources`); 0 where those are outside.

    Raises ValueError when the sizes differ.
    """
    if labels.shape != sources.shape:
        raise ValueError(f"labels are {labels.shape}, sources are {sources.shape}")
    warped = np.empty(labels.shape, np.uint8)
    _gather(flat(labels), sources.reshape(-1), warped.reshape(-1))
    return warped


@compiled
def _sources(flow: NDArray[np.float32], sources: NDArray[np.int32]) -> None:
    height, width = sources.shape
    for y in range(height):
        for x in range(width):
            column = np.floor(np.float64(flow[y, x, 0]) + x + 0.5)
            row = np.floor(np.float64(flow[y, x, 1]) + y + 0.5)
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)  # not so for what is no number
            sources[y, x] = np.int32(row) * np.int32(width) + np.int32(column) if inside else np.int32(-1)


@compiled
def _gather(labels: NDArray[np.uint8], sources: NDArray[np.int32], warped: NDArray[np.uint8]) -> None:
    for i in range(sources.size):
        warped[i] = labels[sources[i]] if sources[i] >= 0 else np.uint8(0)
