"""A video of the world, made frame by frame in memory.

Everything follows from the seed and the video's number: video 7 is the same in a world of ten videos and of ten
thousand, at any number of frames, and shows the same at any size.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from vsscli.data.vspw import vspw_numbering
from vsscli.data.world.chance import Dice, seed_of
from vsscli.data.world.filming import Film
from vsscli.data.world.lens import Trouble, develop, grains, plain, spells, trouble_at
from vsscli.data.world.places import (
    airfield,
    coast,
    farm,
    lake,
    park,
    railway,
    river,
    room,
    stadium,
    street,
    suburb,
    winter,
)
from vsscli.data.world.scene import Scene

#: Changes whenever the same seed would give other pixels or masks.
VERSION = 1
#: Frames a second, as in VSPW.
RATE = 15

Labels = NDArray[np.uint8]
Image = NDArray[np.uint8]

#: Told apart by what is around the water alone.
WATERS: dict[str, Callable[[Dice], Scene]] = {"coast": coast.build, "river": river.build, "lake": lake.build}
LANDS: dict[str, Callable[[Dice], Scene]] = {
    "street": street.build,
    "park": park.build,
    "suburb": suburb.build,
    "room": room.build,
    "airfield": airfield.build,
    "stadium": stadium.build,
    "winter": winter.build,
    "railway": railway.build,
    "farm": farm.build,
}
SPLITS = ("train", "val", "test")


def video_index(split: str, number: int) -> int:
    """The index in the world of video ``number`` (0, 1, ...) of a split."""
    return number * len(SPLITS) + SPLITS.index(split)


def place_name(seed: int, index: int) -> str:
    """Which place video ``index`` shows: of every four videos of a split one has a sea, a river or a lake, of every
    twelve each place is one."""
    number, split = divmod(index, len(SPLITS))
    dice = Dice("places", seed, split, number // 12)
    waters, lands = dice.shuffled(list(WATERS)), dice.shuffled(list(LANDS))
    row = [name for i in range(3) for name in dice.shuffled([waters[i], *lands[3 * i : 3 * i + 3]])]
    return row[number % 12]


def video_name(seed: int, index: int) -> str:
    """``<number>_<11 characters>``, as VSPW names its videos."""
    digest = hashlib.sha256(f"name/{seed}/{index}".encode()).digest()
    return f"{index + 1}_{base64.urlsafe_b64encode(digest).decode()[:11]}"


def frame_numbers(seed: int, index: int, frames: int) -> list[int]:
    """The numbers of the frames: they do not start at 1, and in every fourth video some are missing."""
    dice = Dice("numbers", seed, index)
    number, gaps = dice.whole(2, 2800), dice.chance(0.25)
    numbers = []
    for _ in range(frames):
        numbers.append(number)
        number += 1
        if gaps and dice.chance(0.06):
            number += dice.whole(1, 2)
    return numbers


def build_scene(seed: int, index: int) -> Scene:
    """The scene of video ``index``."""
    name = place_name(seed, index)
    return {**WATERS, **LANDS}[name](Dice("scene", seed, index))


def stored_frames(
    seed: int, index: int, frames: int, size: tuple[int, int], *, clean: bool = False
) -> Iterator[tuple[Image, Labels]]:
    """Like `render_video`, with masks as VSPW stores them: 0 = others, 1..124 = class + 1, 255 = void."""
    film = Film(build_scene(seed, index), *size)
    found = spells(Dice("spells", seed, index), place_name(seed, index) == "room")
    grain = grains(seed_of("grain", seed, index))
    numbers = frame_numbers(seed, index, frames)
    for number in numbers:
        time = (number - numbers[0]) / RATE
        trouble = Trouble() if clean else trouble_at(found, time)
        image, stored = film.shoot(time, trouble.haze)
        picture = plain(image) if clean else develop(image, trouble, grain, seed_of(seed, index, number) & 0xFFFF)
        yield picture, with_rim(stored)


def render_video(
    seed: int, index: int, frames: int, size: tuple[int, int], *, clean: bool = False
) -> Iterator[tuple[Image, Labels]]:
    """The frames of video ``index``, one at a time: RGB ``uint8 [H, W, 3]`` and labels ``uint8 [H, W]``.

    ``size`` is (H, W). Labels are the ids of VSPW's classes, 0..123, and 255 where there is none. ``clean`` leaves out
    lens, noise, haze, blur and glare: then every pixel's colour is that of the surface its label names.
    """
    labels = vspw_numbering().labels
    for image, stored in stored_frames(seed, index, frames, size, clean=clean):
        yield image, labels[stored]


def with_rim(stored: Labels) -> Labels:
    """A copy with a rim of void (255), one pixel wide, around what no class names (0)."""
    result = stored.copy()
    odd = stored == 0
    if odd.any():
        touch = np.zeros_like(odd)
        touch[1:] |= odd[:-1]
        touch[:-1] |= odd[1:]
        touch[:, 1:] |= odd[:, :-1]
        touch[:, :-1] |= odd[:, 1:]
        result[touch & ~odd] = 255
    return result
