"""Regions of groups of classes, followed through a video by overlap: two frames are in memory at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsscli.maps.regions import block_size, connect, count_classes, enlarge, overlaps, place_of, shrink
from vsscli.postprocess.groups import Group

#: The longer side of a frame has at most so many cells, by which regions touch.
CELLS = 320
#: Regions of two frames are one when they share so much of the smaller one's cells.
LINK = 0.2

Array = NDArray[np.uint8]


@dataclass(frozen=True)
class Tube:
    """A region through time: of ``group`` (its place in the list), in ``frames`` (their places in the video, in order).

    ``counts`` is ``int64 [frames, classes of the group]``: its pixels.
    """

    group: int
    frames: tuple[int, ...]
    counts: NDArray[np.int64]

    @property
    def areas(self) -> NDArray[np.int64]:
        """Pixels in each of its frames."""
        areas: NDArray[np.int64] = self.counts.sum(1)
        return areas

    @property
    def pixels(self) -> NDArray[np.int64]:
        """Pixels of each class of the group, over all frames."""
        pixels: NDArray[np.int64] = self.counts.sum(0)
        return pixels


@dataclass(frozen=True)
class Piece:
    """What a frame has of a group: ``mask``, ``bool [H, W]``, and in ``count`` regions ``cells``, numbered from 1.

    ``block`` is the side of a cell in pixels.
    """

    group: int
    mask: NDArray[np.bool_]
    cells: NDArray[np.int32]
    count: int
    block: int

    def pixels(self, values: NDArray[np.int32]) -> NDArray[np.int32]:
        """``values [count + 1]`` of the regions (the first is of no region), for each pixel ``[H, W]``."""
        return enlarge(values[self.cells], self.block, self.mask.shape)


class Pieces:
    """Finds the pieces of frames: the same ones, in the same order, whenever a frame is looked at."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = groups
        self._group_of = np.full(256, 255, np.uint8)
        for i, group in enumerate(groups):
            self._group_of[list(group.ids)] = i

    def find(self, labels: Array) -> Iterator[Piece]:
        """The pieces of a label map ``uint8 [H, W]``, group by group. One of scope ``image`` is a single region."""
        owners = self._group_of[labels]
        block = block_size(labels.shape[0], labels.shape[1], CELLS)
        for i in np.flatnonzero(np.bincount(owners.ravel(), minlength=256)[: len(self.groups)]).tolist():
            mask = owners == i
            if self.groups[i].scope == "image":
                yield Piece(i, mask, shrink(mask, block).astype(np.int32), 1, block)
            else:
                yield Piece(i, mask, *connect(mask, block), block)


class Follower:
    """Takes the frames of one video in order; then `tubes` tells what was there.

    A region of a frame is a node; nodes that overlap from frame to frame are of one tube. What is kept of a node are
    its pixels by class and one number.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self._pieces = Pieces(groups)
        self._places = [place_of(group.ids) for group in groups]
        self._parents: list[int] = []
        self._last: dict[
            int, tuple[Piece, int]
        ] = {}  # group -> its piece in the frame before, and that one's first node
        self._first: dict[int, int] = {}  # group of scope image -> its first node
        self._counts: list[tuple[int, int, int, NDArray[np.int64]]] = []  # frame, group, first node, pixels
        self.frames = 0
        self.area = 0

    def add(self, labels: Array) -> None:
        """The next frame, ``uint8 [H, W]``; all frames are of one size."""
        now: dict[int, tuple[Piece, int]] = {}
        for piece in self._pieces.find(labels):
            group, first = self._pieces.groups[piece.group], len(self._parents)
            self._parents += range(first, first + piece.count)
            regions = piece.pixels(np.arange(piece.count + 1, dtype=np.int32))[piece.mask]
            places = self._places[piece.group][labels[piece.mask]]
            counts = count_classes(regions, piece.count, places, len(group.ids))
            self._counts.append((self.frames, piece.group, first, counts))
            if group.scope == "image":
                self._join(self._first.setdefault(piece.group, first), first)
            elif piece.group in self._last:
                before, start = self._last[piece.group]
                for a, b in overlaps(before.cells, piece.cells, LINK):
                    self._join(start + a - 1, first + b - 1)
            now[piece.group] = piece, first
        self._last = now
        self.frames += 1
        self.area += labels.size

    def _root(self, node: int) -> int:
        while self._parents[node] != node:
            self._parents[node] = self._parents[self._parents[node]]
            node = self._parents[node]
        return node

    def _join(self, a: int, b: int) -> None:
        """The smaller root stays: tubes are numbered by where they begin, whatever the order of joining."""
        a, b = self._root(a), self._root(b)
        self._parents[max(a, b)] = min(a, b)

    def tubes(self, min_area: float, min_frames: int) -> "Tubes":
        """The tubes of ``min_frames`` frames or more that cover ``min_area`` of the frame, on average of those."""
        parts: dict[int, list[tuple[int, int, NDArray[np.int64]]]] = {}
        for frame, group, first, counts in self._counts:
            for i, row in enumerate(counts):
                parts.setdefault(self._root(first + i), []).append((frame, group, row))
        least = min_area * self.area / max(self.frames, 1)
        tubes: list[Tube] = []
        numbers: dict[int, int] = {}
        owner = np.full(len(self._parents), -1, np.int32)
        for root in sorted(parts):
            tube = _tube(parts[root])
            if len(tube.frames) >= min_frames and tube.areas.mean() >= least:
                numbers[root] = len(tubes)
                tubes.append(tube)
        for node in range(len(owner)):
            owner[node] = numbers.get(self._root(node), -1)
        starts: dict[int, dict[int, int]] = {}
        for frame, group, first, _ in self._counts:
            starts.setdefault(frame, {})[group] = first
        return Tubes(self._pieces, tuple(tubes), owner, starts)


def _tube(parts: Sequence[tuple[int, int, NDArray[np.int64]]]) -> Tube:
    counts: dict[int, NDArray[np.int64]] = {}
    for frame, _, row in parts:
        counts[frame] = counts[frame] + row if frame in counts else row
    frames = tuple(sorted(counts))
    return Tube(parts[0][1], frames, np.stack([counts[frame] for frame in frames]))


class Tubes:
    """The tubes of a video, and where they are in each of its frames."""

    def __init__(
        self, pieces: Pieces, tubes: tuple[Tube, ...], owner: NDArray[np.int32], starts: dict[int, dict[int, int]]
    ) -> None:
        self.tubes = tubes
        self._pieces, self._owner, self._starts = pieces, owner, starts

    def masks(self, frame: int, labels: Array, wanted: frozenset[int]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """(place in `tubes`, mask ``bool [H, W]``) of those of the ``wanted`` tubes that are in ``frame``.

        ``labels`` are those that the follower saw of that frame.
        """
        for piece in self._pieces.find(labels):
            first = self._starts[frame][piece.group]
            owners = self._owner[first : first + piece.count]
            here = sorted(wanted.intersection(owners.tolist()))
            if here:
                pixels = piece.pixels(np.concatenate([np.array([-1], np.int32), owners]))
                for tube in here:
                    yield tube, piece.mask & (pixels == tube)
