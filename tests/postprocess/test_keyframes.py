"""Key frames: spread, large, sharp."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vsscli.postprocess.keyframes import COMPARED, sharpness, shortlists

AREAS = st.lists(st.integers(1, 100), min_size=1, max_size=60)


@given(AREAS, st.integers(0, 20), st.integers(1, 4))
def test_shortlists_hold_large_frames_of_parts_one_after_the_other(areas: list[int], first: int, parts: int) -> None:
    frames = [first + 2 * i for i in range(len(areas))]
    lists = shortlists(frames, areas, parts)
    assert len(lists) == min(parts, len(areas)) and all(1 <= len(part) <= COMPARED for part in lists)
    area = dict(zip(frames, areas, strict=True))
    for part in lists:
        assert 10 * min(area[f] for f in part) >= 8 * max(area[f] for f in part)
    for earlier, later in pairwise(lists):
        assert max(earlier) < min(later)
    usual = [a for a in areas if a <= 2 * sorted(areas)[len(areas) // 2]]
    if sum(2 * a >= max(usual) for a in usual) >= parts:
        assert all(max(usual) / 2 <= area[f] <= max(usual) for part in lists for f in part)


def test_a_mask_that_runs_over_in_some_frames_is_not_shown() -> None:
    areas = [900 if i % 4 == 0 else 100 for i in range(24)]
    assert {areas[i] for part in shortlists(range(24), areas, 3) for i in part} == {100}


def test_in_a_steady_video_key_frames_lie_a_third_apart() -> None:
    lists = shortlists(range(60), [50] * 60, 3)
    assert [part[0] for part in lists] == [9, 29, 49]
    assert min(lists[1]) - max(lists[0]) >= 15 and min(lists[2]) - max(lists[1]) >= 15


def test_a_blurred_frame_is_less_sharp() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    blurred = ((image.astype(int) + np.roll(image, 1, 0) + np.roll(image, 1, 1)) // 3).astype(np.uint8)
    assert sharpness(image) > 2 * sharpness(blurred) > sharpness(np.full((40, 50, 3), 9, np.uint8)) == 0
    assert sharpness(image[:2]) == 0


def test_the_variance_of_the_laplacian_by_hand() -> None:
    image = np.zeros((4, 3, 3), np.uint8)
    image[1, 1] = 100
    assert abs(sharpness(image) - np.var([-400.0, 100.0])) < 1
