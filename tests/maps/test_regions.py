"""Regions of label maps against definitions in plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vsscli.maps.regions import block_size, connect, count_classes, enlarge, overlaps, place_of, shrink

MASKS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda shape: arrays(np.bool_, shape))


def flood(cells: np.ndarray) -> list[set[tuple[int, int]]]:
    """Connected regions (eight neighbours), by definition."""
    left = {(int(y), int(x)) for y, x in np.argwhere(cells)}
    regions = []
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            region.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            edge += near
        regions.append(region)
    return regions


@given(MASKS, st.integers(1, 4))
def test_a_cell_is_set_where_any_of_its_pixels_is(mask: np.ndarray, block: int) -> None:
    cells = shrink(mask, block)
    h, w = mask.shape
    assert cells.shape == (-(-h // block), -(-w // block))
    for y in range(cells.shape[0]):
        for x in range(cells.shape[1]):
            assert cells[y, x] == mask[y * block : (y + 1) * block, x * block : (x + 1) * block].any()


@given(MASKS, st.integers(1, 4))
def test_every_pixel_of_the_mask_is_in_one_region_of_touching_cells(mask: np.ndarray, block: int) -> None:
    cells, count = connect(mask, block)
    expected = flood(shrink(mask, block))
    assert count == len(expected)
    found = [{(int(y), int(x)) for y, x in np.argwhere(cells == i)} for i in range(1, count + 1)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected))
    pixels = enlarge(cells, block, mask.shape)
    assert pixels.shape == mask.shape and (pixels[mask] > 0).all()


@given(MASKS, st.integers(0, 2**32))
def test_counts_by_region_and_class(mask: np.ndarray, seed: int) -> None:
    cells, count = connect(mask, 1)
    places = np.random.default_rng(seed).integers(0, 3, mask.shape).astype(np.uint8)
    counts = count_classes(cells[mask], count, places[mask], 3)
    assert counts.shape == (count, 3) and counts.sum() == mask.sum()
    for i in range(count):
        assert counts[i].tolist() == [int(((cells == i + 1) & (places == c)).sum()) for c in range(3)]


@given(st.data(), st.sampled_from([0.01, 0.2, 0.5, 1.0]))
def test_overlaps_by_definition(data: st.DataObject, share: float) -> None:
    shape = data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    before, now = (connect(data.draw(arrays(np.bool_, shape)), 1)[0] for _ in range(2))
    expected = [
        (a, b)
        for a in range(1, int(before.max()) + 1)
        for b in range(1, int(now.max()) + 1)
        if (common := ((before == a) & (now == b)).sum())
        and common >= share * min((before == a).sum(), (now == b).sum())
    ]
    assert overlaps(before, now, share) == expected


@pytest.mark.parametrize(("size", "block"), [((480, 853), 3), ((1, 1), 1), ((320, 320), 1), ((321, 5), 2)])
def test_block_size(size: tuple[int, int], block: int) -> None:
    assert block_size(*size, 320) == block
    assert -(-max(size) // block) <= 320


def test_places() -> None:
    places = place_of((35, 7))
    assert (places[35], places[7], places[0], places[255]) == (0, 1, 255, 255)
