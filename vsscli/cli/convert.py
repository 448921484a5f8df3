"""``vsscli convert``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsscli.cli.talk import say
from vsscli.errors import ModelError, RunError
from vsscli.words import plural

if TYPE_CHECKING:
    from vsscli.models.convert.identify import Found
    from vsscli.models.convert.reading import Checkpoint
    from vsscli.models.convert.write import ModelFolder


def convert(
    checkpoint: Annotated[
        str, typer.Argument(help="A .pth, .pkl, .pt or .safetensors file, or hf://org/repo/file on the hub.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The model folder to make.", show_default=False)],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Instead of what is assumed: short and cap (test size), heads (of tracker and refiner, or of MPVSS' "
            "motion network), points (of a ViT-Adapter), vit_heads (of a ViT), class_order (dvis or kept).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a model folder of an official checkpoint: DVIS++ (or its segmenter), MPVSS, VidEoMT, PMT, LVMT.

    What the model is follows from the names and shapes of its weights; what they do not tell is assumed, and both are
    told. A weight that is missing, unused or of another shape ends the conversion. The classes of all these are put
    in the order of VSPW. No code that a file may bring along is run.

    Example: vsscli convert dvis_plus_online_r50.pth --out models/dvis-plus-online-r50
    """
    from time import perf_counter

    from vsscli.cli.place import check_new_folder
    from vsscli.models.convert.identify import identify, parse_settings

    started = perf_counter()
    chosen = parse_settings(settings or [])
    check_new_folder(out)
    from vsscli.models.convert.conversion import Misfit
    from vsscli.models.convert.conversion import convert as convert_weights
    from vsscli.models.convert.fetch import fetch_checkpoint
    from vsscli.models.convert.reading import read_checkpoint
    from vsscli.models.convert.videomt_names import in_official_names

    path = fetch_checkpoint(checkpoint)
    weights = in_official_names(read_checkpoint(path))
    count = sum(tensor.numel() for tensor in weights.tensors.values())
    say(f"convert: {path.name}, {plural(len(weights.tensors), 'tensor')}, {count / 1e6:.1f} M numbers")
    try:
        found = identify({name: tuple(tensor.shape) for name, tensor in weights.tensors.items()}, chosen)
    except ModelError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from None
    _refuse_another(out, weights, found)
    _tell(weights, found)
    say("checking every weight")
    result = convert_weights(weights, found)
    if isinstance(result, Misfit):
        for line in result.lines():
            say(line)
        raise result.error(path)
    if _place(out, result):
        say(f"convert: {result.size / 1e6:,.0f} MB in {perf_counter() - started:.1f} s -> {out}")
    else:
        say(f"convert: {out} holds this very conversion already; nothing was written.")


def _tell(weights: "Checkpoint", found: "Found") -> None:
    from vsscli.models.convert.conversion import unneeded

    left = unneeded(weights.tensors, found.config)
    notes = list(weights.notes)
    if left:
        more = ", ..." if len(left) > 4 else ""
        notes.append(f"left out what the network does not use ({len(left)}): {', '.join(left[:4])}{more}")
    for line in notes:
        say(f"  {line}")
    heads = {
        "inferred from names and shapes": found.inferred,
        "as you set it": found.chosen,
        "assumed (--set NAME=VALUE changes what has a name)": found.assumed,
    }
    for head, lines in heads.items():
        if lines:
            say(f"{head}:")
        for line in lines:
            say(f"  {line}")


def _taken(out: Path) -> bool:
    return out.is_dir() and any(out.iterdir())


def _refuse_another(out: Path, weights: "Checkpoint", found: "Found") -> None:
    """A folder whose configuration is of another conversion is told before the work."""
    from vsscli.models.convert.conversion import configuration
    from vsscli.models.convert.write import config_difference
    from vsscli.runs.disk import disk_errors

    with disk_errors(out):
        difference = config_difference(out, configuration(weights, found)) if _taken(out) else None
    if difference:
        raise _something_else(out, difference)


def _something_else(out: Path, difference: str) -> RunError:
    return RunError(f"--out {out} holds something else: {difference}.", "Choose another folder, or remove this one.")


def _place(out: Path, model: "ModelFolder") -> bool:
    """Writes the folder, all of it or nothing; False when it was there. RunError when another model is there."""
    from vsscli.cli.place import check_space
    from vsscli.models.convert.write import first_difference, write_folder
    from vsscli.runs.disk import DiskError, atomic_folder, disk_errors

    with disk_errors(out):
        taken = _taken(out)
        difference = first_difference(out, model) if taken else None
    if difference:
        raise _something_else(out, difference)
    if taken:
        return False
    check_space(out, model.size)
    say(f"writing {model.size / 1e6:,.0f} MB")
    try:
        with atomic_folder(out) as folder:
            write_folder(folder, model)
    except DiskError as error:
        raise DiskError(
            error.message, "Nothing was kept. Free some space, or give another --out, and repeat."
        ) from None
    return True
