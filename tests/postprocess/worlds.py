"""A small dataset and a run of it with known errors, and a server on loopback that answers by what it sees."""

import base64
import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.postprocess.server import Request, Response, said
from vsscli.data.classes import vspw_classes
from vsscli.runs.manifest import Manifest, describe_classes
from vsscli.runs.output import open_output

TABLE = vspw_classes()
SKY, SEA, RIVER, LAKE, HOUSE, BUILDING = (
    TABLE.index(name) for name in ("sky", "sea", "river", "lake", "house", "building")
)
#: What things look like: far apart, and far from the red of outlines and from black.
COLORS = {
    SKY: (240, 240, 240),
    SEA: (40, 40, 220),
    RIVER: (40, 200, 40),
    LAKE: (220, 220, 40),
    HOUSE: (200, 40, 200),
    BUILDING: (40, 200, 200),
}
FRAMES, H, W = 6, 48, 64
Labels = NDArray[np.uint8]


def scene(water: int, construction: int = BUILDING) -> Labels:
    """A video ``uint8 [FRAMES, H, W]``: water below, a construction that moves above it, sky."""
    video = np.full((FRAMES, H, W), SKY, np.uint8)
    video[:, 28:] = water
    for t in range(FRAMES):
        video[t, 8:26, 10 + 2 * t : 34 + 2 * t] = construction
    return video


def world() -> dict[str, tuple[Labels, Labels]]:
    """Truth and prediction of each video: a split lake, a river that flips, all right, a building that is half a house,
    and a house on a building, which is right."""
    split, flip, fine, house = scene(LAKE), scene(RIVER), scene(SEA), scene(SEA)
    wrong_split, wrong_flip, wrong_house = split.copy(), flip.copy(), house.copy()
    wrong_split[:, 28:, : W // 2] = SEA
    wrong_flip[[1, 4], 28:] = LAKE
    for t in range(FRAMES):
        wrong_house[t, 8:18, 10 + 2 * t : 34 + 2 * t] = HOUSE
    return {
        "1_split": (split, wrong_split),
        "2_flip": (flip, wrong_flip),
        "3_fine": (fine, fine),
        "4_house": (house, wrong_house),
        "5_both": (wrong_house, wrong_house),
    }


def write_data(root: Path, videos: dict[str, tuple[Labels, Labels]], masks: bool = True) -> Path:
    """The dataset in VSPW's layout: frames coloured by the truth."""
    colors = np.zeros((256, 3), np.uint8)
    for label, color in COLORS.items():
        colors[label] = color
    for name, (truth, _) in videos.items():
        folder = root / "data" / name
        for part in ("origin", "mask") if masks else ("origin",):
            (folder / part).mkdir(parents=True)
        for t, labels in enumerate(truth):
            Image.fromarray(colors[labels]).save(folder / "origin" / f"{t:08d}.jpg", quality=95)
            if masks:
                stored = np.where(labels == 255, 255, labels + 1).astype(np.uint8)
                Image.fromarray(stored).save(folder / "mask" / f"{t:08d}.png")
    (root / "val.txt").write_text("".join(f"{name}\n" for name in videos))
    return root


def write_run(path: Path, videos: dict[str, tuple[Labels, Labels]]) -> Path:
    """The run of the predictions."""
    run = open_output(path, Manifest("test", {}, describe_classes(TABLE)), TABLE.palette, [])
    for name, (_, prediction) in videos.items():
        with run.begin(name) as writer:
            for t, labels in enumerate(prediction):
                writer.add(f"{t:08d}", labels)
            writer.commit({}, {})
    return path


def see(request: Request) -> Response:
    """Answers with the class whose colour covers most of the image, among those that the question offers."""
    content = base64.b64decode(request.image.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        pixels = np.asarray(image).astype(int)
    counts = {
        TABLE.names[label]: int((np.abs(pixels - np.array(color)).max(-1) < 50).sum())
        for label, color in COLORS.items()
        if TABLE.names[label] in request.text
    }
    return said(f'{{"answer": "{max(counts, key=lambda name: counts[name])}"}}')


def first_offered(request: Request) -> Response:
    """Answers with the first class that is offered."""
    schema = request.body["response_format"]["json_schema"]["schema"]
    return said(json.dumps({"answer": schema["properties"]["answer"]["enum"][0]}))


def write_groups(path: Path) -> Path:
    """All classes in two groups, for videos of any classes."""
    half = len(TABLE) // 2
    rows = [("one", TABLE.names[:half]), ("two", TABLE.names[half:])]
    lines = [f"{name},thing of kind {name},{'|'.join(classes)},image,1\n" for name, classes in rows]
    path.write_text("group,stuff,classes,scope,priority\n" + "".join(lines))
    return path
