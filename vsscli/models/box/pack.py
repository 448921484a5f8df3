"""Puts a trained model into the box: weights in half precision, and a card with what it is worth.

python -m vsscli.models.box.pack models/tiny-offline --name tiny-1 --world world --unseen unseen --score score.json
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from vsscli.errors import VssError
from vsscli.models.box import BOX, CARD
from vsscli.models.source import WEIGHTS, read_config, weight_files

MOST_BYTES = 3_000_000


def pack(model: Path, target: Path, card: dict[str, Any]) -> int:
    """Writes the model folder ``model`` to ``target`` with its floating-point weights in half precision; the size of
    the weights in bytes. Raises VssError where that is above 3 MB, or ``model`` is not what ``vsscli train`` made.
    """
    read_config(model)
    (file,) = weight_files(model)
    weights = {name: _half(value) for name, value in load_file(file).items()}
    size = sum(value.numel() * value.element_size() for value in weights.values())
    if size > MOST_BYTES:
        raise VssError(f"The weights of {model} are {size / 1e6:.1f} MB, and the box takes 3.", "Train a smaller one.")
    names = ("config.json", "preprocessor_config.json", "train.json")
    missing = [name for name in names if not (model / name).is_file()]
    if missing:
        raise VssError(
            f"{model} is no training's folder: it lacks {', '.join(missing)}.", "Give what vsscli train made."
        )
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copyfile(model / name, target / name)
    save_file(weights, target / WEIGHTS)
    (target / WEIGHTS).chmod(0o644)
    (target / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return size


def _half(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() else value


def make_card(world: Path, unseen: Path, score: Path, training: Path, interval: int | None = None) -> dict[str, Any]:
    """What the model is, from the worlds' manifests, the score on the unseen one and the training's entries.

    ``interval``: that score is of a run in which the network saw every so many frames.
    """
    taught, asked, found, entries = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (world / "manifest.json", unseen / "manifest.json", score, training / "train.json")
    )
    kept = ("version", "seed", "size", "frames", "videos", "places", "digest")
    return {
        "seed": entries["seed"],
        "places": taught["places"] or sorted({video["place"] for video in taught["list"]}),
        "classes": len(taught["classes"]),
        "trained_on": {name: taught[name] for name in kept},
        "scored_on": {name: asked[name] for name in kept},
        "key_interval": interval,
        **{name: found[name] for name in ("miou", "vc8", "vc16")},
    }


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description="Put a trained model into the box.")
    options.add_argument("model", type=Path)
    options.add_argument("--name", required=True, help="<name>-<version>, as tiny-1")
    for name in ("world", "unseen", "score"):
        options.add_argument(f"--{name}", type=Path, required=True)
    options.add_argument("--key-interval", type=int, help="that of the run which was scored")
    options.add_argument("--box", type=Path, default=BOX)
    given = options.parse_args()
    target = given.box / given.name
    try:
        size = pack(
            given.model, target, make_card(given.world, given.unseen, given.score, given.model, given.key_interval)
        )
    except VssError as error:
        sys.exit(f"error: {error.message} {error.hint or ''}")
    print(f"{given.model} -> {target}, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
