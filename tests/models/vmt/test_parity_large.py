"""The full-size LVMT computes what the published one computes. Alone in its file: it takes 3 GB.

`tests.models.vmt.full_parity` goes through all the others.
"""

import torch

from tests.fixtures.recorded import recorded_vmt
from tests.models.vmt.cases import clip_of, load, watch


def test_lvmt_with_dinov3() -> None:
    with torch.no_grad():
        found = watch(load("lvmt_dinov3_vitl"), clip_of("clipB"))
    recorded_vmt("lvmt_dinov3_vitl_clipB").check(**found)
