"""Stage by stage the networks compute what the published ones compute: small ones, and the full-size ResNet-50."""

import numpy as np
import pytest

from tests.fixtures.recorded import recorded
from tests.models.dvis.cases import (
    PREFIX,
    model,
    offline_arrays,
    online_arrays,
    pixels,
    segmenter_arrays,
    watched,
)

FAMILIES = ("tiny", "tinyvit", "r50")
CASES = (
    ("tiny", "clipA", None),
    ("tiny", "clipB", None),
    ("tiny", "clipA", 104),
    ("tinyvit", "clipA", None),
    ("r50", "clipA", None),
    ("r50", "clipB", None),
)


def case_name(family: str, kind: str, clip: str, short: int | None) -> str:
    return f"{PREFIX[family]}_{kind}_{clip}" + (f"_short{short}" if short else "")


@pytest.mark.parametrize("family", FAMILIES)
def test_segmenter(family: str) -> None:
    seen = watched(family, "clipA")
    recorded(f"{PREFIX[family]}_segmenter_clipA").check(**segmenter_arrays(model(family), pixels("clipA"), seen))


@pytest.mark.parametrize(("family", "clip", "short"), CASES)
def test_online(family: str, clip: str, short: int | None) -> None:
    seen, recording = watched(family, clip, short), recorded(case_name(family, "online", clip, short))
    recording.check(**online_arrays(model(family), seen))
    np.testing.assert_array_equal(seen.followed("order"), recording["match_indices"])


@pytest.mark.parametrize(("family", "clip", "short"), CASES)
def test_offline(family: str, clip: str, short: int | None) -> None:
    recorded(case_name(family, "offline", clip, short)).check(**offline_arrays(watched(family, clip, short)))
