"""How far computed scores may lie from the true ones."""

import torch

from vsscli.errors import NotFiniteError

SINGLE = 2.0**-24
DOUBLE = 2.0**-53
"""Unit rounding errors."""


def single_products() -> float:
    """The unit rounding error of fp32 matrix products as the process has set them up.

    Where faster, coarser matrix products are allowed (TF32, bfloat16) or cannot be ruled out, theirs.
    """
    try:
        full = torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:
        # torch refuses to answer when its old and its new switches were both used
        full = False
    return SINGLE if full else 2.0**-8


def query_slack(unit: float, largest: float, mass: float, queries: int) -> float:
    """The margin beyond which one class surely beats another.

    With unit error u and logits of magnitude up to ``largest`` (Z), four interpolations, a sigmoid of slope <= 1/4
    and a sum over ``queries`` (Q) terms leave an error of at most u * mass * (3 Z + 18 + Q), where ``mass`` is the
    largest sum over the queries of one class's probability; two scores may err in opposite directions.
    """
    return 2.0 * unit * mass * (4.0 * largest + 20.0 + queries)


def logit_slack(unit: float, largest: float) -> float:
    """The same for plain logits: four interpolations err by at most 24 u Z."""
    return 2.0 * unit * 28.0 * largest


def check_finite(what: str, *values: float) -> None:
    """Raises NotFiniteError unless every value is finite."""
    if not all(-float("inf") < value < float("inf") for value in values):
        raise NotFiniteError(
            f"The network's {what} hold values that are not finite.",
            "If it ran in half precision, run it with --dtype fp32; if not, its weights are broken.",
        )
