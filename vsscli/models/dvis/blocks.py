"""The blocks that tracker and refiner are made of: post-norm, without dropout and positions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, relu, scaled_dot_product_attention


def attend(projected: Sequence[Tensor], heads: int, allowed: Tensor | None = None) -> Tensor:
    """Attention in ``heads`` heads of projected queries [B, L, D], keys and values [B, S, D]: [B, L, D].

    ``allowed`` (bool [B, 1, L, S], optional) tells what a query may look at. The output projection comes after it.
    """
    query, key, value = (x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in projected)
    return scaled_dot_product_attention(query, key, value, attn_mask=allowed).transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """``LN(x + attention)``, queries, keys and values projected by one packed matrix as in `nn.MultiheadAttention`."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(dim, 3 * dim)
        self.out_proj = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, query: Tensor, context: Tensor) -> Tensor:
        """``x`` and ``query`` [B, L, D], ``context`` (keys and values) [B, S, D]; the residual is ``x``: [B, L, D]."""
        dim = x.shape[-1]
        weight, bias = self.in_proj.weight, self.in_proj.bias
        q = linear(query, weight[:dim], bias[:dim])
        k, v = linear(context, weight[dim:], bias[dim:]).chunk(2, -1)
        found: Tensor = self.norm(x + self.out_proj(attend((q, k, v), self.heads)))
        return found


class FeedForward(nn.Module):
    """``LN(x + W2 relu(W1 x))`` on [..., D]."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(x + self.linear2(relu(self.linear1(x))))
        return found


class Mlp(nn.Module):
    """Three linear layers with ReLU between them, ``hidden`` channels inside."""

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(dim, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, out)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = relu(layer(x))
        found: Tensor = self.layers[-1](x)
        return found


def masks(embeds: Tensor, features: Tensor) -> Tensor:
    """Mask logits [..., Q, h, w] of mask embeddings [..., Q, C] on mask features [..., C, h, w]."""
    return torch.einsum("...qc,...chw->...qhw", embeds, features)
