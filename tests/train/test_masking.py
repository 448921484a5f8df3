"""MVC's masks: as many patches hidden as asked for, in whole patches, the same for the same seed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsscli.errors import OptionError
from vsscli.train.masking import Mvc, hidden, hide

SIZES = st.integers(1, 150)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(SIZES, SIZES, st.integers(1, 40), st.floats(0, 1), st.sampled_from(["frame", "clip"]), st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_patches_are_whole_and_aligned(h: int, w: int, patch: int, ratio: float, per: str, seed: int) -> None:
    where = hidden(Mvc(patch, ratio, per=per), 3, h, w, chance(seed))
    assert where.shape == (3, h, w) and where.dtype == torch.bool
    for top in range(0, h, patch):
        for left in range(0, w, patch):
            block = where[:, top : top + patch, left : left + patch].flatten(1)
            assert bool((block == block[:, :1]).all())
    if per == "clip":
        assert torch.equal(where[0], where[1]) and torch.equal(where[0], where[2])
    assert torch.equal(where, hidden(Mvc(patch, ratio, per=per), 3, h, w, chance(seed)))


@given(st.floats(0, 1), st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_the_share_hidden_is_the_ratio(ratio: float, seed: int) -> None:
    patches = 4 * 40 * 40
    share = float(hidden(Mvc(4, ratio), 4, 160, 160, chance(seed)).float().mean())
    assert abs(share - ratio) < 5 * (ratio * (1 - ratio) / patches) ** 0.5 + 1e-6


def test_none_and_all() -> None:
    assert not hidden(Mvc(8, 0.0), 2, 30, 30, chance()).any()
    assert hidden(Mvc(8, 1.0), 2, 30, 30, chance()).all()


def test_frames_differ_and_seeds_differ() -> None:
    one = hidden(Mvc(8, 0.5), 2, 64, 64, chance(1))
    assert not torch.equal(one[0], one[1])
    assert not torch.equal(one, hidden(Mvc(8, 0.5), 2, 64, 64, chance(2)))


@pytest.mark.parametrize("fill", ["mean", "zero"])
def test_what_is_hidden_is_filled_and_the_rest_stays(fill: str) -> None:
    pixels, black = torch.randn(2, 3, 33, 47), torch.tensor([-2.0, -1.5, -1.0])
    before = pixels.clone()
    mvc = Mvc(16, 0.5, fill=fill)
    found, where = hide(pixels, mvc, black, chance(3)), hidden(mvc, 2, 33, 47, chance(3))
    assert torch.equal(pixels, before)
    seen = ~where[:, None].expand_as(pixels)
    assert torch.equal(found[seen], pixels[seen])
    expected = torch.zeros(3) if fill == "mean" else black
    assert torch.equal(found[~seen], expected[None, :, None, None].expand_as(pixels)[~seen])
    assert 0 < int(where.sum()) < where.numel()


@pytest.mark.parametrize(
    ("entry", "value"), [("patch", 0), ("ratio", 1.5), ("ratio", -0.1), ("weight", 0.0), ("per", "x"), ("fill", "x")]
)
def test_values_that_make_no_sense_are_told(entry: str, value: object) -> None:
    with pytest.raises(OptionError, match=rf"mvc\.{entry} {value!r}"):
        Mvc(**{entry: value})  # type: ignore[arg-type]
