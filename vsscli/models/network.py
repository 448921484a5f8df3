"""What every network is to the rest: frames in, scores of classes out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from vsscli.data.classmap import ClassMap
from vsscli.models.preprocess import Preprocess


@dataclass(frozen=True)
class QueryScores:
    """One frame as a set of masks, each with its classes (Mask2Former and its kin).

    ``class_prob`` is float32 [Q, K]: softmax over the classes and "no object", without the last column.
    ``mask_logits`` is float32 [Q, h, w] at the network's stride. The score of a class at a pixel is the sum over the
    queries of class_prob times the sigmoid of the mask.
    """

    class_prob: Tensor
    mask_logits: Tensor


@dataclass(frozen=True)
class DenseScores:
    """One frame as a score per class and place: ``values``, float32 [K, h, w], at the network's stride.

    The best class of a pixel is the argmax after bilinear resizing. ``logits`` tells whether the softmax over the
    classes makes probabilities of them; otherwise they are summable scores already, like those of `QueryScores`.
    """

    values: Tensor
    logits: bool


Scores = QueryScores | DenseScores


class Loaded(Protocol):
    """What every network tells of itself, loaded and waiting on its device."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the K channels."""

    @property
    def preprocess(self) -> Preprocess:
        """How frames are to be resized, normalised and padded."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""


class Network(Loaded, Protocol):
    """A network that takes frames one by one."""

    def forward(self, pixels: Tensor) -> list[Scores]:
        """The scores of B frames of one size: float32 [B, 3, H, W], normalised and padded, in the order of the video.

        One result per frame, for the whole padded input. Threads may call it at the same time.
        """


class Passage(Protocol):
    """One video on its way through a `VideoNetwork`."""

    def push(self, seen: Any) -> Tensor:
        """Takes what `VideoNetwork.look` saw of the next frame; float32, what must be kept of it until the end."""

    def finish(self) -> Callable[[int, Tensor], Scores]:
        """After the last frame: the way from a frame's number and what was kept of it to its scores.

        Of networks whose family is ``causal`` it may also be asked after any other frame, again and again: what it
        gives is then true to the video so far. Threads may use it at the same time.
        """


@runtime_checkable
class VideoNetwork(Loaded, Protocol):
    """A network whose scores of a frame depend on the whole video.

    A video goes through it twice: every frame is looked at and pushed, in order; then, with the video known, the scores
    of each frame are made from what was kept of it.
    """

    def look(self, pixels: Tensor) -> list[Any]:
        """B frames of one size, float32 [B, 3, H, W], each on its own. Threads may call it at the same time."""

    def start(self) -> Passage:
        """A new video."""


class Key(Protocol):
    """A key frame: its own scores, and whatever else is needed to carry them on."""

    @property
    def scores(self) -> Scores:
        """For the whole padded input."""


@runtime_checkable
class KeyFrameNetwork(Network, Protocol):
    """A network that can also segment some frames of a video only, and carry their scores to those between."""

    def segment(self, pixels: Tensor, size: tuple[int, int]) -> list[Any]:
        """B key frames, each on its own and each a `Key`.

        ``pixels`` is float32 [B, 3, H, W], of which the upper left (h, w) of ``size`` is no padding. Threads may call
        it at the same time.
        """

    def carry(self, pixels: Tensor, size: tuple[int, int], keys: Sequence[Any]) -> list[Scores]:
        """The scores of B frames as `segment` takes them, each from its key frame (one of ``keys`` for each).

        Threads may call it at the same time.
        """


def apply_class_map(scores: Scores, class_map: ClassMap) -> Scores:
    """``scores`` over ``class_map.targets``, in their order, instead of over the model's channels.

    Probabilities of channels with the same target are added up; channels without a target are dropped. Logits stay
    logits where no two channels meet, and become probabilities where some do.
    """
    if class_map.is_identity:
        return scores
    values = scores.class_prob.T if isinstance(scores, QueryScores) else scores.values
    members = [[c for c, target in enumerate(class_map.sources) if target == wanted] for wanted in class_map.targets]
    logits = isinstance(scores, DenseScores) and scores.logits
    if all(len(channels) == 1 for channels in members):
        mapped = values[[channels[0] for channels in members]]
    else:
        values, logits = values.softmax(0) if logits else values, False
        mapped = torch.stack([values[channels].sum(0) for channels in members])
    if isinstance(scores, QueryScores):
        return QueryScores(mapped.T.contiguous(), scores.mask_logits)
    return DenseScores(mapped, logits)
