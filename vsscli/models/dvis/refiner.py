"""The temporal refiner of DVIS++: it sees a whole video's queries at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from vsscli.models.dvis.blocks import Attention, FeedForward, Mlp
from vsscli.models.dvis.config import DvisConfig

#: How many numbers (queries x frames x channels) are worked on at a time; intermediate results are a few times that.
PART = 1 << 22


@dataclass(frozen=True)
class Refined:
    """A whole video: ``class_logits`` [Q, K + 1], one for each query; ``mask_embeds`` [T, Q, C], to be multiplied with
    the segmenter's own mask features; ``embeds`` [T, Q, D] after the last norm.
    """

    class_logits: Tensor
    mask_embeds: Tensor
    embeds: Tensor


class ShortTerm(nn.Module):
    """``LN(x + conv3(relu(conv5(x))))`` along the second axis of [B, T, D], the ends repeated."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(dim, dim, 5, padding="same", padding_mode="replicate")
        self.conv2 = nn.Conv1d(dim, dim, 3, padding="same", padding_mode="replicate")
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(x + self.conv2(relu(self.conv1(x.transpose(1, 2)))).transpose(1, 2))
        return found


class RefinerLayer(nn.Module):
    """Over time for each query, then over the queries of each frame, then to what the segmenter found there."""

    def __init__(self, dim: int, heads: int, ffn: int) -> None:
        super().__init__()
        self.time = Attention(dim, heads)
        self.short = ShortTerm(dim)
        self.itself = Attention(dim, heads)
        self.cross = Attention(dim, heads)
        self.ffn = FeedForward(dim, ffn)

    def over_time(self, x: Tensor) -> Tensor:
        """Some queries, [q, T, D] to [q, T, D]."""
        found: Tensor = self.short(self.time(x, x, x))
        return found

    def over_queries(self, x: Tensor, raw: Tensor) -> Tensor:
        """Some frames, [t, Q, D] and the segmenter's content of them, to [t, Q, D]."""
        x = self.itself(x, x, x)
        found: Tensor = self.ffn(self.cross(x, x, raw))
        return found


class Refiner(nn.Module):
    """The network. ``part`` bounds its memory (`PART`) and changes nothing else."""

    def __init__(self, config: DvisConfig, part: int = PART) -> None:
        super().__init__()
        head, dim = config.refiner, config.head_width
        assert head is not None
        self.part = part
        self.layers = nn.ModuleList([RefinerLayer(dim, head.heads, head.ffn) for _ in range(head.layers)])
        self.norm = nn.LayerNorm(dim)
        self.time_weight = nn.Linear(dim, 1)
        self.classes = nn.Linear(dim, len(config.labels) + 1)
        self.masks = Mlp(dim, dim, config.width)

    def forward(self, embeds: Tensor, raw: Tensor) -> Refined:
        """A video of T frames: ``embeds`` [T, Q, D] are the tracker's (`Tracked.embeds`), ``raw`` [T, Q, D] the
        segmenter's in each frame's own order (`Segmented.raw`).

        Without gradients it holds one copy of ``embeds`` besides its results, and a few `PART`.
        """
        *_, x = self.layer_states(embeds, raw)
        return self.predict(x)

    def layer_states(self, embeds: Tensor, raw: Tensor) -> Iterator[Tensor]:
        """The queries [T, Q, D] after each layer; without gradients, each is the one before it, changed."""
        x = embeds.clone()
        few_queries, few_frames = self._few(x)
        for layer in self.layers:
            assert isinstance(layer, RefinerLayer)
            x = _by_parts(layer.over_time, few_queries, x.transpose(0, 1)).transpose(0, 1)
            x = _by_parts(layer.over_queries, few_frames, x, raw)
            yield x

    def predict(self, x: Tensor) -> Refined:
        """What the queries [T, Q, D] after a layer say; without gradients, ``x`` is changed."""
        few_queries, few_frames = self._few(x)
        x = _by_parts(self.norm, few_frames, x)
        mask_embeds = torch.cat([self.masks(part) for part in torch.split(x, few_frames)])
        pooled = torch.cat([self._pool(part) for part in torch.split(x, few_queries, 1)])
        return Refined(self.classes(pooled), mask_embeds, x)

    def _few(self, x: Tensor) -> tuple[int, int]:
        """How many queries, and how many frames, of [T, Q, D] are worked on at a time."""
        frames, queries, dim = x.shape
        return max(1, self.part // (frames * dim)), max(1, self.part // (queries * dim))

    def _pool(self, x: Tensor) -> Tensor:
        """The mean over time of [T, q, D], weighted by what the network finds telling: [q, D]."""
        weights: Tensor = self.time_weight(x).float().softmax(0)
        return (weights * x).sum(0)


def _by_parts(function: Callable[..., Tensor], count: int, x: Tensor, *others: Tensor) -> Tensor:
    """``function`` of ``count`` rows of ``x`` (and ``others``) at a time; without gradients, ``x`` itself changes."""
    parts = zip(*(torch.split(tensor, count) for tensor in (x, *others)), strict=True)
    if torch.is_grad_enabled():
        return torch.cat([function(*part) for part in parts])
    for part in parts:
        part[0].copy_(function(*part))
    return x
