"""Scores while training: label maps of a split by the very way of inference, and VSPW's measures of them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from vsscli.data.dataset import Dataset, Video
from vsscli.errors import DataError
from vsscli.maps.geometry import network_size, padded_size
from vsscli.models.dvis.load import network_of
from vsscli.models.dvis.model import Dvis
from vsscli.models.mpvss.config import INTERVAL
from vsscli.models.mpvss.model import Mpvss
from vsscli.models.mpvss.network import MpvssNetwork
from vsscli.models.network import QueryScores, VideoNetwork
from vsscli.models.preprocess import Preprocess, prepare
from vsscli.score.measures import measures
from vsscli.score.protocols import PROTOCOLS, STANDARD
from vsscli.score.reading import make_rule
from vsscli.score.tally import Tally, VideoCounts
from vsscli.train.config import Validation
from vsscli.train.processes import Processes

#: From class probabilities [Q, K], mask logits [Q, h, w] and the sizes ``padded``, ``network`` and ``out`` to a label
#: map uint8 [H, W] (`vsscli.infer.semantic.label_map_from_queries`; this room may not import that one).
LabelMap = Callable[..., Tensor]


class Validator:
    """Scores a model on a dataset, each process some of its videos."""

    def __init__(
        self, dataset: Dataset, wanted: Validation, preprocess: Preprocess, label_map: LabelMap, processes: Processes
    ) -> None:
        self.dataset, self.wanted, self.preprocess = dataset, wanted, preprocess
        self.label_map, self.processes = label_map, processes
        self.rule = make_rule(dataset, PROTOCOLS["vspw"])
        names = [name for name in dataset.listed() if dataset.video(name).has_masks()]
        if not names:
            raise DataError(
                f"No frame of the split {dataset.split} has a mask, and validation.split names it.",
                "Name another, or none: --set validation.split=null",
            )
        step = max(1, len(names) // (wanted.videos or len(names)))
        self.names = names[::step][: wanted.videos]

    def __call__(self, model: Dvis | Mpvss) -> dict[str, float | None]:
        """``miou``, ``vc8``, ``vc16`` and the rest, fractions; the same in every process. DataError for a bad frame."""
        share = self.names[self.processes.rank :: self.processes.world]
        counts = [self._count(model, self.dataset.video(name)) for name in share]
        found: list[list[VideoCounts]] = [counts]
        if self.processes.world > 1:
            found = [[] for _ in range(self.processes.world)]
            dist.all_gather_object(found, counts)
        by_name = {each.video: each for part in found for each in part}
        assert self.dataset.classes is not None
        return measures([by_name[name] for name in self.names], self.rule.protocol, STANDARD, len(self.dataset.classes))

    def _count(self, model: Dvis | Mpvss, video: Video) -> VideoCounts:
        frames = video.masked()[: self.wanted.frames]
        tally = Tally(video.name, len(frames), self.rule)
        wanted = set(frames)
        maps = self._carried(model, video, wanted) if isinstance(model, Mpvss) else self._labels(model, video, wanted)
        for frame, labels in zip(frames, maps, strict=True):
            tally.add(frame, video.stored_mask(frame), labels)
        return tally.counts()

    def _labels(self, model: Dvis, video: Video, wanted: set[str]) -> Iterator[NDArray[np.uint8]]:
        """The label maps of the wanted frames, in order."""
        network = network_of(model, self.preprocess, self.processes.device, torch.float32)
        passage = network.start() if isinstance(network, VideoNetwork) else None
        kept: list[tuple[tuple[int, int], Any]] = []
        for frame, image in zip(video.frames, video.images(), strict=True):
            if frame not in wanted:
                continue
            out = (image.shape[0], image.shape[1])
            size = network_size(*out, self.preprocess.short, self.preprocess.cap)
            pixels = prepare(image, size, self.preprocess)[None]
            if passage is None:
                yield self._draw(network.forward(pixels)[0], out, size)  # type: ignore[union-attr]
            else:
                kept.append((out, passage.push(network.look(pixels)[0]).cpu()))  # type: ignore[union-attr]
        if passage is not None:
            scores = passage.finish()
            for i, (out, values) in enumerate(kept):
                size = network_size(*out, self.preprocess.short, self.preprocess.cap)
                yield self._draw(scores(i, values), out, size)

    def _carried(self, model: Mpvss, video: Video, wanted: set[str]) -> Iterator[NDArray[np.uint8]]:
        """The same where key frames are carried on, as ``infer`` does unless it is told otherwise."""
        network = MpvssNetwork(model, self.preprocess, self.processes.device, torch.float32)
        key: Any = None
        since, shape = INTERVAL, (0, 0)
        for frame, image in zip(video.frames, video.images(), strict=True):
            out, since = (image.shape[0], image.shape[1]), since + 1
            due = since >= INTERVAL or out != shape
            if not due and frame not in wanted:
                continue
            size = network_size(*out, self.preprocess.short, self.preprocess.cap)
            pixels = prepare(image, size, self.preprocess)[None]
            if due:
                (key,), since, shape = network.segment(pixels, size), 0, out
            if frame in wanted:
                yield self._draw(key.scores if due else network.carry(pixels, size, [key])[0], out, size)

    def _draw(self, scores: Any, out: tuple[int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
        assert isinstance(scores, QueryScores)
        padded = padded_size(*size, self.preprocess.divisor)
        labels = self.label_map(scores.class_prob, scores.mask_logits, padded=padded, network=size, out=out)
        drawn: NDArray[np.uint8] = labels.cpu().numpy()
        return drawn
