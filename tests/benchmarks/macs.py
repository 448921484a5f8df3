"""Multiply-adds, counted by torch."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def count_macs(work: Callable[[], Any]) -> int:
    """Multiply-adds of the convolutions and matrix products in ``work``, those of attention with them.

    Not counted: sums of samples (deformable attention, warps, resizing), norms, and whatever is not torch's. On a CPU
    torch has no count for its fused attention, so attention is computed in its plain form here.
    """
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops()) // 2
