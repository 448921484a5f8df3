"""Films a scene: one picture and one map of stored values at a time."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vsscli.data.world.geometry import HOME
from vsscli.data.world.mesh import tables
from vsscli.data.world.raster import cast_shadows, draw
from vsscli.data.world.scene import Motion, Scene
from vsscli.data.world.shade import mirror, shade
from vsscli.data.world.textures import texture_table

Floats = NDArray[np.float64]

#: The camera's way is kept free for so many seconds.
FREE_SECONDS = 12


class Film:
    """A scene and the buffers for pictures of ``height x width``; ``table`` holds all its faces."""

    def __init__(self, scene: Scene, height: int, width: int) -> None:
        self.scene, self.size = _with_floor(scene), (height, width)
        meshes, motions = self.scene.meshes, self.scene.motions
        casts = np.array(self.scene.casts)
        unique = list({id(mesh): mesh for mesh in meshes}.values())
        number = {id(mesh): i for i, mesh in enumerate(unique)}
        self.table = tables(unique)
        self._meshes = np.array([number[id(mesh)] for mesh in meshes], np.int32)
        self._matrices = np.array(self.scene.places)
        shown = self._free_of_camera(casts, motions)
        self._motions = [(int(shown[:a].sum()), int(shown[:b].sum()), motion) for a, b, motion in motions if shown[a]]
        self._meshes, self._matrices = self._meshes[shown], self._matrices[shown]
        self._tints, self._casts = np.array(self.scene.tints, np.float32)[shown], casts[shown]
        most = int((self.table.mesh[self._meshes + 1] - self.table.mesh[self._meshes]).sum())
        self._owner, self._notes = np.empty((most, 2), np.int32), np.empty((most, 14))
        self._near, self._top = np.empty(self.size, np.float32), np.empty(self.size, np.int32)
        self._dark = np.empty(self.size, np.uint8)
        self._image, self._stored = np.empty((*self.size, 3), np.float32), np.empty(self.size, np.uint8)

    def _free_of_camera(self, casts: NDArray[np.bool_], motions: list[tuple[int, int, Motion]]) -> NDArray[np.bool_]:
        """Which instances may be shown: nothing small stands in the camera's way, nobody walks into it."""
        times = range(FREE_SECONDS + 1)
        way = np.stack([self.scene.camera.view(t, 9, 16)[9:12] for t in times])
        balls = self.table.ball[self._meshes]
        rows = self._matrices.reshape(-1, 3, 4)
        middle = (rows[:, :, :3] * balls[:, None, :3]).sum(axis=2) + rows[:, :, 3]
        radius = balls[:, 3] * np.sqrt((rows[:, :, :3] ** 2).sum(axis=1).max(axis=1))
        apart = _closest(way[:, None] - middle[None])
        shown: NDArray[np.bool_] = ~casts | (radius > 6) | (apart > 0.9 * radius + 0.5)
        for start, end, motion in motions:
            first = np.array([motion(t)[0] for t in times]).reshape(-1, 3, 4)[:, :, 3]
            shown[start:end] = _closest((way - first)[:, None])[0] > min(radius[start], 2.5) + 1.0
        return shown

    def shoot(self, time: float, haze: float = 0.0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """The picture (RGB 0..255 and beyond, ``[H, W, 3]``) and the stored values at ``time``; both are reused."""
        for start, end, motion in self._motions:
            self._matrices[start:end] = motion(time)
        view = self.scene.camera.view(time, *self.size)
        air = self.scene.air._replace(haze=self.scene.air.haze + haze)
        world = (self.table, self._meshes, self._matrices)
        draw(*world, view, self._near, self._top, self._owner, self._notes)
        cast_shadows(*world, self._casts, view, air.sun, self._top, self._owner, self._dark)
        look = (self.table, texture_table(), air, view, time)
        seen = (self._near, self._top, self._owner, self._notes)
        shade(*look, *seen, self._tints, self._dark, self._image, self._stored)
        mirror(*look, *seen, self._image)
        return self._image, self._stored


def _with_floor(scene: Scene) -> Scene:
    """The scene with its ground as the first instance."""
    if not scene.floor.parts:
        return scene
    motions = [(start + 1, end + 1, motion) for start, end, motion in scene.motions]
    return replace(
        scene,
        meshes=[scene.floor, *scene.meshes],
        places=[HOME, *scene.places],
        tints=[(1.0, 1.0, 1.0), *scene.tints],
        casts=[False, *scene.casts],
        motions=motions,
    )


def _closest(way: Floats) -> Floats:
    """The least distance to 0 along polylines ``way [points, n, 3]``: ``[n]``."""
    start, step = way[:-1], way[1:] - way[:-1]
    length = (step**2).sum(axis=2)
    share = np.clip(-(start * step).sum(axis=2) / np.maximum(length, 1e-12), 0, 1)
    nearest = start + step * share[..., None]
    least: Floats = np.sqrt((nearest**2).sum(axis=2)).min(axis=0)
    return least
