"""One view of a network over videos: frames in, label maps out."""

import itertools
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsscli.data.classmap import ClassMap
from vsscli.data.dataset import Choose, Dataset, Video
from vsscli.data.plain import VideoFile
from vsscli.data.video_backend import load_cv2
from vsscli.engine import Frame, Stage, cores
from vsscli.engine.inputs import DatasetInput
from vsscli.infer.frames import Batches, Named, Place, Prepared, Seen, Size, Work, explained, require_same
from vsscli.infer.key_frames import Carrying, every, groups
from vsscli.infer.pipeline import frame_threads, in_order, read_ahead
from vsscli.infer.shared import SharedNetwork
from vsscli.infer.store import FrameStore
from vsscli.infer.views import View
from vsscli.maps.geometry import padded_size
from vsscli.runs.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from vsscli.infer.topk import Best
    from vsscli.models.network import Key, Network, Scores, VideoNetwork

    Answer = tuple[torch.Tensor, Best | None]
    Keyed = Callable[[Iterator[Named]], Iterator[Seen]]  # key frames, each with its key and answer
    Carry = Callable[[torch.Tensor, Size, Sequence[Any]], list[Scores]]

log = logging.getLogger("vsscli")


class NetworkStage(Stage):
    """Frames through a network under one view, ``batch`` frames at once.

    A network that must see the whole video first sees it in a first pass; what it keeps of each frame waits in a
    `FrameStore` (with its file in ``scratch``), and the label maps are made from that in a second one; ``causal``: it
    answers each frame from those so far, in one pass, and nothing is kept. With ``carrying``, only key frames go
    through the network, several at once, and then those between: of a video that is seen first, its key frames are what
    the network knows of it. Either way a result depends neither on ``batch`` (to
    the bit on a CPU) nor on how many cores, workers or shards there are.
    """

    def __init__(
        self,
        dataset: Dataset,
        network: SharedNetwork,
        view: View,
        class_map: ClassMap,
        manifest: Manifest,
        batch: int,
        scratch: Path,
        topk: int | None = None,
        causal: bool = False,
        carrying: Carrying | None = None,
    ) -> None:
        self.dataset, self.shared, self.view, self.class_map = dataset, network, view, class_map
        self.manifest, self.scratch, self.topk, self.causal = manifest, scratch, topk, causal
        self.carrying = carrying
        self.batches = Batches(batch)
        self.table = class_map.table
        self.inputs = [DatasetInput(dataset)]
        self._size: Size | None = None
        self._passes: list[tuple[float, float]] = []  # seconds of both passes over the videos so far

    def open(self, device: str) -> None:
        """Loads the network. OpenCV, where it is needed, takes one thread: frames are spread over the cores."""
        self.shared.open(device)
        if self.carrying is not None and self.carrying.how == "farneback":
            load_cv2().setNumThreads(1)

    def close(self) -> None:
        self.shared.close()

    def count(self, video: str) -> int:
        return len(self.dataset.video(video).frames)

    def facts(self, video: str) -> Mapping[str, Any]:
        return {"input": self._size}

    def process(self, video: str) -> Iterator[Frame]:
        from vsscli.models.network import VideoNetwork

        source = self.dataset.video(video)
        if isinstance(source, VideoFile) and source.claimed > len(source.frames):
            log.warning("%s: only %d of %d frames decode", source.path, len(source.frames), source.claimed)
        network = self.shared.network
        assert network is not None
        if isinstance(network, VideoNetwork) and self.causal:
            yield from self._causally(network, self._read(source))
        elif isinstance(network, VideoNetwork):
            yield from self._twice(network, source)
        elif self.carrying is not None:
            keyed, carry = self._segmented(network, self.carrying)
            yield from self._carried(keyed, carry, self._read(source), every(self.carrying.interval))
        else:
            yield from self._once(network, self._read(source))

    def _once(self, network: "Network", images: Iterator[Named]) -> Iterator[Frame]:
        def answers(pixels: "torch.Tensor", places: list[Place]) -> "list[Answer]":
            return [self._answer(s, place) for s, place in zip(network.forward(pixels), places, strict=True)]

        for place, found in self._run(answers, images):
            yield self._frame(place, found)

    def _causally(self, network: "VideoNetwork", images: Iterator[Named]) -> Iterator[Frame]:
        import torch

        from vsscli.infer.propagate import PropagatedKey, Propagation

        passage = network.start()

        def push(i: int, place: Place, seen: Any) -> "Callable[[], Scores]":
            with explained(place), torch.inference_mode():
                kept, scores = passage.push(seen), passage.finish()
            return lambda: scores(i, kept)

        def draw(step: "tuple[Place, Callable[[], Scores]]") -> Frame:
            place, scores = step
            with explained(place), torch.inference_mode():
                return self._frame(place, self._answer(scores(), place))

        if self.carrying is not None:
            flow, numbers = Propagation(self.carrying.how, network.preprocess), itertools.count()

            def look(pixels: "torch.Tensor", places: list[Place]) -> list[tuple[Any, Any]]:
                return list(zip(network.look(pixels), flow.lumas(pixels, places[0].size), strict=True))

            def keyed(frames: Iterator[Named]) -> Iterator[Seen]:
                for place, (seen, luma) in self._run(look, frames):
                    scores = push(next(numbers), place, seen)
                    with explained(place), torch.inference_mode():
                        key = PropagatedKey(scores(), luma)
                        answer = self._answer(key.scores, place)
                    yield place, (key, answer)

            yield from self._carried(keyed, flow.carry, images, every(self.carrying.interval))
            return
        looked = self._run(lambda pixels, _: network.look(pixels), images)
        steps = ((place, push(i, place, seen)) for i, (place, seen) in enumerate(looked))
        with frame_threads(self.batches.size, self.shared.device) as pool:
            yield from in_order(pool, draw, steps, self.batches.size + 1)

    def _segmented(self, network: "Network", carrying: Carrying) -> "tuple[Keyed, Carry]":
        """Key frames through a network of single frames, and the way to those between."""
        from vsscli.infer.propagate import PropagatedKey, Propagation
        from vsscli.models.network import KeyFrameNetwork

        if carrying.how == "mpvss":
            assert isinstance(network, KeyFrameNetwork)
            own = network
            return self._keyed(lambda pixels, places: own.segment(pixels, places[0].size)), own.carry
        flow = Propagation(carrying.how, network.preprocess)

        def keys(pixels: "torch.Tensor", places: list[Place]) -> "list[Key]":
            lumas = flow.lumas(pixels, places[0].size)
            return [PropagatedKey(s, luma) for s, luma in zip(network.forward(pixels), lumas, strict=True)]

        return self._keyed(keys), flow.carry

    def _keyed(self, keys: "Callable[[torch.Tensor, list[Place]], list[Key]]") -> "Keyed":
        """Key frames with the answers that ``keys`` leads to."""

        def work(pixels: "torch.Tensor", places: list[Place]) -> "list[tuple[Key, Answer]]":
            found = zip(keys(pixels, places), places, strict=True)
            return [(key, self._answer(key.scores, place)) for key, place in found]

        return lambda frames: self._run(work, frames)

    def _carried(self, keyed: "Keyed", carry: "Carry", images: Iterator[Named], choose: Choose) -> Iterator[Frame]:
        carrying = self.carrying
        assert carrying is not None
        owner: dict[str, tuple[Place, tuple[Key, Answer]]] = {}
        keys: list[Seen] = []

        def between(pixels: "torch.Tensor", places: list[Place]) -> "list[Answer]":
            mine = [owner[place.name] for place in places]
            for place, (key_place, _) in zip(places, mine, strict=True):
                require_same(place, key_place)
            found = carry(pixels, places[0].size, [key for _, (key, _) in mine])
            return [self._answer(scores, place) for scores, place in zip(found, places, strict=True)]

        for group in groups(images, choose, carrying.interval, self.batches.size):
            owner, keys = {}, keys[-1:]  # the rest goes before more comes
            keys = list(keyed(stretch.key for stretch in group if stretch.key is not None)) or keys
            owner = {name: key for s, key in zip(group, keys, strict=True) for name, _ in s.others}
            copied = carrying.how == "zero"
            others = iter(()) if copied else self._run(between, (named for s in group for named in s.others))
            for stretch, (place, (_, answer)) in zip(group, keys, strict=True):
                if stretch.key is not None:
                    yield self._frame(place, answer)
                if copied:
                    for name, image in stretch.others:
                        require_same(Place(name, (image.shape[0], image.shape[1]), place.size), place)
                        yield self._frame(replace(place, name=name), answer)
                for place, answer in itertools.islice(others, len(stretch.others)):
                    yield self._frame(place, answer)
            next(others, None)  # ends it, and its threads

    def _twice(self, network: "VideoNetwork", source: Video) -> Iterator[Frame]:
        import torch

        from vsscli.infer.propagate import PropagatedKey, Propagation

        started = time.monotonic()
        with FrameStore(self.scratch) as store:
            places, scores = self._look_through(network, source, store)
            halfway = time.monotonic()
            if self.carrying is not None:
                flow = Propagation(self.carrying.how, network.preprocess)
                number = {place.name: i for i, place in enumerate(places)}

                def keys(pixels: "torch.Tensor", of: list[Place]) -> "list[Key]":
                    for place in of:
                        require_same(place, places[number[place.name]])
                    found = zip((number[p.name] for p in of), flow.lumas(pixels, of[0].size), strict=True)
                    return [PropagatedKey(scores(i, store.read(i)), luma) for i, luma in found]

                images = self._read(source)
                yield from self._carried(self._keyed(keys), flow.carry, images, lambda name, _: name in number)
            else:

                def draw(i: int) -> Frame:
                    with explained(places[i]), torch.inference_mode():
                        return self._frame(places[i], self._answer(scores(i, store.read(i)), places[i]))

                with frame_threads(self.batches.size, self.shared.device) as pool:
                    yield from in_order(pool, draw, range(len(places)), self.batches.size + 1)
        self._passes.append((halfway - started, time.monotonic() - halfway))

    def _look_through(
        self, network: "VideoNetwork", source: Video, store: FrameStore
    ) -> "tuple[list[Place], Callable[[int, torch.Tensor], Scores]]":
        """The first pass: which frames the network saw, and the way to their scores from their number in ``store``."""
        import torch

        first, second = (sum(seconds) for seconds in zip(*self._passes, strict=True)) if self._passes else (0, 0)
        self.part = second / (first + second) if first and second else 0.05 if self.carrying is None else 0.3
        passage, places, at = network.start(), list[Place](), list[int]()
        numbers, told = itertools.count(), 0
        interval = every(1 if self.carrying is None else self.carrying.interval)

        def choose(name: str, size: Size) -> bool:
            number = next(numbers)
            if interval(name, size):
                at.append(number)
                return True
            return False

        images = read_ahead(source.chosen(choose), 2 * cores())
        for place, seen in self._run(lambda pixels, _: network.look(pixels), images):
            with explained(place), torch.inference_mode():
                store.append(passage.push(seen))
            places.append(place)
            done = at[len(places) - 1] + 1
            self.step((1 - self.part) * (done - told))
            told = done
        self.step((1 - self.part) * (len(source.frames) - told))
        with explained(places[-1], len(places)), torch.inference_mode():
            return places, passage.finish()

    def _read(self, source: Video) -> Iterator[Named]:
        return read_ahead(zip(source.frames, source.images(), strict=True), 2 * cores())

    def _run(self, work: Work, frames: Iterator[Named]) -> Iterator[Seen]:
        return self.batches.run(self.shared.device, self._prepare, work, frames)

    def _prepare(self, named: Named) -> Prepared:
        from vsscli.models.preprocess import prepare

        assert self.shared.network is not None
        name, image = named
        out = (image.shape[0], image.shape[1])
        self._size = size = self.view.network_size(out)
        seen = image[:, ::-1] if self.view.flip else image
        return Prepared(Place(name, out, size), prepare(seen, size, self.shared.network.preprocess))

    def _answer(self, scores: "Scores", place: Place) -> "Answer":
        """The label map of a frame and, where they are kept, its class scores, on the device."""
        import torch

        from vsscli.infer.semantic import label_map_from_logits, label_map_from_queries
        from vsscli.infer.topk import best_classes
        from vsscli.models.network import QueryScores, apply_class_map

        assert self.shared.network is not None
        padded = padded_size(*place.size, self.shared.network.preprocess.divisor)
        scores = apply_class_map(scores, self.class_map)
        values = scores.mask_logits if isinstance(scores, QueryScores) else scores.values
        ids = torch.tensor(self.class_map.targets, dtype=torch.uint8, device=values.device)
        if isinstance(scores, QueryScores):
            labels = label_map_from_queries(
                scores.class_prob, scores.mask_logits, padded=padded, network=place.size, out=place.out, ids=ids
            )
        else:
            labels = label_map_from_logits(scores.values, padded=padded, network=place.size, out=place.out, ids=ids)
        labels = labels.flip(1) if self.view.flip else labels
        if self.topk is None:
            return labels, None
        return labels, best_classes(scores, ids, self.topk, padded=padded, network=place.size)

    def _frame(self, place: Place, answer: "Answer") -> Frame:
        labels, best = answer
        kept = None if best is None else best.fetch(place.out, self.view.flip)
        return Frame(place.name, labels.cpu().numpy(), kept)
