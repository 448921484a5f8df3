"""Clips: the frames that are drawn, one change for a whole clip, always the same clip for the same number."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsscli.data.open import open_dataset
from vsscli.models.preprocess import Preprocess
from vsscli.train.augment import augment, draw_change
from vsscli.train.batches import Batch, Samples, Share, batches, collate
from vsscli.train.clips import Clips, Shot, choose_frames
from vsscli.train.config import Clip, Input

FRAMES = st.integers(1, 8)


def dice(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.integers(1, 30), FRAMES, st.integers(0, 9), st.sampled_from([0.0, 1.0]), st.integers(0, 99))
@settings(deadline=None)
def test_frames_within_reach(count: int, frames: int, reach: int, reverse: float, seed: int) -> None:
    chosen = choose_frames(count, Clip(frames, reach, reverse), dice(seed))
    assert len(chosen) == frames and min(chosen) >= 0 and max(chosen) < count
    assert sorted(chosen, reverse=reverse == 1) == chosen
    assert max(chosen) - min(chosen) <= 2 * reach


@given(FRAMES, st.integers(0, 12), st.integers(0, 99))
@settings(deadline=None)
def test_frames_without_gaps(frames: int, spare: int, seed: int) -> None:
    chosen = choose_frames(frames + spare, Clip(frames), dice(seed))
    assert chosen == list(range(chosen[0], chosen[0] + frames))
    assert chosen[0] < max(1, spare)  # the last start is never drawn, as in the published sampling


@given(st.integers(1, 8), FRAMES, st.integers(0, 99))
@settings(deadline=None)
def test_of_a_short_video_the_last_frame_is_held(count: int, more: int, seed: int) -> None:
    chosen = choose_frames(count, Clip(count + more), dice(seed))
    assert chosen == [*range(count), *[count - 1] * more]


def test_clips_run_backwards_as_often_as_asked() -> None:
    backwards = [choose_frames(9, Clip(3, None, 0.5), dice(seed)) for seed in range(200)]
    assert 70 < sum(chosen[0] > chosen[-1] for chosen in backwards) < 130


@pytest.fixture
def clips(data: Path) -> Clips:
    return Clips([open_dataset(data, "train")], Clip(2), 5, strict=True)


def test_every_video_comes_once_before_any_comes_again(clips: Clips) -> None:
    laps = [[clips.read(3 * lap + i, clips.dice(3 * lap + i)).video for i in range(3)] for lap in range(6)]
    assert all(sorted(lap) == ["1_a", "2_b", "3_c"] for lap in laps)
    assert len({tuple(lap) for lap in laps}) > 1


@given(
    st.integers(20, 60),
    st.integers(20, 60),
    st.lists(st.integers(8, 50), min_size=1, max_size=3),
    st.sampled_from([(None, None), ((16, 24), None), (None, (8, 40))]),
    st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_frames_and_labels_change_alike(
    h: int, w: int, short: list[int], cut: tuple[tuple[int, int] | None, tuple[int, int] | None], seed: int
) -> None:
    """Labels that are painted into the frame are where the frame shows them, in all frames at the same place."""
    random = dice(seed)
    labels = np.kron(random.integers(0, 2, (3, 3)), np.ones((h // 3 + 1, w // 3 + 1)))[:h, :w].astype(np.uint8)
    shot = Shot("v", ("1", "2"), np.stack([labels[..., None].repeat(3, 2) * 200] * 2), np.stack([labels] * 2))
    change = draw_change(h, w, Input(tuple(short), None, *cut), random)
    images, found = augment(shot, change)
    assert images.shape == (*found.shape, 3) and np.array_equal(images[0], images[1])
    assert np.array_equal(found[0], found[1])
    if cut[0] is not None:
        assert found.shape[1:] == tuple(map(min, change.size, cut[0]))
    if cut[1] is not None:
        assert all(
            min(8, side) <= kept <= min(40, side) for kept, side in zip(found.shape[1:], change.size, strict=True)
        )
    agree = ((images[0, ..., 0] > 100) == found[0]).mean()
    assert agree > 0.85  # the rest lies on the borders, between the two filters


def test_mirroring_turns_both_and_half_of_the_time() -> None:
    ramp = np.arange(40, dtype=np.uint8)[None].repeat(20, 0)
    shot = Shot("v", ("1",), ramp[None, ..., None].repeat(3, 3), ramp[None])
    turned = 0
    for seed in range(100):
        images, labels = augment(shot, draw_change(20, 40, Input((20,), None), dice(seed)))
        assert np.array_equal(images[..., 0], labels)
        turned += labels[0, 0, 0] > labels[0, 0, -1]
    assert 30 < turned < 70


def test_batches_pad_with_the_mean_colour_and_without_labels(clips: Clips) -> None:
    samples = Samples(clips, Input((32, 48), None, flip=False), Preprocess(32, 64, divisor=32))
    found = collate([samples[0], samples[1], samples[2]])
    assert isinstance(found, Batch)
    assert found.pixels.shape[:3] == (3, 2, 3) and not any(side % 32 for side in found.pixels.shape[3:])
    for i, target in enumerate(found.targets):
        pixels, labels, told = samples[i]  # type: ignore[misc]
        h, w = labels.shape[1:]
        assert told == found.told[i] and torch.equal(found.pixels[i, ..., :h, :w], pixels)
        outside = found.pixels[i].clone()
        outside[..., :h, :w] = 0
        assert not outside.any() and not target.masks[..., h:, :].any() and not target.masks[..., w:].any()


@pytest.mark.parametrize("workers", [0, 1])
def test_any_step_can_be_the_first(clips: Clips, workers: int) -> None:
    samples = Samples(clips, Input((32,), None, (32, 32)), Preprocess(32, 64, divisor=32))
    whole = list(batches(samples, Share(2), 0, 3, 0))
    later = list(batches(samples, Share(2), 2, 3, workers))
    assert torch.equal(whole[2].pixels, later[0].pixels) and whole[2].told == later[0].told
    shares = [list(batches(samples, Share(1, rank, 2), 0, 3, 0)) for rank in range(2)]
    assert [told for part in zip(*shares, strict=True) for each in part for told in each.told] == [
        told for batch in whole for told in batch.told
    ]


def test_overfitting_sees_the_same_clips_again(clips: Clips) -> None:
    samples = Samples(clips, Input((32, 48), None, (32, 32)), Preprocess(32, 64, divisor=32), overfit=2)
    first, again = samples[1], samples[5]
    assert torch.equal(first[0], again[0])  # type: ignore[index]
    assert not torch.equal(samples[0][0], first[0])  # type: ignore[index]
