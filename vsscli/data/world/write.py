"""Writes a world in VSPW's layout.

    OUT/data/<video>/origin/<frame>.jpg      OUT/train.txt  val.txt  test.txt
    OUT/data/<video>/mask/<frame>.png        OUT/label_num_dic_final.json
    OUT/test_truth/<video>/mask/<frame>.png  OUT/manifest.json

Videos of the test split have no masks under ``data``, as in VSPW; their truth lies beside. Each video is written to a
temporary folder that is renamed when it is complete, lists and manifest come last: after any interruption the same
call continues, and the bytes are the same. JPEG and PNG are Pillow's: another release of it may pack the same pixels
differently.
"""

import contextlib
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vsscli.data.classes import vspw_classes
from vsscli.data.images import read_indices
from vsscli.data.world.mesh import OTHERS
from vsscli.data.world.plan import DOING, MANIFEST, PLAN, Job, Plan, check_folder
from vsscli.data.world.video import SPLITS, frame_numbers, place_name, stored_frames
from vsscli.errors import DataError
from vsscli.processes import is_stale, stamp

JPEG_QUALITY = 90
PNG_LEVEL = 3


@dataclass(frozen=True)
class VideoRecord:
    """A finished video. ``classes`` are the names of the classes that occur; ``digest`` is over all its files."""

    name: str
    split: str
    place: str
    frames: int
    classes: list[str]
    digest: str


@dataclass(frozen=True)
class World:
    """A finished world; ``before`` says that it had been finished before."""

    out: Path
    digest: str
    classes: list[str]
    videos: list[VideoRecord]
    before: bool


#: Runs a function over jobs, in order: `map`, or the same with more processes.
Spread = Callable[[Callable[[Job], VideoRecord], Sequence[Job]], Iterable[VideoRecord]]


def write_world(
    out: Path,
    *,
    seed: int,
    videos: dict[str, int],
    frames: int,
    size: tuple[int, int],
    places: tuple[str, ...] | None = None,
    spread: Spread = map,
) -> World:
    """Makes the world of ``seed`` in ``out``, or finishes it, or finds it there.

    ``videos`` are the numbers of videos of ``train``, ``val`` and ``test``; ``size`` is (H, W); ``places``: only those
    that show one of these. ``spread`` runs the videos and may use any number of processes: the bytes do not depend on
    it. Raises OptionError for bad values and for a folder that holds something else, DataError when the disk refuses or
    a finished video lacks files.
    """
    plan = Plan(seed, videos, frames, size, places)
    if check_folder(plan, out):
        with _disk(out):
            for job in plan.jobs(out):
                job.check()
        _leave(out / DOING)  # a process killed right after its manifest could not
        return _read_manifest(out)
    with _disk(out):
        _begin(plan, out)
    records = list(spread(make_video, plan.jobs(out)))
    with _disk(out):
        return _finish(plan, out, records)


def make_video(job: Job) -> VideoRecord:
    """Writes one video unless it is there, and says what is in it. For any process; DataError when the disk refuses."""
    with _disk(job.folder):
        if not (job.folder.is_dir() and job.truth.is_dir()):
            doing = job.out / DOING / f"{job.name}.{stamp()}"
            shutil.rmtree(doing, ignore_errors=True)
            _draw(job, doing)
            if job.truth != job.folder:
                _rename(doing / "truth", job.truth)
            _rename(doing / "data", job.folder)
            shutil.rmtree(doing)
        job.check()
        return _inspect(job)


def _draw(job: Job, doing: Path) -> None:
    origin = doing / "data" / "origin"
    mask = doing / ("truth" if job.truth != job.folder else "data") / "mask"
    origin.mkdir(parents=True)
    mask.mkdir(parents=True)
    numbers = frame_numbers(job.seed, job.index, job.frames)
    drawn = stored_frames(job.seed, job.index, job.frames, job.size)
    for number, (image, stored) in zip(numbers, drawn, strict=True):
        _save(Image.fromarray(image), origin / f"{number:08d}.jpg", quality=JPEG_QUALITY)
        colored = Image.fromarray(stored)
        colored.putpalette(_palette())
        _save(colored, mask / f"{number:08d}.png", compress_level=PNG_LEVEL)


