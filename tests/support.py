"""Small datasets and runs for the tests, made by hand: every pixel is known."""

import contextlib
import resource
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vsscli.data.classes import ClassTable, vspw_classes
from vsscli.data.lists import SPLITS
from vsscli.runs.manifest import Manifest, describe_classes
from vsscli.runs.output import open_output

Shape = tuple[int, int, int]  # frames, H, W


def make_vspw(
    root: Path,
    videos: Mapping[str, Shape],
    splits: Mapping[str, Sequence[str]] | None = None,
    masks: bool = True,
    seed: int = 0,
) -> Path:
    """A folder in VSPW's layout; without ``splits`` every video is in all of them. Frame numbers begin at 3, step 2."""
    random = np.random.default_rng(seed)
    for name, (frames, h, w) in videos.items():
        folder = root / "data" / name
        (folder / "origin").mkdir(parents=True)
        if masks:
            (folder / "mask").mkdir()
        classes = random.choice(124, 6, replace=False) + 1
        corner = random.integers(0, 6, (h // 8 + 2, w // 8 + 2))
        for i, frame in enumerate(frame_names(frames)):
            regions = np.kron(corner, np.ones((8, 8), int))[i % 8 : i % 8 + h, i % 5 : i % 5 + w]
            stored = classes[regions].astype(np.uint8)
            stored[0, :3], stored[-1, -3:] = 0, 255
            shade = random.integers(0, 40, (h, w, 3))
            image = (regions[..., None] * 40 + shade).astype(np.uint8)
            Image.fromarray(image).save(folder / "origin" / f"{frame}.jpg", quality=90)
            if masks:
                Image.fromarray(stored).save(folder / "mask" / f"{frame}.png")
    for split in SPLITS:
        names = videos if splits is None else splits.get(split, ())
        (root / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
    return root


def frame_names(count: int) -> list[str]:
    """The names of the frames that `make_vspw` gives a video."""
    return [f"{3 + 2 * i:08d}" for i in range(count)]


def make_run(
    path: Path,
    videos: Mapping[str, Shape],
    *,
    classes: int = 6,
    seed: int = 0,
    foreign: bool = False,
    table: ClassTable | None = None,
    view: Mapping[str, object] | None = None,
    size: tuple[int, int] = (1, 1),
) -> Path:
    """A run of random ids below ``classes``, frames named as by `make_vspw`; ``foreign``: gray PNGs and nothing else.

    ``table`` is VSPW's by default; ``view`` and ``size`` (the network's input) are what a run of one view tells.
    """
    random = np.random.default_rng(seed)
    table = table or vspw_classes()
    if not foreign:
        run = open_output(path, Manifest("test", {"seed": seed}, describe_classes(table), view), table.palette, [])
    for video, (frames, h, w) in videos.items():
        maps = {name: random.integers(0, classes, (h, w), dtype=np.uint8) for name in frame_names(frames)}
        if foreign:
            (path / video).mkdir(parents=True)
            for name, labels in maps.items():
                Image.fromarray(labels).save(path / video / f"{name}.png")
            continue
        with run.begin(video) as writer:
            for name, labels in maps.items():
                writer.add(name, labels)
            writer.commit({}, {"input": list(size)})
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` with its bytes: to see that nothing changed."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@contextlib.contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file of this process grows beyond ``size`` bytes: a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def peak_memory() -> int:
    """The most memory this process has held, KiB.

    From the process's own counter: what ``getrusage`` tells includes the process that started this one.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def resident() -> int:
    """The memory this process holds, bytes."""
    import psutil

    return int(psutil.Process().memory_info().rss)
