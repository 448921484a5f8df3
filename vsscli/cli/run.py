"""``vsscli run``."""

from pathlib import Path
from typing import Annotated

import typer

from vsscli.errors import OptionError


def _complete(typed: str) -> list[str]:
    from vsscli.cli.recipes.reading import shipped

    return [name for name in shipped() if name.startswith(typed)]


def run(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE.yaml",
            help="A recipe of yours, or the name of a shipped one. Without: what is shipped.",
            show_default=False,
            autocompletion=_complete,
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Instead of what the recipe sets; may be repeated. An empty value leaves an option out.",
            show_default=False,
        ),
    ] = None,
    print_: Annotated[bool, typer.Option("--print", help="Print the shell lines, and run nothing.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask every step what it would do; write no run, ask no model.")
    ] = False,
) -> None:
    """Run a recipe: verbs with their own options, one after the other.

    A step is a command line, and does what that line would do. All of them are read before the first one runs. A step
    that fails stops the recipe, with its exit code; the same command again goes on, because every verb does. At the
    end a table shows what the score steps found.

    See 'vsscli guide recipes' for how to write one.

    Example: vsscli run pvuw2024 --set data=VSPW_480p --set model_a=models/a --set model_b=models/b --dry-run
    """
    from vsscli.cli.recipes.chain import ask_steps, print_lines, run_steps
    from vsscli.cli.recipes.reading import find_recipe, read_recipe
    from vsscli.cli.recipes.scores import read_scores, table_lines
    from vsscli.cli.recipes.steps import make_steps

    if recipe is None:
        if changes or print_ or dry_run:
            raise OptionError("No recipe is named.", "Give a recipe's file, or the name of a shipped one.")
        _list()
        return
    if print_ and dry_run:
        raise OptionError("--print and --dry-run exclude each other.", "Both run nothing: give one of them.")
    name = Path(recipe).stem
    steps, settings = make_steps(read_recipe(find_recipe(recipe)), changes or [])
    if recipe == "demo" and not settings["base_url"] and not print_:
        raise OptionError(
            "The recipe demo needs a server in place of a language model, and its base_url is empty.",
            "vsscli demo starts the stand-in, and then runs this; or name a server: --set base_url=http://...",
        )
    if print_:
        print_lines(steps, name, settings)
    elif dry_run:
        ask_steps(steps, name)
    else:
        scores = read_scores(run_steps(steps, name))
        if scores:
            print("\n".join(table_lines(scores)))


def _list() -> None:
    """What is shipped, a line each, and what can be set."""
    from vsscli.cli.recipes.reading import read_recipe, shipped

    known = {name: read_recipe(path) for name, path in shipped().items()}
    width = max(map(len, known))
    for name, recipe in known.items():
        print(f"{name:<{width}}  {recipe.about}")
        print(f"{'':<{width}}  --set {', '.join(recipe.settings)}")
