"""Stage by stage the small networks compute what the published ones compute."""

import pytest
import torch

from tests.fixtures.recorded import VMT, recorded_vmt
from tests.models.vmt.cases import clip_of, small, watch

CASES = sorted(path.stem for path in VMT.glob("*_tiny_*.npz"))
#: Differences grow from frame to frame where the queries are a memory.
LONG = 1e-3


def test_every_case_is_there() -> None:
    assert len(CASES) == 17


@pytest.mark.parametrize("case", CASES)
def test_small_networks(case: str) -> None:
    arch, _, clip = case.partition("_clip")
    recording, (clip, _, long) = recorded_vmt(case), f"clip{clip}".partition("_long")
    frames = clip_of(clip)
    if long:
        frames = frames[recording.meta["frame_order"]]
        assert len(frames) == int(long)
    with torch.no_grad():
        found = watch(small(arch), frames)
    errors = {name: recording.error(name, array) for name, array in found.items()}
    print(case, {name: f"{error:.0e}" for name, error in errors.items()})
    assert max(errors.values()) <= (LONG if long else 1e-4), errors
    assert set(found) >= {name for name in recording.arrays if f"{name}__full" in recording.arrays}
