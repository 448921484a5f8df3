"""The commands. Every verb's file is light: what it needs of torch, numpy or cv2 it imports when it runs."""

from typing import Annotated

import typer

from vsscli import __version__
from vsscli.cli.convert import convert
from vsscli.cli.data_check import check
from vsscli.cli.data_stats import stats
from vsscli.cli.demo import demo
from vsscli.cli.ensemble import ensemble
from vsscli.cli.guide import guide
from vsscli.cli.infer import infer
from vsscli.cli.models import models
from vsscli.cli.postprocess import postprocess
from vsscli.cli.report import report
from vsscli.cli.run import run
from vsscli.cli.score import score
from vsscli.cli.show import show
from vsscli.cli.submit import submit
from vsscli.cli.synth import synth
from vsscli.cli.train import train

app = typer.Typer(
    name="vsscli",
    help="Video semantic segmentation: from a folder of videos to a score and a submission archive.",
    epilog="The chain: infer -> ensemble -> postprocess -> score -> submit. 'vsscli VERB --help' has an example.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"vsscli {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


app.command()(infer)
app.command()(ensemble)
app.command()(postprocess)
app.command()(score)
app.command()(submit)
app.command()(show)
app.command()(report)
app.command()(run)
app.command()(train)
app.command()(convert)
app.command()(models)
app.command()(guide)
app.command()(demo)

data = typer.Typer(help="Look after a dataset.", no_args_is_help=True)
data.command()(check)
data.command()(stats)
data.command()(synth)
app.add_typer(data, name="data")
