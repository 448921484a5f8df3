"""``vsscli data synth``: a generated world to try things on."""

from pathlib import Path
from typing import Annotated

import typer

from vsscli.cli.options import Workers
from vsscli.cli.talk import say
from vsscli.errors import OptionError
from vsscli.words import plural

WORLD = "What the world is (must be equal when it is continued)"


def synth(
    out: Annotated[Path, typer.Argument(help="The folder to make, or to continue.", show_default=False)],
    seed: Annotated[int, typer.Option(help="Another seed, another world.", rich_help_panel=WORLD)] = 0,
    train: Annotated[int, typer.Option(help="Videos with masks to train on.", rich_help_panel=WORLD)] = 12,
    val: Annotated[int, typer.Option(help="Videos with masks to validate on.", rich_help_panel=WORLD)] = 4,
    test: Annotated[
        int, typer.Option(help="Videos whose masks lie apart, in OUT/test_truth.", rich_help_panel=WORLD)
    ] = 4,
    frames: Annotated[
        int,
        typer.Option(max=100_000, help="Frames of a video, 15 a second; VC16 needs 17 or more.", rich_help_panel=WORLD),
    ] = 30,
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels.", rich_help_panel=WORLD)] = "854x480",
    places: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Only videos of these places, as they are in the whole world: coast, river, lake, street, park, "
            "suburb, room, airfield, stadium, winter, railway, farm. Default: all twelve in turn.",
            show_default=False,
            rich_help_panel=WORLD,
        ),
    ] = None,
    workers: Workers = None,
) -> None:
    """Make a world in VSPW's layout: generated videos with exact masks.

    Twelve kinds of places (streets, coasts, lakes, rooms, ...) hold some 90 of VSPW's 124 classes in motion: the
    camera pans, zooms and shakes, things hide each other, haze, blur and glare come and go. Sea, river and lake have
    the same water: only what is around tells them apart. Of every four videos of a split one has such water.

    The same seed gives the same bytes, with any number of workers. A command that was interrupted continues when it
    is given again. OUT/manifest.json says what was made.

    Example: vsscli data synth world --train 12 --val 4 --test 4 --size 854x480
    """
    from vsscli.data.world import write_world
    from vsscli.engine import map as spread_over

    world = write_world(
        out,
        seed=seed,
        videos={"train": train, "val": val, "test": test},
        frames=frames,
        size=parse_size(size),
        places=None if places is None else tuple(name.strip() for name in places.split(",") if name.strip()),
        spread=lambda function, jobs: spread_over(function, jobs, workers=workers, title="synth"),
    )
    total = sum(video.frames for video in world.videos)
    what = f"{plural(len(world.videos), 'video')}, {plural(total, 'frame')}, {len(world.classes)} classes"
    say(f"synth: {what} {'are there already' if world.before else 'made'} in {out}, digest {world.digest[:16]}.")


def parse_size(text: str) -> tuple[int, int]:
    """(H, W) from ``WIDTHxHEIGHT``; OptionError when it is none."""
    width, cross, height = text.lower().strip().partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise OptionError(f"--size {text!r} is no size.", "Give WIDTHxHEIGHT in pixels, for example 854x480.")
    return int(height), int(width)
