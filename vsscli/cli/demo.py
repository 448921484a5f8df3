"""``vsscli demo``."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from vsscli.cli.talk import say
from vsscli.errors import OptionError

TAKES = "This takes about 3 minutes of processor time: about 2 minutes on 2 cores that do nothing else.\n"

#: What ends the demo; ``out`` is where all of it went.
END = """\
The table's figures are of six short videos: differences of this size are chance (vsscli guide selection).{nothing}

Open {out}/report.html
The archive of the last stage is {out}/submission.zip; the runs are in {out}/runs. One video with its labels over it:

    vsscli show {out}/runs/corrected --data {out}/world --videos {video} --out overlay.mp4
"""

OWN_DATA = """
Now your own data, in VSPW's layout, with model folders (vsscli models says where weights are had). What would be done:

    vsscli run pvuw2024 --set data=DATA --set split=val --set model_a=MODEL --set model_b=MODEL --dry-run

The same without --dry-run does it; --print shows it as shell lines; for the challenge itself, --set split=test. Other
recipes: vsscli run. How to write one: vsscli guide recipes. A video of your own:

    vsscli demo --video FILE.mp4

The command is .venv/bin/vsscli, or vsscli after: source .venv/bin/activate
"""


def demo(
    out: Annotated[
        Path | None, typer.Option(help="Where all of it goes. Default: demo, or FILE-demo.", show_default=False)
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.mp4",
            help="Instead of the chain: label maps of a video of yours, laid over it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the whole chain on a small generated world: vsscli run demo.

    The models in the box are trained on generated videos, and small. For the language model stands a small server
    that the demo starts on this machine. The numbers show what each stage does there; they say nothing about models
    that people use. Repeated, it continues what is there.

    Example: vsscli demo
    """
    if out is not None and out == Path():
        raise OptionError("--out is empty, or the folder that you are in.", "Give a folder that the demo can make.")
    if video is not None:
        _video(video, out)
        return
    place = out or Path("demo")
    say(TAKES)
    run_demo({"out": _word(place)})
    print(end_lines(place), end="")
    print(OWN_DATA)


def run_demo(settings: dict[str, str]) -> None:
    """Runs pipelines/demo.yaml with ``settings`` and a stand-in for the language model."""
    from vsscli.postprocess.stand_in import ABOUT, StandIn

    with StandIn() as server:
        say("In place of a language model answers A STAND-IN, a small server that the demo starts on this machine. Of")
        say(f"pictures of water it says: {ABOUT}\n")
        _run_recipe("demo", {**settings, "base_url": server.url})


def end_lines(out: Path) -> str:
    """What to make of the demo in ``out``, and where its results are."""
    from vsscli.runs.run import open_run

    selected, corrected = (open_run(out / "runs" / name) for name in ("selected", "corrected"))
    names = selected.names()
    same = all(selected.digest(name) == corrected.digest(name) for name in names)
    nothing = " Nothing\nneeded correcting here: corrected is selected, pixel by pixel." if same else ""
    return END.format(nothing=nothing, video=shlex.quote(names[0]), out=shlex.quote(_word(out)))


def _video(video: Path, out: Path | None) -> None:
    if not video.is_file():
        raise OptionError(f"--video {video} is no file.", "Give a video file, such as FILE.mp4.")
    place = out or Path(f"{video.stem}-demo")
    _check_place(place, video)
    _run_recipe("video", {"video": _word(video), "out": _word(place)})
    print(f"\nOpen {shlex.quote(_word(place / 'overlay.mp4'))}; its label maps are in {_word(place / 'labels')}.")


def _check_place(out: Path, video: Path) -> None:
    """OptionError where ``out`` holds anything else than an earlier demo of ``video``."""
    from vsscli.runs.disk import disk_errors

    with disk_errors(out):
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            return
        if not out.is_dir() or not _is_earlier(out, video):
            raise OptionError(
                f"--out {out} is there, and is no earlier demo of {video}.", "Give a folder that is absent or empty."
            )


def _is_earlier(out: Path, video: Path) -> bool:
    """Whether ``out`` holds labels of ``video`` alone, finished or not, and at most a film beside them."""
    from vsscli.runs.manifest import read_manifest
    from vsscli.runs.run import Run

    labels = out / "labels"
    if not all(path.name in ("labels", "overlay.mp4") or path.suffix == ".tmp" for path in out.iterdir()):
        return False
    manifest = read_manifest(labels) if labels.is_dir() else None
    if manifest is None or manifest.verb != "infer":
        return False
    earlier = Run(labels, manifest).places().get("data")  # none before its first video is finished
    names = {path.name for path in labels.iterdir() if path.is_dir() and not path.name.startswith(".")}
    return names <= {video.stem} and (earlier is None or Path(earlier).resolve() == video.resolve())


def _word(path: Path) -> str:
    """``path`` as an argument that is no option, and no home folder."""
    return f"./{path}" if str(path)[0] in "-~" else str(path)


def _run_recipe(name: str, settings: dict[str, str]) -> None:
    from vsscli.cli.main import run

    words = ["run", name, *(word for key, value in settings.items() for word in ("--set", f"{key}={value}"))]
    say(f"$ vsscli {shlex.join(words)}\n")
    code = run(words)
    if code:
        raise typer.Exit(code)
