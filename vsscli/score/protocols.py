"""The protocols: how public evaluations turn label maps into numbers. Each is a rule over any class table.

They agree on the confusion counts: pixels whose truth is a class (void truth is left out), all frames of all videos
added up. They differ in which videos enter, over which classes IoU is averaged, and in the windows of video
consistency (VC). A video of T frames has T - n windows of n frames: the last one is never looked at, and a video
of n frames or fewer has none. A window's value is |constant in truth and in prediction| / |constant in truth|;
VC is the mean over all windows of all videos, without those in which no pixel of the truth is constant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vsscli.errors import OptionError

#: The window lengths every result has.
STANDARD = (8, 16)


@dataclass(frozen=True)
class Protocol:
    """``mean_over``: the classes whose IoU is averaged. ``vc_truth``: what VC compares, the masks as the dataset stores
    them (two kinds of void are two values), or with all void merged; None: the protocol has no VC.
    ``shortest``: videos of fewer frames leave every measure. ``pools``: VC of a length that also takes in the windows
    of other lengths, in this order. ``note``: what the reader of a number must know.
    """

    name: str
    mean_over: Literal["truth", "truth or prediction"]
    vc_truth: Literal["stored", "merged"] | None
    about: str
    shortest: int = 1
    pools: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    note: str | None = None

    def pooled(self, length: int) -> tuple[int, ...]:
        """The window lengths that VC of ``length`` averages over."""
        return self.pools.get(length, (length,))


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("vspw", "truth", "stored", "the official definitions of VSPW, masks remapped for mIoU"),
        Protocol(
            "cffm",
            "truth",
            "merged",
            "the script of CFFM, MRCFA and TV3S",
            shortest=17,
            note="Videos of 16 frames or fewer are left out of every measure.",
        ),
        Protocol(
            "mmseg",
            "truth or prediction",
            None,
            "mmsegmentation's evaluation",
            note="mIoU is over the classes that occur in truth or prediction; there is no VC.",
        ),
        Protocol(
            "dvis",
            "truth",
            "stored",
            "the scripts of DVIS++ and VidEoMT",
            pools={16: (8, 16)},
            note="VC8+16 (its script calls it VC16) is the mean over all windows of 8 and of 16 frames: "
            "not comparable with the VC16 of other protocols.",
        ),
    )
}


def find_protocol(name: str) -> Protocol:
    """The protocol ``name``; OptionError that lists them all."""
    try:
        return PROTOCOLS[name]
    except KeyError:
        raise OptionError(f"There is no protocol {name!r}.", f"Protocols: {', '.join(PROTOCOLS)}.") from None
