"""Regions through time against a definition in plain loops, and what must hold of any video."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from vsscli.postprocess import tubes as module
from vsscli.postprocess.groups import Group
from vsscli.postprocess.tubes import LINK, Follower, Tubes

Array = NDArray[np.uint8]
WATER = Group("water", "water", ("sea", "river"), (0, 1), "region", 1)
SNOW = Group("snow", "white ground", ("snowfield", "ice"), (3, 2), "region", 1)
WHOLE = Group("way", "way", ("road", "path"), (4, 5), "image", 1)
GROUPS = (WATER, SNOW, WHOLE)


def crowded(shape: tuple[int, int, int], seed: int) -> Array:
    """Much of one group, in every frame."""
    chance = np.random.default_rng(seed)
    return chance.choice(np.array([0, 1, 2, 3, 4, 5, 6, 255], np.uint8), shape, p=[0.35, 0.25, *[0.4 / 6] * 6])


#: Labels 0..6: three groups and one class of none; 255 now and then.
SPARSE = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 3, 4, 5, 6, 255]))
)
CROWDED = st.builds(crowded, st.tuples(st.integers(2, 5), st.integers(1, 6), st.integers(1, 6)), st.integers(0, 2**32))
VIDEOS = st.one_of(SPARSE, CROWDED)


def follow(video: Array, groups: tuple[Group, ...] = GROUPS, min_area: float = 0, min_frames: int = 1) -> Tubes:
    follower = Follower(groups)
    for labels in video:
        follower.add(labels)
    return follower.tubes(min_area, min_frames)


def all_masks(tubes: Tubes, video: Array) -> NDArray[np.bool_]:
    """``bool [tubes, frames, H, W]``."""
    found = np.zeros((len(tubes.tubes), *video.shape), np.bool_)
    for t, labels in enumerate(video):
        for i, mask in tubes.masks(t, labels, frozenset(range(len(tubes.tubes)))):
            found[i, t] = mask
    return found


def by_definition(video: Array, ids: tuple[int, ...]) -> list[frozenset[tuple[int, int, int]]]:
    """The tubes of one group of scope region, as sets of (frame, y, x)."""
    regions: list[set[tuple[int, int, int]]] = []
    for t, labels in enumerate(video):
        left = {(t, int(y), int(x)) for y, x in np.argwhere(np.isin(labels, ids))}
        while left:
            region, edge = set(), [left.pop()]
            while edge:
                _, y, x = edge.pop()
                region.add((t, y, x))
                near = {(t, y + dy, x + dx) for dy, dx in product((-1, 0, 1), repeat=2)} & left
                left -= near
                edge += near
            regions.append(region)
    tubes = [{i} for i in range(len(regions))]
    for i, j in product(range(len(regions)), repeat=2):
        earlier, later = regions[i], regions[j]
        if next(iter(later))[0] - next(iter(earlier))[0] != 1:
            continue
        common = {(y, x) for _, y, x in earlier} & {(y, x) for _, y, x in later}
        if common and len(common) >= LINK * min(len(earlier), len(later)):
            a, b = (next(tube for tube in tubes if k in tube) for k in (i, j))
            if a is not b:
                tubes.remove(b)
                a |= b
    return [frozenset().union(*(regions[i] for i in tube)) for tube in tubes]


@given(VIDEOS)
def test_tubes_are_those_of_the_definition(video: Array) -> None:
    tubes = follow(video)
    masks = all_masks(tubes, video)
    for place, group in enumerate((WATER, SNOW)):
        found = [
            frozenset((int(t), int(y), int(x)) for t, y, x in np.argwhere(masks[i]))
            for i, tube in enumerate(tubes.tubes)
            if tube.group == place
        ]
        assert sorted(map(sorted, found)) == sorted(map(sorted, by_definition(video, group.ids)))


@given(VIDEOS, st.sampled_from([1, 2, 320]))
def test_every_pixel_of_a_group_is_in_one_tube_and_counted(video: Array, cells: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CELLS", cells)
        tubes = follow(video)
        masks = all_masks(tubes, video)
    covered = masks.sum(0) if len(masks) else np.zeros(video.shape, int)
    assert (covered == np.isin(video, [0, 1, 2, 3, 4, 5])).all()
    for mask, tube in zip(masks, tubes.tubes, strict=True):
        ids = GROUPS[tube.group].ids
        assert tube.frames == tuple(np.flatnonzero(mask.any((1, 2))))
        for row, t in zip(tube.counts, tube.frames, strict=True):
            assert row.tolist() == [int((mask[t] & (video[t] == i)).sum()) for i in ids]
        assert tube.areas.tolist() == [int(mask[t].sum()) for t in tube.frames]
        assert tube.pixels.sum() == mask.sum()


@given(VIDEOS)
def test_a_group_of_scope_image_is_one_tube(video: Array) -> None:
    tubes = follow(video)
    of_whole = [tube for tube in tubes.tubes if tube.group == 2]
    assert len(of_whole) == int(np.isin(video, WHOLE.ids).any())
    if of_whole:
        assert of_whole[0].pixels.tolist() == [int((video == i).sum()) for i in WHOLE.ids]


@given(VIDEOS, st.floats(0, 1), st.integers(1, 4))
def test_small_and_short_ones_are_passed_over_and_the_others_keep_their_places(
    video: Array, min_area: float, min_frames: int
) -> None:
    everything, kept = follow(video), follow(video, min_area=min_area, min_frames=min_frames)
    pixels = video[0].size
    expected = [
        i
        for i, tube in enumerate(everything.tubes)
        if len(tube.frames) >= min_frames and tube.areas.mean() >= min_area * pixels
    ]
    assert [tube.frames for tube in kept.tubes] == [everything.tubes[i].frames for i in expected]
    assert (all_masks(kept, video) == all_masks(everything, video)[expected]).all()


@settings(max_examples=20)
@given(VIDEOS)
def test_tubes_are_numbered_by_where_they_begin(video: Array) -> None:
    tubes = follow(video).tubes
    begins = [(tube.frames[0], tube.group) for tube in tubes]
    assert begins == sorted(begins)


def test_a_region_that_moves_stays_one_and_a_cut_ends_it() -> None:
    video = np.full((6, 8, 20), 6, np.uint8)
    for t in range(4):
        video[t, 2:6, 2 * t : 2 * t + 5] = t % 2
    video[4, 2:6, 15:20] = 0  # far away: another region
    tubes = follow(video).tubes
    assert [(tube.frames, tube.pixels.tolist()) for tube in tubes] == [((0, 1, 2, 3), [40, 40]), ((4,), [20, 0])]


def test_two_that_meet_are_one_from_the_beginning() -> None:
    video = np.full((3, 4, 9), 6, np.uint8)
    video[0, :, :3] = video[0, :, 6:] = 0
    video[1] = 0
    video[2, :, :3] = video[2, :, 6:] = 1
    tubes = follow(video)
    assert [tube.frames for tube in tubes.tubes] == [(0, 1, 2)]
    assert all_masks(tubes, video)[0].sum() == 24 + 36 + 24


def test_what_is_kept_of_a_video_grows_by_its_regions_alone() -> None:
    video = np.zeros((2, 64, 64), np.uint8)
    short, long = Follower(GROUPS), Follower(GROUPS)
    for follower, times in ((short, 1), (long, 50)):
        for labels in np.concatenate([video] * times):
            follower.add(labels)
    kept = [sum(counts.nbytes for *_, counts in follower._counts) for follower in (short, long)]
    assert kept[1] == 50 * kept[0] and kept[0] < 64
