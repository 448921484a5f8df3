"""Which videos a command works on."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsscli.engine import select_videos
from vsscli.errors import OptionError

NAMES = ("a", "b", "c", "d", "e")


def test_all_without_options() -> None:
    assert select_videos(NAMES, None, None) == NAMES


@given(st.integers(0, 30), st.integers(1, 12))
def test_shards_split_the_list_without_loss_or_overlap(count: int, shards: int) -> None:
    names = [f"{i:03d}" for i in range(count)]
    parts = [select_videos(names, None, f"{i}/{shards}") for i in range(shards)]
    assert sorted(name for part in parts for name in part) == names
    assert parts[0] == tuple(names[0::shards])


def test_names_and_lists(tmp_path: Path) -> None:
    assert select_videos(NAMES, "c, a", None) == ("a", "c")
    listed = tmp_path / "list.txt"
    listed.write_text("\ufeffd\r\n\nb\n")
    assert select_videos(NAMES, f"@{listed}", None) == ("b", "d")
    assert select_videos(NAMES, "a,b,c", "1/2") == ("b",)


@pytest.mark.parametrize("videos", ["z", ",", "", "@/no/such/list"])
def test_bad_names_are_named(videos: str) -> None:
    with pytest.raises(OptionError, match="--videos"):
        select_videos(NAMES, videos, None)


@pytest.mark.parametrize("shard", ["4/4", "-1/4", "1", "a/b", "0/0", "1/2/3", ""])
def test_bad_shards_are_refused(shard: str) -> None:
    with pytest.raises(OptionError, match="--shard"):
        select_videos(NAMES, None, shard)


def test_slurm_reads_the_array_variables_and_only_when_asked() -> None:
    array = {
        "SLURM_ARRAY_TASK_ID": "5",
        "SLURM_ARRAY_TASK_MIN": "1",
        "SLURM_ARRAY_TASK_COUNT": "3",
        "SLURM_ARRAY_TASK_STEP": "2",
    }
    assert select_videos(NAMES, None, "slurm", array) == ("c",)
    assert select_videos(NAMES, None, None, array) == NAMES
    with pytest.raises(OptionError, match="job array"):
        select_videos(NAMES, None, "slurm", {})
    assert select_videos(NAMES, None, "slurm", {**array, "SLURM_ARRAY_TASK_MAX": "5"}) == ("c",)
    for task in ("0", "3"):  # --array=0,3: of three tasks nobody would know what the missing ones have
        gaps = {"ID": task, "MIN": "0", "COUNT": "2", "STEP": "1", "MAX": "3"}
        with pytest.raises(OptionError, match="the array has gaps"):
            select_videos(NAMES, None, "slurm", {f"SLURM_ARRAY_TASK_{name}": value for name, value in gaps.items()})
    with pytest.raises(OptionError, match="task 4"):
        select_videos(NAMES, None, "slurm", {**array, "SLURM_ARRAY_TASK_ID": "4"})
