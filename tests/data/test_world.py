"""The generated world in memory: it follows from its seed, moves smoothly, and has what it must have."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsscli.data.classes import IGNORE, vspw_classes
from vsscli.data.world import place_name, render_video, video_index, video_name
from vsscli.data.world.camera import Camera
from vsscli.data.world.chance import Dice
from vsscli.data.world.filming import Film
from vsscli.data.world.lens import Trouble, develop, grains, spells, trouble_at
from vsscli.data.world.mesh import Kind, stored_value
from vsscli.data.world.places import coast, lake, park, river, room
from vsscli.data.world.scene import Scene
from vsscli.data.world.video import (
    LANDS,
    SPLITS,
    WATERS,
    Image,
    Labels,
    build_scene,
    frame_numbers,
    stored_frames,
    with_rim,
)

SIZE = (72, 128)
#: The indices of the first twelve training videos of the world 0: every place once.
TWELVE = [video_index("train", number) for number in range(12)]


def film(seed: int, index: int, frames: int, size: tuple[int, int] = SIZE) -> list[tuple[Image, Labels]]:
    return list(render_video(seed, index, frames, size))


def classes_in(labels: Labels) -> set[str]:
    return {vspw_classes().names[i] for i in np.unique(labels) if i != IGNORE}


@pytest.mark.parametrize("index", TWELVE[:4])
def test_the_same_seed_gives_the_same_frames_and_more_frames_only_continue(index: int) -> None:
    few, many = film(0, index, 2), film(0, index, 4)
    for (image, labels), (image2, labels2) in zip(few, many, strict=False):
        assert (image == image2).all()
        assert (labels == labels2).all()


def test_seeds_and_videos_differ() -> None:
    index = next(i for i in range(1000) if place_name(0, i) == place_name(1, i) == "lake")
    other = next(i for i in range(index + 1, 1000) if place_name(0, i) == "lake")
    seen = [film(*which, 1)[0][1] for which in ((0, index), (1, index), (0, other))]
    assert all((a != b).mean() > 0.02 for a, b in pairwise([*seen, seen[0]]))
    assert len({video_name(seed, index) for seed in (0, 1) for index in range(100)}) == 200


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 10**6), st.integers(8, 60), st.integers(8, 60))
def test_any_video_at_any_size(seed: int, index: int, height: int, width: int) -> None:
    ((image, labels),) = film(seed, index, 1, (height, width))
    assert image.shape == (height, width, 3)
    assert labels.shape == (height, width)
    assert image.dtype == labels.dtype == np.uint8
    assert set(np.unique(labels)) <= {*range(len(vspw_classes())), IGNORE}
    assert len(np.unique(labels)) >= 2
    assert image.std() > 3


@pytest.mark.parametrize("index", TWELVE)
def test_the_size_changes_the_picture_not_the_world(index: int) -> None:
    (_, small), (_, large) = film(0, index, 1)[0], film(0, index, 1, (3 * SIZE[0], 3 * SIZE[1]))[0]
    assert (small == large[1::3, 1::3]).mean() > 0.99  # the middle pixel of nine has the same centre


def test_places_take_turns() -> None:
    for seed in range(5):
        for split in SPLITS:
            names = [place_name(seed, video_index(split, number)) for number in range(48)]
            for start in range(0, 48, 12):
                assert set(names[start : start + 12]) == {*WATERS, *LANDS}
            for start in range(0, 48, 4):
                assert sum(name in WATERS for name in names[start : start + 4]) == 1


def test_a_small_world_has_most_classes() -> None:
    """Twenty videos as the command makes them by default, each looked at twice."""
    indices = [
        video_index(split, number)
        for split, count in (("train", 12), ("val", 4), ("test", 4))
        for number in range(count)
    ]
    found: dict[str, int] = {}
    for index in indices:
        labels = [labels for _, labels in film(0, index, 8, (96, 160))][::7]
        for name in set.union(*map(classes_in, labels)):
            found[name] = found.get(name, 0) + 1
    assert {"sea", "river", "lake", "water", "sky", "person", "car", "tree", "building", "house"} <= set(found)
    assert len(found) >= 70
    assert sum(count >= 2 for count in found.values()) >= 40


def test_only_the_surroundings_tell_waters_apart() -> None:
    names = {"sea": coast.build, "river": river.build, "lake": lake.build, "water": park.build}
    looks: dict[str, set[object]] = {name: set() for name in names}
    for name, build in names.items():
        for number in range(12):
            scene = build(Dice("waters", number))
            brushes = [brush for mesh in (scene.floor, *scene.meshes) for _, brush in mesh.parts]
            wet = {brush.what for brush in brushes if brush.what in names}
            assert wet <= {name}
            looks[name] |= {(b.light, b.dark, b.texture) for b in brushes if b.what == name and b.kind & Kind.WATER}
    assert len(looks["sea"]) == 1
    assert looks["sea"] == looks["river"] == looks["lake"] == looks["water"]


def test_frame_numbers_are_those_of_vspw() -> None:
    rows = [frame_numbers(0, index, 40) for index in range(60)]
    steps = [np.diff(row) for row in rows]
    assert all(row[0] > 1 and row[-1] < 10**8 and (step >= 1).all() for row, step in zip(rows, steps, strict=True))
    gaps = sum(bool((step > 1).any()) for step in steps)
    assert 5 <= gaps <= 30
    assert all(frame_numbers(0, index, 5) == row[:5] for index, row in enumerate(rows))
    parts = video_name(3, 7).split("_", 1)
    assert parts[0] == "8" and len(parts[1]) == 11


@pytest.mark.parametrize("index", TWELVE)
def test_motion_is_smooth_and_there_is_motion(index: int) -> None:
    maps = [stored for _, stored in stored_frames(0, index, 9, SIZE)]
    changes = [(a != b).mean() for a, b in pairwise(maps)]
    assert max(changes) < 0.15
    assert max(changes) > 0
    steady = np.mean([(np.stack(maps[i : i + 8]) == maps[i]).all(axis=0).mean() for i in range(2)])
    assert 0.4 < steady < 1


def still(scene: Scene) -> Scene:
    camera = scene.camera
    return replace(scene, camera=Camera(camera.x, camera.y, camera.z, camera.turn, camera.tilt, camera.zoom))


def test_textures_stay_on_their_surfaces() -> None:
    """Where the camera rests and nothing moves, the colours rest too: no noise swims over the surfaces."""
    view = Film(still(room.build(Dice("still", 1))), 90, 160)
    before, labels = (array.copy() for array in view.shoot(0.0))
    after, labels2 = view.shoot(2.0)
    assert ((before == after).all(axis=2) | (labels != labels2))[
        labels != stored_value("screen_or_television")
    ].mean() > 0.93


def test_nothing_stands_in_the_way_of_the_camera() -> None:
    """A tree planted around the camera is not shown, a tree further away is."""
    scene = still(park.build(Dice("way", 1)))
    tree = next(mesh for mesh in scene.meshes if {brush.what for _, brush in mesh.parts} == {"tree"})
    faces = len(Film(scene, 40, 60).table.label)
    bare = replace(scene, meshes=[tree], places=[scene.places[0]], tints=[(1.0, 1.0, 1.0)], casts=[True], motions=[])
    here = (1.0, 0.0, 0.0, scene.camera.x, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, scene.camera.z)
    there = (*here[:3], here[3] + 4.0, *here[4:11], here[11] + 16.0)
    assert faces > 100
    for place, seen in ((here, False), (there, True)):
        _, stored = Film(replace(bare, places=[place]), 60, 90).shoot(0.0)
        assert (stored == stored_value("tree")).any() == seen


@pytest.mark.parametrize("kind", ["haze", "blur", "smear", "glare"])
def test_troubles_come_and_go_and_leave_the_masks(kind: str) -> None:
    """The worst moment of a spell differs much from a clean frame; the masks do not."""
    every = [spells(Dice("spells", index), indoors=False) for index in range(60)]
    found, worst = next((row, s) for row in every for s in row if getattr(s.peak, kind) > 0)
    now = trouble_at(found, (worst.start + worst.end) / 2)
    assert getattr(now, kind) == pytest.approx(getattr(worst.peak, kind))
    assert trouble_at(found, worst.start) == trouble_at(found, worst.end) == Trouble()
    view = Film(build_scene(0, TWELVE[1]), *SIZE)
    image, stored = view.shoot(0.0)
    plain, stored = develop(image.copy(), Trouble(), grains(1), 0).astype(int), stored.copy()
    image, stored2 = view.shoot(0.0, now.haze)
    bad = develop(image, now, grains(1), 0).astype(int)
    assert (stored == stored2).all()
    assert np.abs(bad - plain).mean() > 3
    sharp = [np.abs(np.diff(p, axis=1)).mean() for p in (plain, bad)]
    assert sharp[1] < sharp[0]


def test_half_of_the_videos_have_troubles() -> None:
    share = np.mean([bool(spells(Dice("spells", 0, index), False)) for index in range(200)])
    assert 0.4 < share < 0.6
    assert all(s.peak.haze == 0 for index in range(50) for s in spells(Dice("spells", 0, index), True))


def test_some_videos_hold_things_without_a_class() -> None:
    odd = 0
    for index in TWELVE:
        ((_, stored),) = stored_frames(0, index, 1, (96, 160))
        if (stored == 0).any():
            odd += 1
            assert (stored == 255).any()
    assert 2 <= odd <= 10


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.data())
def test_the_rim_is_around_them_and_nowhere_else(height: int, width: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.sampled_from([0, 0, 3, 4]), min_size=height * width, max_size=height * width))
    stored = np.array(values, np.uint8).reshape(height, width)
    result = with_rim(stored)
    for row in range(height):
        for column in range(width):
            near = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
            touched = any(0 <= a < height and 0 <= b < width and stored[a, b] == 0 for a, b in near)
            expected = 255 if touched and stored[row, column] else stored[row, column]
            assert result[row, column] == expected
