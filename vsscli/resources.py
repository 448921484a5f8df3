"""Where the files that people read and copy lie: ``pipelines/`` and ``prompts/``."""

from pathlib import Path
from typing import Literal


def resource_folder(name: Literal["pipelines", "prompts"]) -> Path:
    """The folder ``name``: inside the package when installed from a wheel, beside it in a checkout.

    Raises FileNotFoundError when neither is there, which means a broken installation.
    """
    package = Path(__file__).resolve().parent
    for place in (package / name, package.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name!r} is neither in {package} nor beside it: reinstall vsscli")
