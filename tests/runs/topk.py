"""Class scores made by hand."""

import numpy as np

from vsscli.runs.scores import TopK, cells_read


def make_topk(
    random: np.random.Generator, k: int, frame: tuple[int, int] = (4, 6), classes: int = 9, flip: bool = False
) -> TopK:
    """Random scores of a frame whose network saw it enlarged by two, padded, at stride 4."""
    network = (2 * frame[0], 2 * frame[1])
    padded = (-(-network[0] // 8) * 8, -(-network[1] // 8) * 8)
    grid = (padded[0] // 4, padded[1] // 4)
    h, w = (cells_read(grid[i], padded[i], network[i]) for i in (0, 1))
    scores = random.random((classes, h, w)) ** 3
    order = np.argsort(-scores, axis=0, kind="stable")[:k]
    shares = np.take_along_axis(scores / scores.sum(0), order, 0)
    sizes = np.array([grid, padded, network, frame], np.int32)
    return TopK(order.astype(np.uint8), (shares * 65535 + 0.5).astype(np.uint16), sizes, flip)
