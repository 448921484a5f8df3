"""Colours and classes of the pixels that the rasteriser found: textures, light, shadow, haze, sky and mirrors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsscli.data.world.mesh import Tables, stored_value
from vsscli.data.world.raster import inner
from vsscli.data.world.textures import Texture, Textures
from vsscli.maps.compiled import compiled

Vector = NDArray[np.float64]
Pixel = tuple[float, float, float]

CLOUDS = int(Texture.CLOUDS)
PATCHES = int(Texture.PATCHES)
WAVES = int(Texture.WAVES)
SKY = stored_value("sky")


class Air(NamedTuple):
    """Light and weather. Vectors are RGB or directions, ``float64 [3]``."""

    sun: Vector  # the way to the sun, of length 1
    sunlight: Vector
    ambient: Vector
    zenith: Vector
    horizon: Vector
    cloud: Vector
    haze: float  # 1/metres: at this distance the haze is half way to hiding everything
    cover: float  # 0 = no cloud, 1 = all cloud
    drift: float  # how fast clouds move


@inner
def _texel(textures: Textures, kind: int, u: float, v: float, level: int) -> float:
    """A texture at (u, v) in texels of level 0, between the four texels of ``level`` around it."""
    values, start, side = textures.values[kind], textures.start[level], textures.side[level]
    x, y = u / (1 << level) - 0.5, v / (1 << level) - 0.5
    fx, fy = np.floor(x), np.floor(y)
    a, b = x - fx, y - fy
    x0, y0 = int(fx) & (side - 1), int(fy) & (side - 1)
    x1, y1 = (x0 + 1) & (side - 1), (y0 + 1) & (side - 1)
    top = values[start + y0 * side + x0] * (1 - a) + values[start + y0 * side + x1] * a
    low = values[start + y1 * side + x0] * (1 - a) + values[start + y1 * side + x1] * a
    return float(top * (1 - b) + low * b)


@inner
def _level(note: NDArray[np.float64], z: float, u: float, v: float, focal: float, most: int) -> int:
    """The halving at which a texel is about a pixel: from how fast (u, v) change from pixel to pixel."""
    ux = z * (note[0] / focal + (note[3] - u) * note[8])
    vx = z * (note[4] / focal + (note[7] - v) * note[8])
    uy = z * (-note[1] / focal + (note[3] - u) * note[9])
    vy = z * (-note[5] / focal + (note[7] - v) * note[9])
    step = 0.5 * max(ux * ux + vx * vx, uy * uy + vy * vy)
    level = 0
    while step > 1.4 and level < most:
        step *= 0.25
        level += 1
    return level


@inner
def _sky(air: Air, textures: Textures, x: float, y: float, z: float, time: float) -> Pixel:
    """The sky in direction (x, y, z): a gradient, clouds on a plane above, a glow around the sun."""
    length = np.sqrt(x * x + y * y + z * z)
    height = max(0.0, y / length)
    rise = np.sqrt(height)
    sun = (x * air.sun[0] + y * air.sun[1] + z * air.sun[2]) / length
    glow = max(0.0, sun)
    glow = glow * glow * glow * glow
    glow = glow * glow * glow * glow
    glow = 0.25 * glow + 0.7 * glow * glow * glow * glow
    if sun > 0.9993:
        glow = 1.5
    veil = 0.0
    if height > 0.01:
        u, v = 60.0 * x / y + time * air.drift, 60.0 * z / y
        level = 0 if height > 0.25 else (1 if height > 0.1 else 2)
        thick = 0.75 * _texel(textures, CLOUDS, u * 0.5, v * 0.5, level) + 0.25 * _texel(
            textures, PATCHES, u * 1.7, v * 1.7, level
        )
        veil = min(1.0, max(0.0, (thick - 1.0 + air.cover) * 3.0)) * min(1.0, (height - 0.01) * 8.0)
    bright = 1.0 - 0.25 * veil * veil
    r = air.horizon[0] + (air.zenith[0] - air.horizon[0]) * rise
    g = air.horizon[1] + (air.zenith[1] - air.horizon[1]) * rise
    b = air.horizon[2] + (air.zenith[2] - air.horizon[2]) * rise
    glow *= 1.0 - 0.6 * veil
    r = r + (air.cloud[0] * bright - r) * veil * 0.92 + 130.0 * glow * air.sunlight[0]
    g = g + (air.cloud[1] * bright - g) * veil * 0.92 + 130.0 * glow * air.sunlight[1]
    b = b + (air.cloud[2] * bright - b) * veil * 0.92 + 130.0 * glow * air.sunlight[2]
    return (r, g, b)


@inner
def _fog(air: Air, z: float) -> float:
    q = z * air.haze
    return 1.0 - 1.0 / (1.0 + q + 0.5 * q * q + 0.25 * q * q * q)


@compiled
def shade(
    table: Tables,
    textures: Textures,
    air: Air,
    view: NDArray[np.float64],
    time: float,
    near: NDArray[np.float32],
    top: NDArray[np.int32],
    owner: NDArray[np.int32],
    notes: NDArray[np.float64],
    tints: NDArray[np.float32],
    dark: NDArray[np.uint8],
    image: NDArray[np.float32],
    label: NDArray[np.uint8],
) -> None:
    """Fills ``image [H, W, 3]`` (0..255 and beyond) and ``label [H, W]`` (values as VSPW stores them)."""
    height, width = top.shape
    for row in range(height):
        for column in range(width):
            x, y = (column + 0.5 - view[13]) / view[12], (view[14] - row - 0.5) / view[12]
            record = top[row, column]
            if record < 0:
                label[row, column] = SKY
                dx = view[0] * x + view[3] * y + view[6]
                dy = view[1] * x + view[4] * y + view[7]
                dz = view[2] * x + view[5] * y + view[8]
                sky = _sky(air, textures, dx, dy, dz, time)
                for k in range(3):
                    image[row, column, k] = sky[k]
                continue
            face, note = owner[record, 0], notes[record]
            label[row, column] = table.label[face]
            z = 1.0 / near[row, column]
            color = table.color[face]
            u = note[0] * x * z + note[1] * y * z + note[2] * z + note[3]
            v = note[4] * x * z + note[5] * y * z + note[6] * z + note[7]
            level = _level(note, z, u, v, view[12], len(textures.side) - 1)
            tone = 1.0
            if color[6] > 0.0:
                soft = max(0, level - 3)
                tone += color[6] * (_texel(textures, PATCHES, u * 0.09, v * 0.09, soft) - 0.5)
            u, v = u + color[7] * time, v + color[8] * time
            t = 0.0
            if table.texture[face] > 0:
                t = _texel(textures, table.texture[face], u, v, level)
            if not table.kind[face] & 4:
                facing = note[11] * air.sun[0] + note[12] * air.sun[1] + note[13] * air.sun[2]
                lit = max(0.0, facing) * (1.0 - 0.85 * dark[row, column])
                around = 0.78 + 0.22 * note[12]
            fog = _fog(air, z)
            tint = tints[owner[record, 1]]
            for k in range(3):
                value = (color[k] + (color[3 + k] - color[k]) * t) * tone * tint[k]
                if not table.kind[face] & 4:
                    value *= air.ambient[k] * around + air.sunlight[k] * lit
                image[row, column, k] = value + (air.horizon[k] - value) * fog


@compiled
def mirror(
    table: Tables,
    textures: Textures,
    air: Air,
    view: NDArray[np.float64],
    time: float,
    near: NDArray[np.float32],
    top: NDArray[np.int32],
    owner: NDArray[np.int32],
    notes: NDArray[np.float64],
    image: NDArray[np.float32],
) -> None:
    """Lets water mirror what is far: the pixel seen along the mirrored ray, else the sky. Run after `shade`."""
    height, width = top.shape
    for row in range(height):
        for column in range(width):
            record = top[row, column]
            if record < 0 or not table.kind[owner[record, 0]] & 2:
                continue
            note, color = notes[record], table.color[owner[record, 0]]
            x, y = (column + 0.5 - view[13]) / view[12], (view[14] - row - 0.5) / view[12]
            z = 1.0 / near[row, column]
            u = note[0] * x * z + note[1] * y * z + note[2] * z + note[3]
            v = note[4] * x * z + note[5] * y * z + note[6] * z + note[7]
            level = _level(note, z, u, v, view[12], len(textures.side) - 1)
            wave = _texel(textures, WAVES, 0.7 * u - 0.8 * color[7] * time + 6.0 * time, 0.6 * v + 5.0 * time, level)
            wave = 0.5 * wave + 0.5 * _texel(textures, WAVES, u + color[7] * time, v + color[8] * time, level) - 0.5
            dx = view[0] * x + view[3] * y + view[6]
            dy = view[1] * x + view[4] * y + view[7]
            dz = view[2] * x + view[5] * y + view[8]
            length = np.sqrt(dx * dx + dy * dy + dz * dz)
            flat = 1.0 - abs(dy) / length
            share = (0.12 + 0.7 * flat * flat * flat * flat) * (1.0 - _fog(air, z))
            dy = abs(dy) + wave * 0.10 * length
            if dy < 0.002:
                dy = 0.002
            cx = view[0] * dx + view[1] * dy + view[2] * dz
            cy = view[3] * dx + view[4] * dy + view[5] * dz
            cz = view[6] * dx + view[7] * dy + view[8] * dz
            mirrored = _sky(air, textures, dx, dy, dz, time)
            if cz > 0.05:
                px, py = int(np.floor(view[13] + view[12] * cx / cz)), int(np.floor(view[14] - view[12] * cy / cz))
                if 0 <= px < width and 0 <= py < row:
                    other = top[py, px]
                    if near[py, px] < 1.05 * near[row, column] and (other < 0 or not table.kind[owner[other, 0]] & 2):
                        mirrored = (
                            float(image[py, px, 0]),
                            float(image[py, px, 1]),
                            float(image[py, px, 2]),
                        )
            spark = max(0.0, wave - 0.22) * 260.0 * (1.0 - flat * 0.6)
            for k in range(3):
                value = image[row, column, k]
                image[row, column, k] = value + (mirrored[k] - value) * share + spark * air.sunlight[k]
