"""``vsscli models``."""

from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vsscli.cli.box import WIDTH, called_boxed, print_rows, show_boxed, told_interval
from vsscli.cli.result import check_place, write_json

if TYPE_CHECKING:
    from vsscli.models.catalogue import Published

_MEASURES = {"miou": "mIoU", "vc8": "VC8", "vc16": "VC16"}


def models(
    name: Annotated[str | None, typer.Argument(help="Only this one, at length.", show_default=False)] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the facts as JSON; - is stdout.", show_default=False)
    ] = None,
) -> None:
    """List the published models: sizes, memory, scores as published, and where the weights are had; and the box.

    A checkpoint of a published model becomes a model folder by convert: its weights do not come with vsscli. What does
    are tiny models that know generated videos only.

    Example: vsscli models dvis-plus-online-r50
    """
    from vsscli.models.box import find_boxed
    from vsscli.models.catalogue import catalogue, find_published

    known = catalogue()
    folder = None if name is None else find_boxed(name)
    shown = list(known.models.values()) if name is None else [] if folder is not None else [find_published(name)]
    check_place(json)
    boxed = _boxed()
    if name is not None:
        boxed = {} if folder is None else {folder.name: boxed[folder.name]}
    facts = [_facts(model) for model in shown]
    write_json(json, {"models": facts, "direct": known.direct, "plugins": _plugins(), "box": boxed}, "models")
    if json == "-":
        return
    if folder is not None:
        show_boxed(folder)
    elif name is not None:
        _show_one(shown[0])
    else:
        _show_all(shown, known.direct)
        _show_box(boxed)


def _boxed() -> dict[str, dict[str, Any]]:
    """The cards of the models in the box, by their names."""
    from vsscli.models.box import boxed_card, boxed_models

    return {name: boxed_card(folder) for name, folder in boxed_models().items() if folder.name == name}


def _show_box(cards: dict[str, dict[str, Any]]) -> None:
    if cards:
        print()
        _say("In the box, for trying the tool: they have seen generated videos only (vsscli data synth).")
    for name, card in cards.items():
        called = called_boxed(name)
        scores = ", ".join(f"{title} {card[key]:.1%}" for key, title in _MEASURES.items())
        videos = f"{card['scored_on']['videos']['val']} generated videos never trained on"
        _say(f"  --model {called}: {scores} on {videos}{told_interval(card)}.")


def _facts(model: "Published") -> dict[str, Any]:
    from dataclasses import asdict

    from vsscli.models.catalogue import SHOWN_SIZE

    entries = asdict(model)
    entries["parameters"] = round(model.parameters * 1e6)
    kept = {"input": list(SHOWN_SIZE), "kept_bytes_per_frame": model.kept_bytes(*SHOWN_SIZE)}
    return {**entries, **kept, "convert": model.convert_line, "about": asdict(model.about)}


def _show_all(shown: list["Published"], direct: dict[str, str]) -> None:
    from vsscli.models.catalogue import SHOWN_SIZE

    print(f"{'':<24}{'parameters':>10}  {'test size':<10}{'kept/frame':>10}  {'mIoU':>6}{'VC8':>6}{'VC16':>6}")
    for model in shown:
        kept = f"{model.kept_bytes(*SHOWN_SIZE) / 1e6:.1f} MB" if model.keeps_per != "nothing" else "-"
        scores = "".join(f"{100 * s:6.1f}" if s else "     -" for s in (model.miou, model.vc8, model.vc16))
        size = f"{model.short}/{model.cap}"
        print(f"{model.name:<24}{f'{model.parameters:.1f} M':>10}  {size:<10}{kept:>10}  {scores}")
    print()
    height, width = SHOWN_SIZE
    _say("Test size: short side / long side at most, in pixels.")
    _say(f"Kept of a frame until its video ends, for {height}x{width} (720p, 16:9):")
    families = {model.family: model.about for model in shown}.values()
    for about in families:
        if about.kept != "nothing":
            _say(f"  {about.title}: {about.kept}.")
    for about in families:
        print()
        _say(f"{about.title}: scores on {about.scored}, in percent, as its authors state them. {about.caution_short}")
        _say(f"{about.title}: weights are {about.weights}. {about.licence}")
        print(f"  vsscli convert {about.checkpoint} --out models/NAME")
    print()
    _say(
        f"As they are, without convert: folders written by save_pretrained and hub ids org/name of transformers' "
        f"{', '.join(direct.values())}."
    )
    for plugin in _plugins():
        _say(f"Plug-in: --model {plugin['name']} ({plugin['from']}).")
    print("\nvsscli models NAME tells more of one.")


def _plugins() -> list[dict[str, str]]:
    """Models from outside that are installed: how they are named, and where they are from."""
    from importlib.metadata import entry_points

    points = entry_points(group="vsscli.models")
    dists = {point.name: point.dist for point in points}
    return [
        {"name": name, "from": f"{dist.name} {dist.version}" if dist is not None else "unknown"}
        for name, dist in sorted(dists.items())
    ]


def _show_one(model: "Published") -> None:
    from vsscli.models.catalogue import SHOWN_SIZE

    about = model.about
    height, width = SHOWN_SIZE
    kept = model.kept_bytes(height, width)
    vc8 = f"VC8 {model.vc8:.1%}, " if model.vc8 else ""
    print(model.name)
    memory = f"{model.kept} (nothing is kept until the video ends)"
    if kept:
        memory = f"{kept / 1e6:.1f} MB a frame at {height}x{width}, kept until the video ends: {model.kept}, "
        memory += f"{_tell_kept(model, height, width)} ({kept:,} bytes)"
    rows = {
        "network": f"{about.title}: {model.network}; {model.queries} queries, {model.parameters:.1f} M parameters",
        "classes": about.classes,
        "test size": f"short side {model.short}, long side at most {model.cap}",
        "memory": memory,
        "published": f"{about.scored}: mIoU {model.miou:.1%}, {vc8}VC16 {model.vc16:.1%}",
        "caution": about.caution,
        "weights": f"https://huggingface.co/{about.hub} ({about.files})" if about.hub else about.weights,
        "licence": about.licence,
    }
    print_rows(rows)
    print(f"\n{model.convert_line}\nvsscli infer DATA --model models/{model.name} --out RUN")


def _tell_kept(model: "Published", height: int, width: int) -> str:
    if model.keeps_per == "patches":
        return f"{model.channels} float32 numbers for each of {height // 16}x{width // 16} patches and of the queries"
    maps = model.queries if model.keeps_per == "queries" else model.channels
    return f"{maps} float32 maps of {height // 4}x{width // 4}"


def _say(text: str) -> None:
    print(fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False))
