"""The motion network of MPVSS: one flow for every query, from two frames and the queries of the key frame."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu
from transformers.models.mask2former.modeling_mask2former import Mask2FormerSinePositionEmbedding

from vsscli.models.dvis.blocks import Attention, FeedForward, Mlp
from vsscli.models.mpvss.config import MotionConfig
from vsscli.models.mpvss.encoder import SLOPE, Encoder

_LEVELS = 3


class Motion(nn.Module):
    """Weng et al. 2023, "Mask Propagation for Efficient Video Semantic Segmentation".

    ``width`` C is the width of the ``queries`` Q of the segmenter. Maps below are at strides of the encoder's input,
    whose sides are half of the network's. The flow is one of the whole picture and one of each query, fused.
    """

    def __init__(self, config: MotionConfig, width: int, queries: int) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.talk = Conversation(config, width, queries)
        self.expansion = Expansion(config, width)
        self.norm = nn.LayerNorm(width)
        self.query_embeds = Mlp(width, config.hidden, width)
        self.motion_map = Mlp(config.widths[1], config.hidden, 2 * width)
        self.fuse = nn.Conv2d(4, 2, 3, padding=1)
        # The training begins with a still flow of (1, 1), as the authors' does.
        nn.init.zeros_(self.fuse.weight)
        nn.init.ones_(self.fuse.bias)  # type: ignore[arg-type]

    def forward(self, frames: Tensor, keys: Tensor, queries: Tensor) -> Tensor:
        """The flow [B, Q, 2, h/4, w/4] from frames back to their key frames, (x, y) in its own pixels.

        ``frames`` and ``keys`` are [B, 3, h, w] (`vsscli.models.mpvss.encoder.flow_image`), ``queries`` [B, Q, C] those
        of the key frames after the segmenter's last norm. Gradients pass.
        """
        maps = self.encoder(frames, keys)
        queries, tokens = self.talk(queries, maps[:1:-1])
        pixel = self.expansion(tokens, maps[1::-1])
        return self.join(pixel, self.query_flow(queries, maps[0]))

    def query_flow(self, queries: Tensor, fine: Tensor) -> Tensor:
        """The flow of each query [B, Q, 2, h, w] by its likeness to a motion map of ``fine`` [B, C', h, w]."""
        motion = self.motion_map(fine.flatten(2).transpose(1, 2)).transpose(1, 2)
        embeds = self.query_embeds(self.norm(queries))
        down, across = motion.chunk(2, 1)  # the first half tells y, the second x
        flow = torch.stack([embeds @ across, embeds @ down], 2)
        return flow.reshape(*flow.shape[:3], *fine.shape[2:])

    def join(self, pixel: Tensor, query: Tensor) -> Tensor:
        """One convolution over both flows: [B, 2, h, w] of all and [B, Q, 2, h, w] of each query -> [B, Q, 2, h, w].

        What it does to the flow of all is done once, not for every query.
        """
        weight, bias = self.fuse.weight, self.fuse.bias
        whole = conv2d(pixel, weight[:, :2], bias, padding=1)
        each = conv2d(query.flatten(0, 1), weight[:, 2:], padding=1)
        return each.reshape(query.shape) + whole[:, None]


class Conversation(nn.Module):
    """Queries and the places of one level after the other attend to each other, coarse levels first, round and round.

    As published, positions and level and query embeddings are added to what flows on, at every layer anew.
    """

    def __init__(self, config: MotionConfig, width: int, queries: int) -> None:
        super().__init__()
        self.projections = nn.ModuleList([nn.Conv2d(c, width, 1) for c in config.widths[: -_LEVELS - 1 : -1]])
        self.level_embed = nn.Embedding(_LEVELS, width)
        self.query_embed = nn.Embedding(queries, width)
        self.position = Mask2FormerSinePositionEmbedding(num_position_features=width // 2, normalize=True)
        self.attention = nn.ModuleList([Attention(width, config.heads) for _ in range(config.layers)])
        self.feed_forward = nn.ModuleList([FeedForward(width, config.ffn) for _ in range(config.layers)])

    def forward(self, queries: Tensor, maps: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """``queries`` [B, Q, C] and the three coarsest ``maps`` of the encoder, all C channels wide, after the talk."""
        tokens, places = [], []
        for projection, each, level in zip(self.projections, maps, self.level_embed.weight, strict=True):
            token = projection(each) + level[:, None, None]
            tokens.append(token.flatten(2).transpose(1, 2))
            place = self.position((1, *token.shape[1:]), token.device, torch.float32)
            places.append(place.flatten(2).transpose(1, 2))
        for i, (attention, feed_forward) in enumerate(zip(self.attention, self.feed_forward, strict=True)):
            turn = i % len(tokens)
            x = torch.cat([queries + self.query_embed.weight, tokens[turn] + places[turn]], 1)
            x = feed_forward(attention(x, x, x))
            queries, tokens[turn] = x[:, : queries.shape[1]], x[:, queries.shape[1] :]
        whole = [t.transpose(1, 2).reshape(*t.shape[::2], *m.shape[2:]) for t, m in zip(tokens, maps, strict=True)]
        return queries, whole


class Expansion(nn.Module):
    """FlowNet's way back from coarse to fine: a flow at each level, which helps the next."""

    def __init__(self, config: MotionConfig, width: int) -> None:
        super().__init__()
        skips = (width, width, config.widths[2], config.widths[1])
        inner = [width, *(skip + growth + 2 for skip, growth in zip(skips, config.growth, strict=True))]
        self.flows = nn.ModuleList([nn.Conv2d(channels, 2, 3, padding=1, bias=False) for channels in inner])
        self.enlarge = nn.ModuleList([_twice(2, 2) for _ in skips])
        self.grow = nn.ModuleList([_twice(*sizes) for sizes in zip(inner, config.growth, strict=False)])

    def forward(self, tokens: Sequence[Tensor], fine: Sequence[Tensor]) -> Tensor:
        """The flow [B, 2, h, w] of ``tokens`` (three maps, coarse first) and the two finest maps (the finer last)."""
        x, *skips = *tokens, *fine
        for flow, enlarge, grow, skip in zip(self.flows, self.enlarge, self.grow, skips, strict=False):
            height, width = skip.shape[2:]
            grown, flowing = leaky_relu(grow(x), SLOPE), enlarge(flow(x))
            x = torch.cat([skip, grown[..., :height, :width], flowing[..., :height, :width]], 1)
        found: Tensor = self.flows[-1](x)
        return found


def _twice(channels: int, out: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1, bias=False)
