"""``vsscli show``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsscli.cli.options import DataOption, Videos, Workers
from vsscli.cli.place import check_new_file
from vsscli.cli.talk import say
from vsscli.errors import OptionError
from vsscli.words import plural

if TYPE_CHECKING:
    from vsscli.report.show import Overlays


def show(
    run: Annotated[Path, typer.Argument(help="The run: a folder VIDEO/FRAME.png, whoever made it.")],
    data: DataOption,
    out: Annotated[
        Path,
        typer.Option(help="FILE.mp4 for one video, or a folder: VIDEO/FRAME.jpg for each video.", show_default=False),
    ],
    split: Annotated[str, typer.Option(help="The split: its list is DATA/SPLIT.txt.")] = "val",
    opacity: Annotated[float, typer.Option(min=0, max=1, help="How much the labels cover the frame.")] = 0.6,
    truth: Annotated[bool, typer.Option("--truth", help="Beside it the masks, in the same way.")] = False,
    fps: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=240,
            help="Frames a second of the film. Default: those of a video file, else VSPW's 15.",
            show_default=False,
        ),
    ] = None,
    videos: Videos = None,
    workers: Workers = None,
) -> None:
    """Show a run's labels over the frames, with a legend of the classes: as a film, or as pictures.

    The film is H.264 in MP4 and plays in every browser. The folder is absent,
    empty, or of an earlier call.

    Example: vsscli show runs/vote --data VSPW_480p --videos 10_qlnIRLj2v5M --truth --out overlay.mp4
    """
    from vsscli.data.open import open_dataset
    from vsscli.engine import cores, select_videos
    from vsscli.report.show import Look, Overlays
    from vsscli.runs.run import open_run

    opened, dataset = open_run(run), open_dataset(data, split)
    overlays = Overlays(opened, dataset, Look(opacity, truth))
    chosen = select_videos(opened.names(), videos, None)
    if not chosen:
        raise OptionError(f"{run} holds no finished video.", "Repeat the command that makes this run.")
    film = _is_film(out, chosen)
    check_new_file(out, [run, data], (".mp4",)) if film else _check_folder(out, [run, data], opened.names())
    overlays.check(chosen)
    if film:
        _write_film(overlays, chosen[0], out, fps or dataset.video(chosen[0]).fps or 15.0)
    else:
        _write_folder(overlays, chosen, out, workers or cores())


def _is_film(out: Path, videos: tuple[str, ...]) -> bool:
    """Whether ``out`` is to be a film; OptionError where it cannot be one."""
    from vsscli.data.plain import VIDEO_SUFFIXES

    suffix = out.suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        return False
    if suffix != ".mp4":
        raise OptionError(f"--out {out}: films are written as .mp4, not {suffix}.", "Give FILE.mp4, or a folder.")
    if len(videos) > 1:
        raise OptionError(
            f"--out {out} is one film, and these are {len(videos)} videos.",
            f"Choose one (--videos {videos[0]}), or give a folder: each video becomes a folder of pictures.",
        )
    return True


def _check_folder(out: Path, inputs: list[Path], names: tuple[str, ...]) -> None:
    """OptionError where ``out`` is no folder, was not made by an earlier call, holds other things or links, or lies
    inside an input."""
    from vsscli.report.show import MARKER
    from vsscli.runs.disk import disk_errors, real_path, refuse_inputs, sweep_temporary

    with disk_errors(out):
        place = real_path(out)
        if place.exists() and not place.is_dir():
            raise OptionError(f"--out {out} is a file and no film.", "Give FILE.mp4, or a folder.")
        refuse_inputs("--out", out, inputs)
        sweep_temporary(place, f".{MARKER}.*.tmp")
        items = sorted(place.iterdir()) if place.is_dir() else []
        if items and not (place / MARKER).is_file():
            raise OptionError(
                f"--out {out} is not empty and was not made by vsscli show.", "Give a folder that is absent or empty."
            )
        for item in items:
            if item.name != MARKER and not (item.name in names and _is_pictures(item)):
                raise OptionError(
                    f"--out {out} holds {item.name}, which is no video's pictures.",
                    "Give a folder that is absent or empty.",
                )


def _is_pictures(folder: Path) -> bool:
    """Whether a folder holds pictures alone. Links are none: what they lead to is not ours to write."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return all(path.suffix in (".jpg", ".tmp") and not path.is_symlink() for path in folder.iterdir())


def _write_film(overlays: "Overlays", video: str, out: Path, fps: float) -> None:
    from vsscli.engine.progress import Progress, Status
    from vsscli.report.show import write_film

    total, done = len(overlays.run.frames(video)), 0

    def step() -> None:
        nonlocal done
        done += 1

    with Progress("show", 1, lambda: Status(0, done / total, done)):
        write_film(overlays, video, out, fps, step)
    say(f"show: {plural(done, 'frame')} of {video} -> {out}")


def _write_folder(overlays: "Overlays", videos: tuple[str, ...], out: Path, workers: int) -> None:
    from vsscli import engine
    from vsscli.report.show import mark_folder, write_frames

    mark_folder(out)
    frames = sum(engine.map(partial(write_frames, overlays, out), list(videos), workers=workers, title="show"))
    say(f"show: {plural(len(videos), 'video')}, {plural(frames, 'frame')} -> {out}")
