"""Colours for people's eyes: the classes of a picture can be told apart, whatever the dataset's palette.

VSPW's gives sky, grass, tower and house one pink. The maps of a run keep the dataset's colours; pictures take these.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vsscli.data.classes import ClassTable, Color, vspw_classes
from vsscli.data.dataset import Dataset
from vsscli.runs.run import Run

#: What fills most pictures has a colour that looks like it.
_NATURAL: dict[str, Color] = {
    "sky": (130, 200, 255),
    "sea": (0, 60, 160),
    "river": (0, 165, 180),
    "lake": (85, 70, 230),
    "water": (60, 235, 225),
    "tree": (20, 105, 45),
    "grass": (120, 215, 60),
    "other_plant": (160, 170, 0),
    "mountain": (150, 95, 65),
    "ground": (95, 60, 35),
    "sand": (245, 215, 140),
    "stone": (135, 135, 130),
    "road": (85, 80, 100),
    "path": (205, 165, 125),
    "snowfield": (255, 255, 255),
    "building": (215, 100, 85),
    "house": (250, 150, 35),
    "tower": (165, 50, 165),
    "bridge": (245, 130, 190),
    "wall": (215, 210, 190),
    "floor": (180, 120, 170),
    "person": (230, 0, 110),
    "car": (255, 235, 0),
    "ship_or_boat": (255, 75, 0),
}
#: Shades of red, green and blue that the other classes choose from, and how dark and bright they may be (OKLab's L).
_SHADES, _DARKEST, _BRIGHTEST = 14, 0.3, 0.97


def shown_table(runs: Sequence[Run], dataset: Dataset) -> ClassTable:
    """The classes of label maps in colours for pictures: the first run's that tells them, else the dataset's, else
    VSPW's."""
    told = next(filter(None, (run.table for run in runs)), None)
    return display_table(told or dataset.classes or vspw_classes())


@cache
def display_table(table: ClassTable) -> ClassTable:
    """``table`` in colours for pictures: the same for the same names. Its digest stays, which is of the names.

    Each class without a natural colour takes, in the order of the ids, the one farthest from all that are taken.
    """
    shades = np.linspace(0, 255, _SHADES).round().astype(np.uint8)
    choice = np.stack(np.meshgrid(shades, shades, shades, indexing="ij"), -1).reshape(-1, 3)
    places = oklab(choice)
    fit = (places[:, 0] >= _DARKEST) & (places[:, 0] <= _BRIGHTEST)
    choice, places = choice[fit], places[fit]
    nearest = np.full(len(choice), np.inf)
    found: dict[int, Color] = {i: _NATURAL[name] for i, name in enumerate(table.names) if name in _NATURAL}
    for color in found.values():
        nearest = np.minimum(nearest, _distances(places, color))
    for i in range(len(table)):
        if i not in found:
            red, green, blue = choice[int(nearest.argmax())].tolist()
            found[i] = (red, green, blue)
            nearest = np.minimum(nearest, _distances(places, found[i]))
    return replace(table, colors=tuple(found[i] for i in range(len(table))))


def oklab(colors: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB ``[N, 3]`` as L, a, b ``[N, 3]``, where equal distances look alike (Ottosson, "A perceptual color space for
    image processing", 2020)."""
    share = colors / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    found: NDArray[np.float64] = np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
    return found


def _distances(places: NDArray[np.float64], color: Color) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.linalg.norm(places - oklab(np.array([color], np.uint8)), axis=1)
    return found
