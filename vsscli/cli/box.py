"""The page of a model in the box, for ``vsscli models NAME``."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

WIDTH = 80


def print_rows(rows: Mapping[str, str]) -> None:
    """Facts of a model, each under its name."""
    for head, text in rows.items():
        print(fill(text, WIDTH, initial_indent=f"  {head:<11}", subsequent_indent=" " * 13, break_on_hyphens=False))


def called_boxed(version: str) -> str:
    """``tiny (tiny-1)`` where the plain name means this version, else the version."""
    from vsscli.models.box import find_boxed

    plain = version.rpartition("-")[0]
    newest = find_boxed(plain)
    return f"{plain} ({version})" if newest is not None and newest.name == version else version


def show_boxed(folder: Path) -> None:
    """Prints what the model in ``folder`` is, what it was taught, what it scored and how it is made anew."""
    from vsscli.models.box import boxed_card, caution
    from vsscli.models.card import describe_model

    card = boxed_card(folder)
    model = describe_model(folder.name)
    called = called_boxed(folder.name)
    size = (folder / "model.safetensors").stat().st_size
    rows = {
        "network": f"{model.title}, {size / 1e6:.1f} MB of weights in half precision; seed {card['seed']}",
        "input": f"short side {model.preprocess.short}, long side at most {model.preprocess.cap}",
        "classes": f"{card['classes']} of VSPW's 124: those that its places have",
        "places": ", ".join(card["places"]),
        "trained on": _tell_world(card["trained_on"], "train"),
        "scored on": _tell_world(card["scored_on"], "val"),
        "scores": f"mIoU {card['miou']:.1%}, VC8 {card['vc8']:.1%}, VC16 {card['vc16']:.1%}{told_interval(card)}, "
        "never trained on these",
        "caution": caution(folder.name) or "",
        "made by": "pipelines/tiny.sh in a checkout makes it anew; 'vsscli guide training' tells of it",
    }
    print(called)
    print_rows(rows)
    print(f"\nvsscli infer DATA --model {called.split()[0]} --out RUN")


def told_interval(card: Mapping[str, Any]) -> str:
    """``, a key frame every 5 frames`` where the scores are of such a run."""
    interval = card["key_interval"]
    return "" if interval is None else f", a key frame every {interval} frames"


def _tell_world(world: dict[str, Any], split: str) -> str:
    height, width = world["size"]
    return (
        f"{world['videos'][split]} generated videos of {world['frames']} frames, {width}x{height}, seed "
        f"{world['seed']}; digest of the world {world['digest']}"
    )
