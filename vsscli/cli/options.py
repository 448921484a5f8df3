"""Options that several verbs share.

*Identity* options decide what a run is: they stand in its ``run.json`` and must be equal when it is continued.
*Execution* options decide how the work is done: they may differ on every call. The panel an option is shown under in
``--help`` is the mark of its kind.
"""

from pathlib import Path
from typing import Annotated

import typer

IDENTITY = "Identity options (must be equal when a run is continued)"
EXECUTION = "Execution options (may differ on every call)"

Data = Annotated[Path, typer.Argument(help="Dataset: VSPW's or CamVid's layout, a folder of videos, or a video file.")]
DataOption = Annotated[Path, typer.Option("--data", help="The dataset the run was made from.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="The run to make, or to continue.", show_default=False)]
Split = Annotated[str, typer.Option(help="The split: its list is DATA/SPLIT.txt.", rich_help_panel=IDENTITY)]
Videos = Annotated[
    str | None,
    typer.Option(help="Only these videos: NAME,NAME,... or @FILE with one name a line.", rich_help_panel=EXECUTION),
]
Shard = Annotated[
    str | None,
    typer.Option(
        help="i/n: only videos i, i+n, ... of the sorted list. 'slurm': read i and n from the job array.",
        rich_help_panel=EXECUTION,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Worker processes. Default: one per core.", show_default=False, rich_help_panel=EXECUTION),
]
Engine = Annotated[
    str,
    typer.Option(
        help="local, or ray: the videos over the nodes of a Ray cluster ('vsscli guide clusters').",
        rich_help_panel=EXECUTION,
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="With --engine ray: the head of the cluster. Default: the cluster that this machine belongs to.",
        show_default=False,
        rich_help_panel=EXECUTION,
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done; write nothing.", rich_help_panel=EXECUTION)
]
