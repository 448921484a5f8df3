"""What VidEoMT, PMT and LVMT need of memory: as much of each frame as is told, and nothing of it with ``--causal``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infer.test_dvis_memory import make_frames, need_of
from tests.models.vmt.folders import write_random

PROBE = """
import sys
from pathlib import Path
from tests.support import peak_memory
from tests.infer.test_stage import infer
root, causal = Path(sys.argv[1]), sys.argv[2] == "True"
for count in sys.argv[3:]:
    infer(root / f"v{count}", root / f"run{count}", root / "model", size="540", batch=1, causal=causal)
    print(peak_memory())
"""
COUNTS = (6, 12, 84)


@pytest.mark.parametrize("causal", [False, True])
def test_a_frame_takes_what_is_told(causal: bool, tmp_path: Path) -> None:
    """A short video first, so that what a process takes once is taken; then two of different lengths.

    A peak by itself varies by some 8 MB from run to run: the lengths differ by 38 MB.
    """
    model = write_random(tmp_path / "model", "lvmt", encoder="dinov3", dim=64, queries=20)
    data = [make_frames(tmp_path / f"v{count}" / "a", count, (90, 160)).parent for count in COUNTS]
    command = [sys.executable, "-c", PROBE, str(tmp_path), str(causal), *map(str, COUNTS)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "MALLOC_ARENA_MAX": "2"}
    environment.pop("TMPDIR", None)
    told = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    _, few, many = (1024 * int(line) for line in told.split())
    need = need_of(data[-1], model, "540")
    assert (need.stored, need.held) == ((34 * 60 + 20) * 64 * 4, 0)
    grown = (many - few) / (COUNTS[2] - COUNTS[1])
    said = f"{grown / 1e6:.3f} MB a frame; {need.stored / 1e6:.3f} MB are kept"
    print(said)
    if causal:
        assert grown < 0.4 * need.stored, said
    else:
        assert 0.6 * need.stored < grown < 1.4 * need.stored, said
