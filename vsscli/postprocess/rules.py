"""The numbers by which regions are asked about and answers are followed: identity options, checked."""

from dataclasses import asdict, dataclass
from typing import Any

from vsscli.errors import OptionError

WHEN = ("mixed", "all")
IMAGES = ("outlined", "plain")
#: So many frames of a region are shown, one a question.
KEY_FRAMES = 3
#: A region is of several classes when so large a share of its pixels is not of the class that most are of.
MIXED = 0.05


@dataclass(frozen=True)
class Rules:
    """``when``: ask about regions of several classes, or of a class that flips (``mixed``), or about ``all`` of them.
    ``min_area``: the share of the frame that a region covers on average where it is seen; ``min_frames``: in how many
    frames it is. ``majority``: the share of the votes that the winner needs, ``min_answers`` how many answers must name
    a class, ``min_confidence`` the mean probability of those for the winner, where the model tells any. ``max_share``:
    of a video's pixels, at most so many change. OptionError for values that make no sense.
    """

    when: str = "mixed"
    image: str = "outlined"
    min_area: float = 0.01
    min_frames: int = 3
    majority: float = 0.66
    min_answers: int = 2
    min_confidence: float = 0.5
    max_share: float = 0.6

    def __post_init__(self) -> None:
        for option, value, choices in (("--when", self.when, WHEN), ("--image", self.image, IMAGES)):
            if value not in choices:
                raise OptionError(f"{option} {value!r} is neither {choices[0]} nor {choices[1]}.")
        for name in ("min_area", "min_confidence", "max_share"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise OptionError(f"--{name.replace('_', '-')} {value:g} is no share.", "Give a number from 0 to 1.")
        if not 0.5 < self.majority <= 1:
            raise OptionError(f"--majority {self.majority:g} is none.", "Give a share above 0.5, up to 1.")
        if not 1 <= self.min_answers <= KEY_FRAMES:
            raise OptionError(
                f"--min-answers {self.min_answers}: a region is shown in {KEY_FRAMES} frames.", f"1 to {KEY_FRAMES}."
            )
        if self.min_frames < self.min_answers:
            raise OptionError(
                f"--min-frames {self.min_frames} is less than --min-answers {self.min_answers}: shorter regions could "
                "never have so many answers.",
                "Raise the one or lower the other.",
            )

    def identity(self) -> dict[str, Any]:
        """What stands in ``run.json``."""
        return {**asdict(self), "key_frames": KEY_FRAMES, "mixed": MIXED}
