"""Small models of every kind of backbone that is published for MPVSS."""

from dataclasses import replace

from hypothesis import strategies as st

from tests.models.convert.official import configs as segmenters
from vsscli.models.mpvss.config import MotionConfig, MpvssConfig

_SIX = st.tuples(*[st.integers(1, 9)] * 6)
_FOUR = st.tuples(*[st.integers(1, 9)] * 4)


@st.composite
def configs(draw: st.DrawFn) -> MpvssConfig:
    """With the head counts that the rules assume."""
    segmenter = replace(draw(segmenters()), kind="segmenter", reid=False, tracker=None, refiner=None)
    motion = MotionConfig(
        draw(_SIX), draw(_FOUR), draw(st.integers(1, 4)), 8, draw(st.integers(1, 40)), draw(st.integers(1, 40))
    )
    return MpvssConfig(segmenter, motion)
