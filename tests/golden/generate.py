"""Seeded scoring data: ``OUT/data`` in VSPW's layout with masks, ``OUT/pred`` a folder of label maps.

Seven videos of 1 to 40 frames and odd sizes; gaps in the numbering; both kinds of void; a class that is predicted and
may be in no truth; flicker; a list without a final newline. ``expected.json`` holds what the official scripts answer
for the seeds 11 and 14, so the order of the random draws is fixed.
"""

from pathlib import Path

import numpy as np
from PIL import Image

VIDEOS = {
    "7_a-b_c": (8, 60, 75),
    "12_x": (9, 48, 85),
    "31_y_z": (16, 50, 61),
    "40_q": (17, 64, 96),
    "55_w": (40, 72, 107),
    "9_one": (1, 40, 50),
    "77_void": (24, 40, 64),
}


def generate(out: Path, seed: int) -> None:
    """Writes the data set of ``seed`` to ``out``."""
    random = np.random.default_rng(seed)
    for name, (frames, h, w) in VIDEOS.items():
        _video(out, name, frames, (h, w), random)
    (out / "data" / "val.txt").write_text("\n".join(VIDEOS))
    for split in ("train", "test"):
        (out / "data" / f"{split}.txt").write_text("")


def _video(out: Path, name: str, frames: int, size: tuple[int, int], random: np.random.Generator) -> None:
    folders = {kind: out / "data" / "data" / name / kind for kind in ("origin", "mask")} | {"pred": out / "pred" / name}
    for folder in folders.values():
        folder.mkdir(parents=True)
    number = int(random.integers(3, 4000))
    ids = random.choice(124, size=9, replace=False)
    sites = random.uniform(0, 1, (9, 2)) * size
    speed = random.normal(0, 0.35, (9, 2))
    rows, columns = np.mgrid[: size[0], : size[1]]
    for k in range(frames):
        at = sites + speed * k
        near = ((rows[None] - at[:, 0, None, None]) ** 2 + (columns[None] - at[:, 1, None, None]) ** 2).argmin(0)
        stored = ids[near] + 1
        stored[:3, :5], stored[-4:, -6:] = 0, 255
        if name == "77_void" and k % 5 == 0:
            stored[10:20, 10:30] = 0 if k % 10 else 255
        labels = ids[near]
        edge = np.zeros(size, bool)
        edge[:, 1:] |= near[:, 1:] != near[:, :-1]
        edge[1:] |= near[1:] != near[:-1]
        wrong = (edge & (random.random(size) < 0.5)) | (random.random(size) < 0.01)
        labels[wrong] = random.choice(ids, size=int(wrong.sum()))
        if name == "55_w" and 11 <= k < 14:
            labels[near == 2] = ids[3]
        if name == "40_q":
            labels[near == 5] = (ids[5] + 61) % 124
        frame = f"{number:08d}"
        number += 1 if k % 7 else 3
        picture = random.integers(0, 255, (*size, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folders["origin"] / f"{frame}.jpg")
        Image.fromarray(stored.astype(np.uint8)).save(folders["mask"] / f"{frame}.png")
        Image.fromarray(labels.astype(np.uint8)).save(folders["pred"] / f"{frame}.png")
