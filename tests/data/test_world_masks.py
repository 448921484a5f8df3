"""Masks are exact: what is painted is what is labelled, and the rasteriser finds the face that is in front."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vsscli.data.world import render_video, video_index
from vsscli.data.world.camera import Camera
from vsscli.data.world.filming import Film
from vsscli.data.world.geometry import HOME, box, place
from vsscli.data.world.mesh import Brush, Kind, Mesh, stored_value, tables
from vsscli.data.world.paint import coat
from vsscli.data.world.raster import draw
from vsscli.data.world.scene import Scene
from vsscli.data.world.video import build_scene, stored_frames
from vsscli.data.world.weather import air

SIZE = (72, 128)
TWELVE = [video_index("train", number) for number in range(12)]
WET = np.array([stored_value(name) for name in ("sea", "river", "lake", "water", "ice")])


@pytest.mark.parametrize("index", TWELVE)
def test_a_class_painted_anew_changes_its_pixels_and_no_others(index: int) -> None:
    """For every class of the place: its surfaces are made to shine; the changed pixels are those of its label.

    Only water may change besides: it mirrors.
    """
    film = Film(build_scene(0, index), *SIZE)
    image, stored = (array.copy() for array in film.shoot(0.4))
    present = [value for value in np.unique(stored) if value != stored_value("sky")]
    assert len(present) >= 5
    for value in present:
        own = film.table.label == value
        color, kind = film.table.color.copy(), film.table.kind.copy()
        film.table.color[own, :6] += 5000
        film.table.kind[own] |= Kind.GLOW
        changed = (film.shoot(0.4)[0] != image).any(axis=2)
        film.table.color[:], film.table.kind[:] = color, kind
        painted = stored == value
        assert changed[painted].all()
        assert not changed[~painted & ~np.isin(stored, WET)].any()


@pytest.mark.parametrize("index", TWELVE[:3])
def test_lens_and_weather_do_not_touch_the_masks(index: int) -> None:
    clean = [labels for _, labels in render_video(0, index, 20, (36, 64), clean=True)]
    real = [labels for _, labels in render_video(0, index, 20, (36, 64))]
    assert all((a == b).all() for a, b in zip(clean, real, strict=True))


@pytest.mark.parametrize("index", TWELVE)
def test_the_picture_shows_the_edges_of_the_mask(index: int) -> None:
    """Colours jump more often between neighbours of two classes than within a class, lens and noise included."""
    ((image, stored),) = stored_frames(0, index, 1, (144, 256))
    jump = np.abs(np.diff(image.astype(int), axis=1)).max(axis=2)
    edge = stored[:, 1:] != stored[:, :-1]
    assert np.median(jump[edge]) > 4 * np.median(jump[~edge])


def seen_by_hand(
    polygons: list[NDArray[np.float64]], view: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.int32]:
    """The nearest polygon at every pixel, from the definition: a ray, a plane, the even-odd rule."""
    result, best = np.full(size, -1, np.int32), np.full(size, np.inf)
    for row in range(size[0]):
        for column in range(size[1]):
            ray = np.array([(column + 0.5 - view[13]) / view[12], (view[14] - row - 0.5) / view[12], 1.0])
            for i, corners in enumerate(polygons):
                normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
                slope = normal @ ray
                if abs(slope) < 1e-12:
                    continue
                depth = normal @ corners[0] / slope
                if 0 < depth < best[row, column] and inside(corners, ray[:2]):
                    result[row, column], best[row, column] = i, depth
    return result


def inside(corners: NDArray[np.float64], point: NDArray[np.float64]) -> bool:
    flat, odd = corners[:, :2] / corners[:, 2:], False
    for (x0, y0), (x1, y1) in zip(flat, np.roll(flat, -1, axis=0), strict=True):
        if (y0 <= point[1]) != (y1 <= point[1]) and x0 + (point[1] - y0) * (x1 - x0) / (y1 - y0) > point[0]:
            odd = not odd
    return odd


coordinate = st.integers(-40, 40).map(lambda n: n / 10)
depth = st.integers(10, 90).map(lambda n: n / 10)
triangle = st.lists(st.tuples(coordinate, coordinate, depth), min_size=3, max_size=3)


@settings(max_examples=150, deadline=None)
@given(st.lists(triangle, min_size=1, max_size=5))
def test_the_nearest_face_is_seen(corners: list[list[tuple[float, float, float]]]) -> None:
    size = (10, 13)
    view = Camera(y=0.0, zoom=0.6).view(0.0, *size)
    polygons = [np.array(points) for points in corners]
    mesh = Mesh().add([points[None] for points in polygons], coat("car", (1, 2, 3)))
    table = tables([mesh])
    near, top = np.empty(size, np.float32), np.empty(size, np.int32)
    owner, notes = np.empty((len(polygons), 2), np.int32), np.empty((len(polygons), 14))
    draw(table, np.zeros(1, np.int32), np.array([HOME]), view, near, top, owner, notes)
    found = np.where(top >= 0, owner[top, 0], -1)
    different = found != seen_by_hand(polygons, view, size)
    assert different.mean() < 0.02  # pixel centres on an edge, faces at one depth: rounding decides


def test_what_is_behind_the_camera_is_cut_off() -> None:
    """A floor that reaches behind the camera fills exactly what lies below the horizon."""
    scene = Scene(Camera(y=2.0), air(((0, 1, 0), *[(1, 1, 1)] * 5), 0.0, 0.0, 0.0))
    scene.floor.add(
        [np.array([[(-1e6, 0, -1e6), (1e6, 0, -1e6), (1e6, 0, 1e6), (-1e6, 0, 1e6)]])],
        Brush("road", (9, 9, 9), kind=Kind.GROUND),
    )
    _, stored = Film(scene, 20, 30).shoot(0.0)
    assert (stored[10:] == stored_value("road")).all()
    assert (stored[:10] == stored_value("sky")).all()


def test_a_shadow_falls_away_from_the_sun() -> None:
    lit = air(((0.8, 0.6, 0.0), (1, 1, 1), (0.3, 0.3, 0.3), (9, 9, 9), (9, 9, 9), (9, 9, 9)), 0.0, 0.0, 0.0)
    scene = Scene(Camera(y=9.0, tilt=-0.7), lit)
    scene.floor.add(
        [np.array([[(-50, 0, -50), (50, 0, -50), (50, 0, 50), (-50, 0, 50)]], float)],
        Brush("sand", (200, 200, 200), kind=Kind.GROUND),
    )
    scene.put(Mesh().add(box(1, 3, 1), coat("box", (50, 50, 50))), place(0, 0, 10))
    image, stored = Film(scene, 60, 90).shoot(0.0)
    sand, dark = stored == stored_value("sand"), image[..., 0] < 120
    assert (sand & dark)[:, :45].any()
    assert not (sand & dark)[:, 50:].any()