def _save(picture: Image.Image, path: Path, **options: int) -> None:
    """Whole, or an OSError: straight to a disk that is full Pillow may write a part of a JPEG and tell nothing."""
    content = io.BytesIO()
    picture.save(content, "JPEG" if path.suffix == ".jpg" else "PNG", **options)
    path.write_bytes(content.getvalue())


def _palette() -> bytes:
    """Colours of the stored values: 0 black, 1..124 the classes, 255 white."""
    colors = vspw_classes().palette
    return bytes(3) + colors[: 3 * len(vspw_classes())] + bytes(3 * (254 - len(vspw_classes()))) + b"\xff\xff\xff"


def _rename(source: Path, target: Path) -> None:
    """Moves a folder to its place; another process may have been faster."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        source.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(source)


def _inspect(job: Job) -> VideoRecord:
    state, values = hashlib.sha256(), np.zeros(256, bool)
    masks = sorted((job.truth / "mask").iterdir())
    for path in [*sorted((job.folder / "origin").iterdir()), *masks]:
        state.update(f"{path.relative_to(job.out).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    for path in masks:
        values[read_indices(path)] = True
    names = [OTHERS, *vspw_classes().names]
    seen = [names[i] for i in np.flatnonzero(values[: len(names)]) if i]
    place = place_name(job.seed, job.index)
    return VideoRecord(job.name, job.split, place, len(masks), seen, state.hexdigest())


def _begin(plan: Plan, out: Path) -> None:
    """Writes down what is being made; sweeps what processes that are gone have left."""
    doing = out / DOING
    doing.mkdir(parents=True, exist_ok=True)
    _sweep(doing)
    _sweep_parts(out)
    _sweep_parts(doing)
    _write(doing / PLAN, json.dumps(plan.identity()))


def _sweep(doing: Path) -> None:
    for entry in doing.iterdir():
        if entry.is_dir() and is_stale(entry.name):
            shutil.rmtree(entry, ignore_errors=True)


def _sweep_parts(folder: Path) -> None:
    """What `_write` leaves when its process is killed."""
    for entry in folder.glob(".*.part"):
        if is_stale(entry.name.removesuffix(".part")):
            entry.unlink(missing_ok=True)


def _finish(plan: Plan, out: Path, records: list[VideoRecord]) -> World:
    """Lists, label file and, last, the manifest."""
    for split in SPLITS:
        names = [record.name for record in records if record.split == split]
        if names:
            _write(out / f"{split}.txt", "".join(f"{name}\n" for name in names))
    _write(out / "label_num_dic_final.json", json.dumps(_label_numbers()) + "\n")
    seen = {name for record in records for name in record.classes}
    classes = [name for name in vspw_classes().names if name in seen]
    digest = hashlib.sha256("".join(f"{record.name} {record.digest}\n" for record in records).encode()).hexdigest()
    manifest = {
        "made_by": "vsscli data synth",
        **plan.identity(),
        "digest": digest,
        "classes": classes,
        "void": {
            "0": "others: objects that no class names",
            "255": "no label: a rim one pixel wide around those objects",
        },
        "test_truth": "masks of the test split: test_truth/<video>/mask/<frame>.png",
        "list": [asdict(record) for record in records],
    }
    _write(out / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    _leave(out / DOING)
    return World(out, digest, classes, records, before=False)


def _leave(doing: Path) -> None:
    """Removes ``doing`` unless another process is at work on the same world: that one will."""
    with contextlib.suppress(OSError):
        (doing / PLAN).unlink(missing_ok=True)
        _sweep(doing)
        doing.rmdir()


def _label_numbers() -> dict[str, str]:
    """VSPW's label file: numbers as strings, ``others`` after the ninth class."""
    pairs = [(name, str(i + 1)) for i, name in enumerate(vspw_classes().names)]
    return dict([*pairs[:9], (OTHERS, "0"), *pairs[9:]])


def _read_manifest(out: Path) -> World:
    found = json.loads((out / MANIFEST).read_text())
    records = [VideoRecord(**record) for record in found["list"]]
    return World(out, found["digest"], found["classes"], records, before=True)


def _write(path: Path, text: str) -> None:
    """A whole file or none."""
    part = path.with_name(f".{path.name}.{stamp()}.part")
    part.write_text(text)
    part.replace(path)


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "Check the space and the rights there; the same command continues."
        raise DataError(f"{path} cannot be written: {error.strerror or error}.", hint) from error
