"""Where a model lies: folders as ``transformers`` writes them, and hub ids. Loads no torch."""

import difflib
import hashlib
import json
import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from vsscli.errors import ModelError
from vsscli.models.box import boxed_models, find_boxed
from vsscli.models.catalogue import catalogue, refuse_published
from vsscli.quiet import quiet_hub

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PREPROCESSORS = ("preprocessor_config.json", "processor_config.json")
_PICKLES = (".bin", ".pth", ".pt", ".ckpt", ".pkl")
_SHOWN = 80  # characters of a name that cannot be one
_LOCAL = ("models", "runs")  # where our own examples put models: never the name of an organisation on the hub
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def lies_here(name: str) -> bool:
    """Whether ``name`` is a path of something on this machine; what cannot be one (too long, no access) is not."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def is_hub_id(name: str) -> bool:
    """Whether ``name`` can be ``org/name`` on the hub, and is no path of ours or below a folder that is here."""
    path = Path(name)
    return bool(_HUB_ID.fullmatch(name)) and not path.parent.is_dir() and path.parts[0] not in _LOCAL


def resolve_source(source: str, offline: bool = False) -> Path:
    """The folder of a model: one in the box, ``source`` itself, or the cached snapshot of the hub id ``org/name``.

    A hub id is looked up on the hub, unless ``offline`` or ``HF_HUB_OFFLINE`` is set; its weights and configuration are
    downloaded into the hub's cache. Raises ModelError when there is no such folder, or the hub gives none; for the name
    of a published model it says where the weights are had.
    """
    boxed = find_boxed(source)
    if boxed is not None:
        return boxed
    path = Path(source)
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:
        shown = source if len(source) <= _SHOWN else f"{source[:_SHOWN]}..."
        raise ModelError(f"{shown} cannot be read ({error.strerror}).") from None
    if is_folder:
        return path
    if is_there:
        raise ModelError(f"{source} is a file, not a model folder.", _folder_of(path))
    refuse_published(source)
    if not is_hub_id(source):
        published = catalogue().models.get(path.name)
        if published is not None:
            raise ModelError(f"There is no model folder {source}.", f"It is made by: {published.convert_line}")
        near = difflib.get_close_matches(source, _names(), 3, 0.6)
        hint = f"Did you mean {', '.join(near)}?" if near else "Give a folder, or a hub id of the form org/name."
        raise ModelError(f"There is no model folder {source}.", hint)
    return _snapshot(source, offline)


def _names() -> list[str]:
    """All that ``--model`` knows by name alone."""
    return [*boxed_models(), *entry_points(group="vsscli.models").names, *catalogue().models]


def _snapshot(hub_id: str, offline: bool) -> Path:
    about = next((family for family in catalogue().families.values() if family.hub == hub_id), None)
    if about is not None:
        raise ModelError(
            f"{hub_id} is a repository of checkpoints of {about.title}, not a model folder ({about.files}).",
            f"Make a model folder of one of them: {_convert(f'hf://{hub_id}/FILE')}",
        )
    from huggingface_hub import snapshot_download

    wanted = ["config.json", *PREPROCESSORS, WEIGHTS, INDEX, "model-*.safetensors"]
    checkpoints = f"If it holds checkpoints, make a model folder of one: {_convert(f'hf://{hub_id}/FILE')}"
    try:
        with quiet_hub():
            folder = Path(snapshot_download(hub_id, allow_patterns=wanted, local_files_only=offline))
    except Exception as error:  # the hub's client raises its own, httpx's, and the system's errors
        where = "the hub's cache has" if offline else "the hub gives"
        raise ModelError(
            f"{hub_id} is no folder here, and {where} no model of that name ({_first_line(error)}).",
            f"Download the model where there is a network and give its folder. {checkpoints}",
        ) from None
    if not (folder / "config.json").is_file():
        raise ModelError(f"{hub_id} on the hub is no model folder: it has no config.json.", checkpoints)
    return folder


def _convert(checkpoint: str) -> str:
    return f"vsscli convert {shlex.quote(checkpoint)} --out models/NAME"


def _folder_of(file: Path) -> str:
    """What to give instead of a file."""
    if (file.parent / "config.json").is_file() and (file.suffix == ".safetensors" or file.name == "config.json"):
        return f"Give its folder: {file.parent}"
    if file.suffix in (*_PICKLES, ".safetensors"):
        return f"Make a model folder of it: {_convert(str(file))}"
    return "Give the folder that holds config.json and model.safetensors."


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; ModelError naming the file when there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read ({_first_line(error)}).") from None
    if not isinstance(found, dict):
        raise ModelError(f"{path} holds no JSON object.")
    return found


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a model folder; ModelError saying what was looked for when it is no model folder."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} is no model folder: looked for config.json and {WEIGHTS}.", _advice(folder))
    return read_json(folder / "config.json")


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files with the weights of ``folder``; ModelError saying what was looked for, or is missing."""
    if (folder / WEIGHTS).is_file():
        return (folder / WEIGHTS,)
    if not (folder / INDEX).is_file():
        if (folder / "train.json").is_file():
            raise ModelError(
                f"{folder} has no weights yet: its training ended before one was kept.",
                "Repeat the command that began it (vsscli train); save_every says how often it keeps one.",
            )
        raise ModelError(f"{folder} has no weights: looked for {WEIGHTS} and {INDEX}.", _advice(folder))
    shards = read_json(folder / INDEX).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise ModelError(f"{folder / INDEX} lists no weights.")
    files = tuple(folder / name for name in sorted(set(map(str, shards.values()))))
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelError(f"{folder} lacks {', '.join(missing)}, which {INDEX} names.", "Download or copy it again.")
    return files


def model_digest(source: str, offline: bool = False) -> str:
    """SHA-256 over the names and contents of a model's configuration and weight files: who a run's model was.

    Raises ModelError as `resolve_source`, `read_config` and `weight_files` do.
    """
    return folder_digest(resolve_source(source, offline))


def folder_digest(folder: Path) -> str:
    """`model_digest` of a folder."""
    read_config(folder)
    files = [folder / "config.json", *(folder / name for name in PREPROCESSORS), *weight_files(folder)]
    state = hashlib.sha256()
    for path in files:
        if path.is_file():
            with path.open("rb") as file:
                state.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return state.hexdigest()


def _advice(folder: Path) -> str:
    try:
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES)
    except OSError:
        pickles = []
    if not pickles:
        return "Give a folder written by save_pretrained."
    load = "Load it with transformers where you trust it, and save_pretrained writes safetensors."
    if (folder / "config.json").is_file():
        return f"{pickles[0]} is a pickle, which can run code when it is read, and is not opened. {load}"
    return (
        f"{pickles[0]} is a checkpoint. One of DVIS++, CTVIS, MinVIS, VidEoMT, PMT or LVMT becomes a model folder "
        f"by {_convert(str(folder / pickles[0]))}. If it is one of transformers: {load[0].lower()}{load[1:]}"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
