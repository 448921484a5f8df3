"""``vsscli report``."""

from pathlib import Path
from typing import Annotated

import typer

from vsscli.cli.options import DataOption, Videos, Workers
from vsscli.cli.place import check_new_file
from vsscli.cli.talk import say
from vsscli.words import plural


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Runs of the same videos, in the order of a chain (up to 8).")
    ],
    data: DataOption,
    out: Annotated[Path, typer.Option(help="The page to write: one HTML file.", show_default=False)],
    split: Annotated[str, typer.Option(help="The split: its list is DATA/SPLIT.txt.")] = "val",
    protocol: Annotated[str, typer.Option(help="Whose definitions: vspw (official), cffm, mmseg, dvis.")] = "vspw",
    max_frames: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="Frames shown of a video. Default: 2 to 12, fewer of more: near 60 MB for two runs of VSPW val.",
            show_default=False,
        ),
    ] = None,
    videos: Videos = None,
    workers: Workers = None,
) -> None:
    """Show runs as one HTML page that opens from disk, without a network.

    Scores with intervals for every run and from one to the next, IoU of classes,
    confusions; per video a strip of frames, a comparison with a slider, and where
    and when labels flicker; which run a selection kept and by what margin; every
    question to a language model with its image, the answers side by side, and
    what they changed; what made the runs. Where there are no masks (a test split),
    the page shows what needs none, and says so. See 'vsscli guide reports'.

    Example: vsscli report runs/a runs/vote runs/corrected --data VSPW_480p --out report.html
    """
    from vsscli.data.open import open_dataset
    from vsscli.engine import cores
    from vsscli.report.build import estimate, frames_a_video, write_report
    from vsscli.report.questions import find_topics
    from vsscli.report.scores import score_stages
    from vsscli.report.stages import gather
    from vsscli.runs.run import open_run

    check_new_file(out, [*runs, data], (".html", ".htm"))
    stages = gather([open_run(path) for path in runs], open_dataset(data, split), videos)
    topics = find_topics(stages)
    most = max_frames or frames_a_video(stages)
    about = estimate(stages, topics, most) / 1e6
    say(
        f"report: {plural(len(stages.runs), 'run')}, {plural(len(stages.videos), 'video')}, "
        f"up to {plural(most, 'frame')} of each: about {about:,.0f} MB."
    )
    count = workers or cores()
    scores = score_stages(stages, protocol, count)
    if scores is None:
        say("report: without masks there are no scores; the rest is shown.")
    size = write_report(stages, scores, topics, most, out, count)
    say(f"report: wrote {out}, {size / 1e6:,.1f} MB.")
