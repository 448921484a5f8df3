"""What is asked of `infer`. Imports nothing heavy: the command line fills it in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """What the user asked of `infer`, as typed."""

    model: str
    size: str | None = None
    scales: str = "1.0"
    flip: bool = False
    class_map: str | None = None
    dtype: str = "auto"
    batch: int | None = None
    keep_views: bool = False
    keep_topk: int | None = None
    causal: bool = False
    key_interval: int | None = None
    propagate: str | None = None
