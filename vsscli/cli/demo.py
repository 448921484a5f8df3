"""``vsscli demo``."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from vsscli.cli.talk import say
from vsscli.errors import OptionError

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
    if video is not None:
        _video(video, out)
        return
    run_demo({"out": str(out or "demo")})
    print(OWN_DATA)


def run_demo(settings: dict[str, str]) -> None:
    """Runs pipelines/demo.yaml with ``settings`` and a stand-in for the language model."""
    from vsscli.postprocess.stand_in import ABOUT, StandIn

    with StandIn() as server:
        say("In place of a language model answers A STAND-IN, a small server that the demo starts on this machine. Of")
        say(f"pictures of water it says: {ABOUT}\n")
        _run_recipe("demo", {**settings, "base_url": server.url})


def _video(video: Path, out: Path | None) -> None:
    if not video.is_file():
        raise OptionError(f"--video {video} is no file.", "Give a video file, such as FILE.mp4.")
    _run_recipe("video", {"video": str(video), "out": str(out or f"{video.stem}-demo")})


def _run_recipe(name: str, settings: dict[str, str]) -> None:
    from vsscli.cli.main import run

    words = ["run", name, *(word for key, value in settings.items() for word in ("--set", f"{key}={value}"))]
    say(f"$ vsscli {shlex.join(words)}\n")
    code = run(words)
    if code:
        raise typer.Exit(code)
