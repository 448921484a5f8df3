"""Outputs of imaginary networks, and the label map's definition written down plainly in float64."""

from collections.abc import Callable

import numpy as np
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vsscli.infer.semantic import label_map_from_queries

Scores = NDArray[np.float64]
Size = tuple[int, int]
Make = Callable[..., tuple[Tensor, Tensor]]

#: coarse, padded, network, out: as the published models meet them (by a half or a third where that saves time).
GEOMETRIES: dict[str, tuple[Size, Size, Size, Size]] = {
    "480p, padded": ((120, 216), (480, 864), (480, 853), (480, 853)),
    "odd, resized": ((120, 216), (480, 864), (479, 853), (480, 854)),
    "portrait": ((108, 64), (432, 256), (427, 240), (427, 240)),
    "720 to 480": ((184, 320), (736, 1280), (720, 1280), (480, 853)),
    "1.2 times": ((112, 192), (448, 768), (432, 768), (240, 427)),
    "small network": ((24, 40), (96, 160), (96, 160), (480, 853)),
    "stride 8, odd stride": ((30, 45), (240, 317), (233, 317), (233, 400)),
    "shrunk much": ((60, 108), (240, 432), (240, 427), (50, 70)),
}

SMALL, PADDED, FRAME = (24, 40), (96, 160), (90, 157)


def bilinear(source: int, target: int) -> Scores:
    """A resize of one axis as a matrix [target, source]: each target reads a tent around its place."""
    place = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    tents: Scores = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(source)))
    return tents


def resize(x: Scores, size: Size) -> Scores:
    """The last two axes resized."""
    return bilinear(x.shape[-2], size[0]) @ x @ bilinear(x.shape[-1], size[1]).T


def query_scores(prob: Tensor, logits: Tensor, padded: Size, network: Size, out: Size) -> Scores:
    """Class scores [K, H, W] as defined."""
    at_network = resize(logits.double().numpy(), padded)[:, : network[0], : network[1]]
    masks = np.exp(-np.logaddexp(0.0, -at_network))
    if network != out:
        masks = resize(masks, out)
    scores: Scores = np.tensordot(prob.double().numpy().T, masks, 1)
    return scores


def logit_scores(logits: Tensor, padded: Size, network: Size, out: Size) -> Scores:
    """Class scores [K, H, W] as defined."""
    values = logits.double().numpy()
    if padded == network:
        return resize(values, out)
    return resize(resize(values, padded)[:, : network[0], : network[1]], out)


def assert_best(labels: Tensor, scores: Scores, *, equal_share: float = 0.9999, tie: float = 1e-11) -> None:
    """The labels are the scores' argmax: on ``equal_share`` of the pixels and wherever the lead exceeds ``tie``.

    Elsewhere the label's score is within ``tie`` of the best.
    """
    assert labels.dtype == torch.uint8
    assert tuple(labels.shape) == scores.shape[1:]
    chosen = labels.numpy()
    best = scores.max(0)
    short = best - np.take_along_axis(scores, chosen[None].astype(np.int64), 0)[0]
    assert short.max() <= tie * max(1.0, float(np.abs(scores).max()))
    assert (chosen == scores.argmax(0)).mean() >= equal_share


def smooth(random: torch.Generator, count: int, size: Size, cell: int) -> Tensor:
    """Fields [count, h, w] that change over about ``cell`` positions."""
    coarse = torch.randn(count, 1, size[0] // cell + 3, size[1] // cell + 3, generator=random)
    return functional.interpolate(coarse, size=size, mode="bicubic", align_corners=True)[:, 0]


def noise_like(queries: int, classes: int, size: Size, seed: int = 0) -> tuple[Tensor, Tensor]:
    """What a network with random weights answers: flat class distributions, rough masks that are never sure."""
    random = torch.Generator().manual_seed(seed)
    logits = 1.5 * torch.randn(queries, *size, generator=random) + smooth(random, queries, size, 8)
    prob = torch.softmax(0.5 * torch.randn(queries, classes + 1, generator=random), -1)[:, :-1]
    return prob.contiguous(), logits


def trained_like(queries: int, classes: int, size: Size, segments: int = 15, seed: int = 0) -> tuple[Tensor, Tensor]:
    """What a trained network answers: segments that share the frame, each with a sure query, and left-over queries.

    Logits reach about +-10 within a few cells of an outline. A quarter of the sure queries waver between two
    classes. Of the left-over queries, mostly "no object", a third are low everywhere, a third repeat a segment, and
    a third are blobs anywhere.
    """
    random = torch.Generator().manual_seed(seed)
    segments = min(segments, queries, classes)
    field = smooth(random, segments, size, 24) + 0.15 * smooth(random, segments, size, 8)
    names = torch.randperm(classes, generator=random)
    prob = torch.rand(queries, classes, generator=random) ** 20 + 1e-9
    prob /= prob.sum(1, keepdim=True)
    logits = torch.empty(queries, *size)
    for q in range(queries):
        rough = smooth(random, 1, size, 6)[0]
        owner = q % segments
        if q < segments:
            others = field.clone()
            others[q] = -torch.inf
            lead = field[q] - others.amax(0) if segments > 1 else field[q]
            logits[q] = (25 * lead).clamp(-9, 9) + 0.7 * rough
            sure = 0.55 if q % 4 == 3 else 0.9
            prob[q] *= 0.3 * (0.97 - sure)
            prob[q, names[owner]] += sure
            prob[q, names[(owner + 1) % classes]] += 0.7 * (0.97 - sure)
            continue
        kind = q % 3
        prob[q] *= 0.06 * torch.rand(1, generator=random)
        if kind == 0:
            logits[q] = 1.5 * smooth(random, 1, size, 12)[0] - 7
        elif kind == 1:
            logits[q] = 0.8 * logits[owner] - 1 + rough
            prob[q, names[owner]] += 0.03
        else:
            logits[q] = 5 * smooth(random, 1, size, 16)[0] - 2
    return prob, logits


def with_rivals(prob: Tensor, ulps: int) -> Tensor:
    """Every class twice, [Q, 2 K]: the second of each pair above the first by ``ulps`` units in the last place."""
    rivals = prob.clone()
    for _ in range(ulps):
        rivals = torch.nextafter(rivals, torch.tensor(2.0))
    return torch.stack([prob, rivals], -1).flatten(1).contiguous()


@st.composite
def sizes(draw: st.DrawFn) -> tuple[Size, Size, Size, Size]:
    """Any coarse, padded, network and out sizes; the frame has the network's size in half of the cases."""
    coarse = (draw(st.integers(1, 14)), draw(st.integers(1, 14)))
    padded = (draw(st.integers(1, 60)), draw(st.integers(1, 60)))
    if draw(st.booleans()):
        padded = (4 * coarse[0], 4 * coarse[1])
    network = (draw(st.integers(1, padded[0])), draw(st.integers(1, padded[1])))
    out = network if draw(st.booleans()) else (draw(st.integers(1, 70)), draw(st.integers(1, 70)))
    return coarse, padded, network, out


def label(prob: Tensor, logits: Tensor, ids: Tensor | None = None, prune: bool | None = None) -> Tensor:
    """The label map of a small frame."""
    return label_map_from_queries(prob, logits, padded=PADDED, network=FRAME, out=FRAME, ids=ids, prune=prune)


def true_scores(prob: Tensor, logits: Tensor) -> Scores:
    return query_scores(prob, logits, PADDED, FRAME, FRAME)
