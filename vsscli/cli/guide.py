"""``vsscli guide``."""

import sys
from typing import Annotated

import typer

from vsscli.guides import read_guide, topics


def _complete(typed: str) -> list[str]:
    return [topic for topic in topics() if topic.startswith(typed)]


def guide(
    topic: Annotated[
        str | None, typer.Argument(help="What to read about.", show_default=False, autocompletion=_complete)
    ] = None,
) -> None:
    """Show a long text; without a topic, list what there is.

    On a terminal it is laid out; into a pipe or a file it goes as Markdown.

    Example: vsscli guide tta | less
    """
    if topic is None:
        known = topics()
        width = max(map(len, known))
        for name, title in known.items():
            print(f"{name:<{width}}  {title}")
        return
    text = read_guide(topic)
    if not sys.stdout.isatty():
        print(text, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
