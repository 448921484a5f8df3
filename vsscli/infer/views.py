"""Views: the sizes and mirrorings under which a network sees a video (test-time augmentation)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vsscli.errors import OptionError
from vsscli.maps import geometry


@dataclass(frozen=True)
class View:
    """One way of showing frames to a network.

    ``short`` and ``cap`` are the network's short side and long-side cap in pixels, already multiplied by ``scale``;
    ``short`` None means the frame's own size times ``scale``, without a cap.
    """

    scale: float
    flip: bool
    short: int | None
    cap: int | None

    @property
    def name(self) -> str:
        """``1.0``, ``0.9f``: the folder of the view."""
        return f"{self.scale}{'f' if self.flip else ''}"

    def describe(self) -> Mapping[str, Any]:
        """As it stands in ``run.json``, from where a vote ranks its runs."""
        return {"scale": self.scale, "flip": self.flip, "short": self.short, "cap": self.cap}

    def network_size(self, frame: tuple[int, int]) -> tuple[int, int]:
        """The size (H, W) to which a frame of that size is resized."""
        if self.short is None:
            return max(int(frame[0] * self.scale + 0.5), 1), max(int(frame[1] * self.scale + 0.5), 1)
        return geometry.network_size(*frame, self.short, self.cap)


def parse_scales(text: str) -> tuple[float, ...]:
    """``0.9,1.0,1.1`` as numbers in the order given; OptionError for what is no scale or stands twice."""
    try:
        scales = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise OptionError(
            f"--scales {text!r} is not a list of numbers.", "For example --scales 0.9,1.0,1.1,1.2."
        ) from None
    for scale in scales:
        if not 0.1 <= scale <= 10:
            raise OptionError(
                f"--scales: {scale:g} is no scale.", "Scales lie between 0.1 and 10; 1.0 is the test size."
            )
    if len(set(scales)) < len(scales):
        raise OptionError(f"--scales {text} names a scale twice: two equal views would vote as one model's two votes.")
    return scales


def parse_size(text: str) -> int | None:
    """``--size``: a short side in pixels, or None for ``native``; OptionError otherwise."""
    if text == "native":
        return None
    if not (text.isascii() and text.isdigit()) or not 16 <= int(text) <= 8192:
        raise OptionError(f"--size {text!r} is neither a short side in pixels (16 to 8192) nor 'native'.")
    return int(text)


def make_views(scales: tuple[float, ...], flip: bool, short: int | None, cap: int | None) -> tuple[View, ...]:
    """Every scale, unflipped and (with ``flip``) flipped.

    A scale multiplies the short side and the cap, rounded half up: else the cap would make scales above 1 of a wide
    video one and the same input. Raises OptionError when two views would have the same input size.
    """
    views = []
    for scale in scales:
        sides = None if short is None else int(scale * short + 0.5), None if cap is None else int(scale * cap + 0.5)
        views += [View(scale, flipped, *sides) for flipped in ((False, True) if flip else (False,))]
    if short is not None and len({(v.short, v.flip) for v in views}) < len(views):
        raise OptionError(f"--scales: two of {', '.join(map(str, scales))} give the same input size at --size {short}.")
    return tuple(views)
