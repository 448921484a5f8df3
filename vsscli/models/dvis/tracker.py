"""The referring tracker of DVIS++: it follows each query from frame to frame, one frame at a time."""

from dataclasses import dataclass
from typing import Protocol

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn.functional import conv2d

from vsscli.models.dvis.blocks import Attention, FeedForward, Mlp
from vsscli.models.dvis.config import DvisConfig


class TrackerInput(Protocol):
    """What the tracker reads of a frame (`vsscli.models.dvis.segmenter.Segmented` has it)."""

    @property
    def normed(self) -> Tensor:
        """[Q, D] embeddings for the matching."""

    @property
    def raw(self) -> Tensor:
        """[Q, D] embeddings for the content."""


@dataclass(frozen=True)
class TrackerState:
    """What the tracker carries to the next frame: its last output and the matching embeddings it followed, [Q, D]."""

    out: Tensor
    emb: Tensor


@dataclass(frozen=True)
class Tracked:
    """One frame, its queries in the order of the video's first frame.

    ``embeds`` [Q, D] is the last layer's output before its norm, which the refiner reads; ``class_logits`` [Q, K + 1];
    ``mask_embeds`` [Q, C] belong on the projected mask features (`Tracker.project`); ``order`` (int64 [Q]) tells for
    each query its place in the frame's own order.
    """

    embeds: Tensor
    class_logits: Tensor
    mask_embeds: Tensor
    order: Tensor


class TrackerLayer(nn.Module):
    """Cross-attention to the frame's queries, self-attention, feed-forward."""

    def __init__(self, dim: int, heads: int, ffn: int) -> None:
        super().__init__()
        self.cross = Attention(dim, heads)
        self.itself = Attention(dim, heads)
        self.ffn = FeedForward(dim, ffn)

    def forward(self, x: Tensor, query: Tensor, context: Tensor) -> Tensor:
        """[B, Q, D] each; the residual of the cross-attention is ``x``, not ``query``."""
        x = self.cross(x, query, context)
        found: Tensor = self.ffn(self.itself(x, x, x))
        return found


class Tracker(nn.Module):
    """The network; nothing of a video is kept in it, so threads may use it at the same time."""

    def __init__(self, config: DvisConfig) -> None:
        super().__init__()
        head, dim, width = config.tracker, config.head_width, config.width
        assert head is not None
        self.layers = nn.ModuleList([TrackerLayer(dim, head.heads, head.ffn) for _ in range(head.layers)])
        self.norm = nn.LayerNorm(dim)
        self.reference = Mlp(dim, dim, dim)
        self.classes = nn.Linear(2 * dim, len(config.labels) + 1)
        self.masks = Mlp(dim, dim, width)
        self.features = nn.Conv2d(width, width, 1)

    def step(self, state: TrackerState | None, frame: TrackerInput) -> tuple[Tracked, TrackerState]:
        """The next frame of a video; ``state`` is what the last step gave, None where the video starts.

        The frame's queries are aligned with the last frame's, then refined by layers that ask with the last output. On
        the first frame there is none: the first layer asks with the frame's own queries, each other with what the one
        before it found.
        """
        before = frame.normed if state is None else state.emb
        order = match(before, frame.normed)
        reference, *states = self.layer_states(state, frame.raw, frame.raw[order])
        class_logits, mask_embeds = self.predict(reference, states[-1])
        return Tracked(states[-1], class_logits, mask_embeds, order), TrackerState(states[-1], frame.normed[order])

    def layer_states(self, state: TrackerState | None, content: Tensor, start: Tensor) -> list[Tensor]:
        """The reference that the class head reads, then the queries after each layer, [Q, D] each.

        ``content`` is the frame's in its own order, ``start`` what the queries are before the first layer.
        """
        first = state is None
        content, x = content[None], start[None]
        reference = self.reference(content if state is None else state.out[None])
        states = [reference[0]]
        for i, layer in enumerate(self.layers):
            x = layer(x, self.reference(x) if first and i else reference, content)
            states.append(x[0])
        return states

    def predict(self, reference: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Class logits [Q, K + 1] and mask embeddings [Q, C] of queries after a layer, [Q, D]."""
        decoded = self.norm(x)
        return self.classes(torch.cat([reference, decoded], -1)), self.masks(decoded)

    def project(self, mask_features: Tensor) -> Tensor:
        """The mask features [..., C, h, w] as the tracker's mask embeddings expect them, of the same shape."""
        flat = mask_features.reshape(-1, *mask_features.shape[-3:])
        return conv2d(flat, self.features.weight, self.features.bias).reshape(mask_features.shape)


def match(before: Tensor, now: Tensor) -> Tensor:
    """For each row of ``before`` [Q, D] the row of ``now`` [Q, D] it becomes: int64 [Q], a permutation.

    The assignment with the smallest sum of cosine distances (Hungarian algorithm), in float32 whatever the rest is.
    """
    with torch.no_grad(), torch.autocast(now.device.type, enabled=False):
        rows, columns = (x.float() / (x.float().norm(dim=1, keepdim=True) + 1e-6) for x in (before, now))
        cost = (1 - rows @ columns.T).nan_to_num(0.0)
        order = linear_sum_assignment(cost.double().cpu().numpy())[1]
        return torch.from_numpy(order).to(now.device)
