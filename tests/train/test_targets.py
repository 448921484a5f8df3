"""What a clip should give: one mask for each class in it."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsscli.train.targets import make_targets


@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_masks_rebuild_the_labels(frames: int, h: int, w: int, seed: int) -> None:
    labels = torch.randint(0, 6, (frames, h, w), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    labels[labels == 5] = 255
    targets = make_targets(labels)
    assert targets.labels.tolist() == sorted(set(torch.unique(labels).tolist()) - {255})
    rebuilt = torch.full_like(labels, 255)
    for label, mask in zip(targets.labels, targets.masks, strict=True):
        rebuilt[mask] = int(label)
    assert torch.equal(rebuilt, labels)
    assert torch.equal(targets.frame(0).labels, targets.labels)  # a class counts where it is not to be seen too
    assert targets.frame(0).masks.shape == (len(targets.labels), 1, h, w)


def test_nothing_but_void_has_no_target() -> None:
    targets = make_targets(torch.full((2, 4, 4), 255, dtype=torch.uint8))
    assert targets.masks.shape == (0, 2, 4, 4)
