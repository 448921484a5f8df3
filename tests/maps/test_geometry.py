"""Sizes of what a network sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsscli.maps.geometry import network_size, padded_size

sides = st.integers(1, 5000)


@pytest.mark.parametrize(
    ("frame", "short", "cap", "expected"),
    [
        ((480, 853), 720, 1333, (720, 1280)),
        ((480, 854), 720, 1333, (720, 1281)),
        ((1080, 1920), 720, 1333, (720, 1280)),
        ((480, 856), 480, 853, (478, 853)),
        ((856, 480), 480, 853, (853, 478)),
        ((480, 480), 720, 1333, (720, 720)),
        ((480, 853), 792, 1466, (792, 1407)),
        ((480, 853), 864, 1600, (864, 1535)),
        ((480, 1920), 720, 1333, (333, 1333)),
        ((481, 855), None, 100, (481, 855)),
        ((480, 4800), 480, None, (480, 4800)),
        ((1, 5000), 10, 20, (1, 20)),
    ],
)
def test_official_sizes(frame: tuple[int, int], short: int | None, cap: int | None, expected: tuple[int, int]) -> None:
    assert network_size(*frame, short, cap) == expected


@given(sides, sides, st.integers(1, 2000), st.none() | st.integers(1, 3000))
def test_the_short_side_or_the_cap_rules(height: int, width: int, short: int, cap: int | None) -> None:
    new = network_size(height, width, short, cap)
    assert new == network_size(width, height, short, cap)[::-1]
    if cap is None or max(new) < cap:
        assert min(new) == short
    else:
        assert max(new) <= cap


@given(sides, sides, st.integers(1, 64))
def test_padding_is_the_next_multiple(height: int, width: int, divisor: int) -> None:
    for side, padded in zip((height, width), padded_size(height, width, divisor), strict=True):
        assert padded % divisor == 0
        assert side <= padded < side + divisor
