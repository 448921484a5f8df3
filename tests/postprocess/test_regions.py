"""What is judged as one: parts of tubes, by hand and for any counts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.postprocess.test_tubes import GROUPS, VIDEOS, Array, follow
from vsscli.postprocess.plan import Plan
from vsscli.postprocess.regions import find_regions, judged_alone, share_of
from vsscli.postprocess.rules import MIXED, Rules
from vsscli.postprocess.tubes import Tube

COUNTS = st.tuples(st.integers(1, 8), st.integers(2, 5)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.sampled_from([0, 0, 1, 7, 100]))
)


def tube(*counts: tuple[int, ...]) -> Tube:
    return Tube(0, tuple(range(len(counts))), np.array(counts, np.int64))


def test_two_that_touch_are_judged_alone_and_specks_go_along() -> None:
    assert list(judged_alone(tube((90, 60, 2), (90, 60, 0), (90, 60, 0)), 3)) == [(0, 2), (1,)]
    assert list(judged_alone(tube((60, 90, 2), (60, 90, 0), (60, 90, 0)), 3)) == [(1, 2), (0,)]


def test_what_is_there_too_shortly_goes_along() -> None:
    assert list(judged_alone(tube((90, 0), (0, 90), (90, 0), (90, 0)), 2)) == [(0, 1)]
    assert list(judged_alone(tube((90, 0), (0, 90), (90, 0), (0, 90)), 2)) == [(0,), (1,)]


@given(COUNTS, st.integers(1, 4))
def test_parts_share_a_tube_out(counts: np.ndarray, min_frames: int) -> None:
    counts[:, 0] += 1  # a tube has a pixel in each of its frames
    whole = tube(*counts.tolist())
    parts = list(judged_alone(whole, min_frames))
    assert sorted(c for part in parts for c in part) == list(range(counts.shape[1]))
    shares = [share_of(whole, part) for part in parts]
    assert sum(share.pixels for share in shares).tolist() == whole.pixels.tolist()  # type: ignore[union-attr]
    for share in shares:
        assert (share.areas > 0).all() and set(share.frames) <= set(whole.frames)
        for row, frame in zip(share.counts, share.frames, strict=True):
            assert ((row == counts[frame]) | (row == 0)).all()
    for share in shares[1:]:
        assert share.pixels.sum() >= MIXED * whole.pixels.sum() and len(share.frames) >= min_frames


@given(VIDEOS)
def test_masks_of_regions_cover_each_tube_once(video: Array) -> None:
    tubes = follow(video)
    regions = tuple(find_regions(tubes, GROUPS, Rules(when="all", min_frames=2)))
    plan = Plan("v", (), tubes, regions, video.size)
    names = [region.name for region in regions]
    assert len(names) == len(set(names)) and not any("/" in name or "," in name for name in names)
    covered = np.zeros(video.shape, int)
    counts = np.zeros(len(regions), int)
    for t, labels in enumerate(video):
        for i, mask in plan.masks(t, labels, frozenset(range(len(regions)))):
            covered[t] += mask
            counts[i] += mask.sum()
            assert t in regions[i].tube.frames
    assert (covered == np.isin(video, [0, 1, 2, 3, 4, 5])).all()
    assert counts.tolist() == [int(region.tube.pixels.sum()) for region in regions]


def test_masks_of_two_that_touch() -> None:
    video = np.full((3, 4, 8), 6, np.uint8)
    video[:, :, :4], video[:, :, 4:6] = 0, 1
    tubes = follow(video)
    plan = Plan("v", (), tubes, tuple(find_regions(tubes, GROUPS, Rules())), video.size)
    assert [(r.name, r.ids) for r in plan.regions] == [("water-1.sea", (0,)), ("water-1.river", (1,))]
    masks = dict(plan.masks(1, video[1], frozenset((0, 1))))
    assert (masks[0] == (video[1] == 0)).all() and (masks[1] == (video[1] == 1)).all()
