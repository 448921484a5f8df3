"""Consistency with the motion, against the plain way and in scenes whose answer is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from vsscli.ensemble.consistency import SSIM_ON, Consistency
from vsscli.maps.flow import backward_flow

Labels = NDArray[np.uint8]


def scene(frames: int, seed: int = 0, step: tuple[int, int] = (1, 2), size: tuple[int, int] = (64, 80)) -> list[Labels]:
    """Frames of a picture that moves by ``step`` pixels (down, right) in each."""
    h, w = size
    big = gaussian_filter(np.random.default_rng(seed).normal(size=(h + 40, w + 40)), 2)
    picture = np.clip(127 + 45 * big / big.std(), 0, 255).astype(np.uint8)
    return [move(picture, i, step, size) for i in range(frames)]


def move(picture: Labels, i: int, step: tuple[int, int], size: tuple[int, int]) -> Labels:
    y, x = 20 - i * step[0], 20 - i * step[1]
    return picture[y : y + size[0], x : x + size[1]]


def labels_of(frames: list[Labels]) -> list[Labels]:
    """Label maps that move with the frames: bands of gray."""
    return [(frame // 64).astype(np.uint8) for frame in frames]


def spoiled(maps: list[Labels], share: float, seed: int) -> list[Labels]:
    random = np.random.default_rng(seed)
    return [np.where(random.random(m.shape) < share, random.integers(0, 9, m.shape), m).astype(np.uint8) for m in maps]


def measure(frames: list[Labels], runs: list[list[Labels]], ssim_on: str = "ids") -> Consistency:
    consistency = Consistency(len(runs), ssim_on)
    for frame, *maps in zip(frames, *runs, strict=True):
        consistency.add(frame, maps)
    return consistency


def means(frames: list[Labels], runs: list[list[Labels]], ssim_on: str = "ids") -> tuple[float, ...]:
    found = measure(frames, runs, ssim_on).means
    assert found is not None
    return found


def plainly(frames: list[Labels], maps: list[Labels]) -> float:
    """As one would write it down from the paper: pixel by pixel, flow by OpenCV, SSIM by scikit-image."""
    h, w = frames[0].shape
    values = []
    for t in range(len(frames) - 1):
        flow = cv2.calcOpticalFlowFarneback(frames[t + 1], frames[t], None, 0.5, 3, 15, 3, 5, 1.2, 0)
        warped, known = np.zeros((h, w), np.uint8), np.zeros((h, w), np.bool_)
        for y in range(h):
            for x in range(w):
                column, row = (int(np.floor(at + float(flow[y, x, k]) + 0.5)) for k, at in ((0, x), (1, y)))
                if 0 <= column < w and 0 <= row < h:
                    warped[y, x], known[y, x] = maps[t][row, column], True
        _, full = structural_similarity(warped, maps[t + 1], full=True)
        whole = np.lib.stride_tricks.sliding_window_view(known, (7, 7)).all((2, 3))
        values.append(full[3:-3, 3:-3][whole].mean())
    return float(np.mean(values))


@pytest.mark.parametrize("step", [(1, 2), (-2, 0), (0, -3)])
def test_it_equals_the_plain_way(step: tuple[int, int]) -> None:
    frames = scene(4, 1, step)
    runs = [labels_of(frames), spoiled(labels_of(frames), 0.1, 5), [labels_of(frames)[0]] * 4]
    np.testing.assert_allclose(means(frames, runs), [plainly(frames, maps) for maps in runs], rtol=0, atol=1e-12)


@pytest.mark.parametrize("ssim_on", SSIM_ON)
def test_maps_that_move_with_the_scene_are_consistent_and_others_less(ssim_on: str) -> None:
    frames = scene(5)
    moving = labels_of(frames)
    still, wrong_way = [moving[0]] * 5, moving[::-1]
    found = means(frames, [moving, still, wrong_way, spoiled(moving, 0.05, 1)], ssim_on)
    assert found[0] > 0.97
    assert max(found[1:]) < found[0] - 0.005


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(4)), st.sampled_from(sorted(SSIM_ON)))
def test_a_run_is_measured_alone_and_the_order_means_nothing(order: list[int], ssim_on: str) -> None:
    frames = scene(3, 2)
    runs = [spoiled(labels_of(frames), 0.03 * i, i) for i in range(4)]
    found = means(frames, runs, ssim_on)
    assert means(frames, [runs[i] for i in order], ssim_on) == tuple(found[i] for i in order)
    assert means(frames, runs[2:3], ssim_on) == found[2:3]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_numbers_of_classes_count_for_ids_alone(seed: int) -> None:
    frames = scene(3, 4)
    maps = spoiled(labels_of(frames), 0.1, 7)
    order = np.random.default_rng(seed).permutation(256).astype(np.uint8)
    others = [order[labels] for labels in maps]
    assert means(frames, [maps], "classes") == means(frames, [others], "classes")
    assert means(frames, [maps], "ids") != means(frames, [others], "ids")


def test_fewer_than_two_classes_are_told() -> None:
    frames = scene(3)
    flat = np.zeros_like(frames[0])
    dotted, holey = flat.copy(), flat.copy()
    dotted[0, 0], holey[:9] = 7, 255
    runs = [[flat] * 3, [flat, flat, dotted], [holey] * 3, [flat, flat + 1, flat]]
    consistency = measure(frames, [[m.astype(np.uint8) for m in maps] for maps in runs])
    assert consistency.eligible == (False, True, False, True), "no label is no class"
    assert consistency.means is not None and consistency.means[0] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("count", "size"), [(1, (64, 80)), (4, (6, 80)), (3, (20, 1))])
def test_where_nothing_can_be_compared_there_are_no_means(count: int, size: tuple[int, int]) -> None:
    frames = scene(count, step=(0, 0), size=size)
    consistency = measure(frames, [labels_of(frames)] * 2)
    assert consistency.means is None and consistency.pairs == 0 and consistency.frames == count


def test_pairs_without_a_window_inside_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flow that leads outside everywhere, as after a cut, says nothing about any run."""
    frames = scene(4)
    maps = labels_of(frames)
    expected = means(frames[:3], [maps[:3]])
    calls = []

    def flow(earlier: Labels, later: Labels) -> NDArray[np.float32]:
        calls.append(later)
        return backward_flow(earlier, later) + np.float32(1e6 if later is frames[3] else 0)

    monkeypatch.setattr("vsscli.ensemble.consistency.backward_flow", flow)
    consistency = measure(frames, [maps, maps])
    assert consistency.pairs == 2 and consistency.means == expected * 2
    assert len(calls) == 3, "one flow for all runs"
