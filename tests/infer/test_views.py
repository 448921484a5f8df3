"""Views: sizes, names, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsscli.errors import OptionError
from vsscli.infer.views import make_views, parse_scales, parse_size
from vsscli.maps.geometry import network_size


def test_the_papers_four_scales_are_four_input_sizes() -> None:
    """Sizes at 480x853 with 720/1333: the cap grows with the scale, else 1.1 and 1.2 would be one input."""
    views = make_views((0.9, 1.0, 1.1, 1.2), False, 720, 1333)
    sizes = [network_size(480, 853, view.short, view.cap) for view in views]
    assert sizes == [(648, 1152), (720, 1280), (792, 1407), (864, 1535)]


@given(
    st.lists(st.sampled_from([0.5, 0.75, 0.9, 1.0, 1.1, 1.2, 1.25, 1.5, 1.75]), min_size=1, unique=True),
    st.booleans(),
    st.integers(64, 1080),
    st.tuples(st.integers(32, 2000), st.integers(32, 2000)),
)
def test_all_views_have_distinct_inputs(scales: list[float], flip: bool, short: int, frame: tuple[int, int]) -> None:
    views = make_views(tuple(scales), flip, short, short * 1333 // 720)
    inputs = {(network_size(*frame, view.short, view.cap), view.flip) for view in views}
    assert len(inputs) == len(views) == len(scales) * (2 if flip else 1)
    assert len({view.name for view in views}) == len(views)


def test_views_that_would_be_one_are_refused() -> None:
    with pytest.raises(OptionError, match="same input size"):
        make_views((1.0, 1.0001), False, 720, 1333)


@pytest.mark.parametrize("text", ["0", "-1", "1.0,0", "nan", "inf", "a", "", "1.0,1.0", "1,1.0", "11"])
def test_bad_scales(text: str) -> None:
    with pytest.raises(OptionError, match="--scales"):
        parse_scales(text)


@pytest.mark.parametrize("text", ["0", "-5", "7.5", "small", "", "99999"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(OptionError, match="--size"):
        parse_size(text)


def test_native_has_no_cap() -> None:
    assert parse_size("native") is None
    (view,) = make_views((1.0,), False, None, None)
    assert view.describe() == {"scale": 1.0, "flip": False, "short": None, "cap": None}
