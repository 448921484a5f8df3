"""Majority vote over label maps."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsscli.maps.compiled import compiled
from vsscli.maps.confusion import flat

LARGEST = 255  # maps: their number must fit a byte
_PIECE = 8192  # words of eight pixels brought together at once: room for whole maps would be mapped anew every time
_BLOCK = 512  # words that are counted at once: counters and a few maps' share stay in the first-level cache


def vote(maps: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The label with most votes at every pixel, ``uint8 [H, W]``, from 1 to 255 maps ``uint8 [H, W]``.

    ``maps`` stand in the order of their rank: of the labels with most votes, the one that the earliest map backs wins.
    All values 0..255 are labels alike. Raises ValueError for no maps, too many, or maps of different sizes.
    """
    if not 1 <= len(maps) <= LARGEST:
        raise ValueError(f"a vote takes 1 to {LARGEST} maps, not {len(maps)}")
    shape = maps[0].shape
    if any(labels.shape != shape for labels in maps):
        raise ValueError(f"maps of different sizes: {', '.join(str(labels.shape) for labels in maps)}")
    rows = [flat(labels) for labels in maps]
    pixels = maps[0].size
    winner = np.empty(-(-pixels // 8), np.uint64)
    ballots = np.empty((len(maps), min(_PIECE, len(winner))), np.uint64)
    pieces = ballots.view(np.uint8)
    for start in range(0, pixels, 8 * _PIECE):
        end = min(start + 8 * _PIECE, pixels)
        words = -(-(end - start) // 8)
        for piece, row in zip(pieces, rows, strict=True):
            piece[: end - start] = row[start:end]
        _count(ballots, winner[start // 8 : start // 8 + words])
    return winner.view(np.uint8)[:pixels].reshape(shape)


@compiled
def _count(ballots: NDArray[np.uint64], winner: NDArray[np.uint64]) -> None:
    """Eight pixels in a word, a counter in each byte; the loops over ``p`` become vector instructions.

    A label's votes are counted at the first map that backs it, over that map and the later ones. Later maps of the
    same label count fewer, so a strict comparison keeps the best-ranked label among equals.
    """
    ones, low, high = np.uint64(0x0101010101010101), np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
    seven, eight = np.uint64(7), np.uint64(8)
    voters, words = len(ballots), len(winner)
    most_room, against_room = np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64)
    for start in range(0, words, _BLOCK):
        end = min(start + _BLOCK, words)
        block = end - start
        most, against, best = most_room[:block], against_room[:block], winner[start:end]
        most[:] = 0
        for i in range(voters):
            mine = ballots[i, start:end]
            against[:] = 0
            for j in range(i + 1, voters):
                theirs = ballots[j, start:end]
                for p in range(block):
                    differ = mine[p] ^ theirs[p]
                    against[p] += (((differ & low) + low | differ) & high) >> seven  # 1 in bytes that are not 0
            voices = np.uint64(voters - i) * ones
            for p in range(block):
                votes, old = voices - against[p], most[p]
                less = ((old | high) - (votes & low)) ^ ((old ^ ~votes) & high)  # old - votes in every byte
                more = ((~old & votes | ~(old ^ votes) & less) & high) >> seven  # 1 in bytes that borrowed
                take = (more << eight) - more  # 255 in bytes where votes > old
                best[p] = best[p] & ~take | mine[p] & take
                most[p] = old & ~take | votes & take
