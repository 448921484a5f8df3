"""``vsscli demo``."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from vsscli.cli.talk import say

DOUBLES = {
    "noisy": "oracle:noise=0.08",
    "flickering": "oracle:flicker=0.06,noise=0.02",
    "confused": "oracle:confuse=sea>lake+road>path,noise=0.02",
}

OWN_DATA = """
Now your own data, in VSPW's layout, with model folders of transformers. To score, on the split with masks:

    vsscli infer DATA --split val --model MODEL --scales 0.9,1.0,1.1,1.2 --flip --out val/a
    vsscli ensemble val/a val/b val/c --method vote --out val/voted
    vsscli score val/voted --data DATA --split val

To submit, the same with --split test, and then:

    vsscli submit test/voted --data DATA --split test --out submission.zip

The command is .venv/bin/vsscli, or vsscli after: source .venv/bin/activate
"""


def demo(
    out: Annotated[Path, typer.Option(help="Where the demo's videos and runs go.")] = Path("demo"),
) -> None:
    """Run the whole chain on a small generated world.

    No model is trained yet for that world: a test double answers from the masks, with errors. The numbers show
    how the tool works, not how good a model is. Repeated, it continues what is there.

    Example: vsscli demo
    """
    say("A generated world, and in place of models THE TEST DOUBLE: the truth with three kinds of errors.\n")
    data = out / "world"
    _run("data", "synth", data, "--train", 0, "--val", 6, "--test", 2, "--frames", 24, "--size", "427x240")
    _run("data", "stats", data)
    runs = []
    for i, (name, model) in enumerate(DOUBLES.items()):
        runs.append(out / "runs" / name)
        _run("infer", data, "--model", model, "--seed", i, "--out", runs[-1])
        _run("score", runs[-1], "--data", data, "--json", out / f"{name}.json")
    voted = out / "runs" / "voted"
    _run("ensemble", *runs, "--method", "vote", "--out", voted)
    _run("score", voted, "--data", data, "--against", runs[0], "--json", out / "voted.json")
    _run("submit", voted, "--data", data, "--split", "val", "--out", out / "submission.zip")
    _summary(out, [*DOUBLES, "voted"])
    print(OWN_DATA)


def _run(*words: object) -> None:
    from vsscli.cli.main import run

    arguments = [str(word) for word in words]
    say(f"$ vsscli {shlex.join(arguments)}")
    code = run(arguments)
    say("")
    if code:
        raise typer.Exit(code)


def _summary(out: Path, names: list[str]) -> None:
    import json

    from rich.console import Console
    from rich.table import Table

    table = Table(title="Test double, generated world (%)")
    for column in ("run", "mIoU", "VC8", "VC16"):
        table.add_column(column, justify="left" if column == "run" else "right")
    for name in names:
        score = json.loads((out / f"{name}.json").read_text())
        table.add_row(name, *(f"{100 * score[key]:.2f}" for key in ("miou", "vc8", "vc16")))
    Console().print(table)
