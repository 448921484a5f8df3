"""Pixels helped and hurt, by hand; mIoU equal to what `score` says."""

from pathlib import Path

import numpy as np
import pytest

from tests.postprocess.worlds import SKY, TABLE, world, write_data, write_run
from vsscli.data.open import open_dataset
from vsscli.postprocess.effect import masked_videos, measure
from vsscli.postprocess.groups import Group, read_groups
from vsscli.runs.run import open_run
from vsscli.score.protocols import PROTOCOLS
from vsscli.score.reading import count_run, make_rule
from vsscli.score.result import describe

NAMES = tuple(world())


def test_helped_and_hurt_and_the_score_before_and_after(tmp_path: Path) -> None:
    videos = world()
    truth, prediction = videos["1_split"]
    truth[0, 30, :10] = 255  # void counts nowhere
    videos["1_split"] = truth, prediction
    data = open_dataset(write_data(tmp_path / "data", videos))
    before = open_run(write_run(tmp_path / "before", videos))
    after = dict(videos)
    after["1_split"] = truth, np.where(prediction == TABLE.index("sea"), TABLE.index("lake"), prediction)
    after["3_fine"] = videos["3_fine"][0], np.where(prediction == SKY, prediction, TABLE.index("river"))
    corrected = open_run(write_run(tmp_path / "after", after))
    groups = read_groups(None, TABLE, 1)
    lines = {
        line.name: line for line in measure(data, before, corrected, groups, masked_videos(data, before, NAMES), 1)
    }
    assert set(lines) == {"water", "building", "all classes"}
    water = lines["water"]
    assert water.helped == 6 * 20 * 32 - 10
    assert water.hurt == 6 * 20 * 64
    for run, value in ((before, lines["all classes"].before), (corrected, lines["all classes"].after)):
        counts = count_run(run, data, make_rule(data, PROTOCOLS["vspw"]), workers=1)
        result = describe(counts)
        assert value == pytest.approx(result["miou"], abs=1e-12)
        of_water = [row["iou"] for row in result["per_class"] if row["name"] in groups[0].classes and row["counted"]]
        mine = water.before if run is before else water.after
        assert mine == pytest.approx(np.mean(of_water), abs=1e-12)


def test_groups_that_are_nowhere_are_not_told(tmp_path: Path) -> None:
    data = open_dataset(write_data(tmp_path / "data", world()))
    run = open_run(write_run(tmp_path / "run", world()))
    nowhere = Group("a", "a", ("cat", "dog"), (TABLE.index("cat"), TABLE.index("dog")), "region", 1)
    (line,) = measure(data, run, run, [nowhere], masked_videos(data, run, NAMES), 1)
    assert (line.name, line.helped, line.hurt) == ("all classes", 0, 0) and line.before == line.after


def test_without_masks_there_is_nothing_to_compare(tmp_path: Path) -> None:
    data = open_dataset(write_data(tmp_path / "data", world(), masks=False))
    run = open_run(write_run(tmp_path / "run", world()))
    assert masked_videos(data, run, NAMES) == []
