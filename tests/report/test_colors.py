"""Colours for pictures: any two classes can be told apart."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vsscli.data.classes import ClassTable, vspw_classes
from vsscli.report.colors import display_table


def lab(table: ClassTable) -> np.ndarray:
    """CIELAB by another library, [K, 3]."""
    colors = np.array([table.colors], np.float32) / 255
    return np.asarray(cv2.cvtColor(colors, cv2.COLOR_RGB2LAB)[0])


def nearest(table: ClassTable) -> float:
    places = lab(table)
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    return float(distances[~np.eye(len(table), dtype=bool)].min())


def test_any_two_classes_of_vspw_differ() -> None:
    assert nearest(vspw_classes()) == 0, "the dataset's own colours: several classes share one"
    assert nearest(display_table(vspw_classes())) > 8, "2.3 is what is just seen"


def test_what_stands_side_by_side_differs_much() -> None:
    table = vspw_classes()
    often = ["sky", "mountain", "lake", "river", "sea", "grass", "tree", "road", "building", "person", "car"]
    ids = [table.index(name) for name in often]
    shown = display_table(table)
    few = replace(shown, names=tuple(often), colors=tuple(shown.colors[i] for i in ids), things=(False,) * len(ids))
    assert nearest(few) > 20


@pytest.mark.parametrize("count", [1, 19, 255])
def test_any_table_has_its_colors(count: int) -> None:
    names = tuple(f"class {i}" for i in range(count))
    table = ClassTable("other", names, ((9, 9, 9),) * count, (False,) * count)
    shown = display_table(table)
    assert (shown.names, shown.digest, len(set(shown.colors))) == (names, table.digest, count)
    assert display_table(table) == shown
