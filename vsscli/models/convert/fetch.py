"""Where a checkpoint comes from: a file here, or one on the hub."""

import re
from pathlib import Path

from vsscli.errors import ModelError
from vsscli.quiet import quiet_hub

_PREFIX = "hf://"
_PATIENCE = 10.0  # seconds for the hub to answer
_ADDRESS = re.compile(r"hf://(?P<repository>[\w.-]+/[\w.-]+)/(?P<file>[^/].*)")


def fetch_checkpoint(source: str) -> Path:
    """The local file of ``source``: a path, or ``hf://org/repo/path/in/repo``, which goes into the hub's cache.

    A local path is returned as it is. Raises ModelError for an address that is none, or where the hub gives no file.
    """
    if not source.startswith(_PREFIX):
        return Path(source)
    address = _ADDRESS.fullmatch(source)
    if address is None or ".." in source.split("/"):
        raise ModelError(
            f"{source} is no address of a file on the hub.", "Write hf://org/repo/file, as on the page of the file."
        )
    repository, file = address["repository"], address["file"]
    if file == "FILE":
        raise ModelError(
            f"{source}: FILE stands for the name of a file.",
            f"Look for it at https://huggingface.co/{repository}/tree/main.",
        )
    try:
        with quiet_hub():
            return Path(_download(repository, file))
    except Exception as error:  # the hub's client raises its own, httpx's, and the system's errors
        line = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ModelError(
            f"{source} cannot be had from the hub ({line}).",
            "Check the address, or download the file where there is a network and give its path.",
        ) from None


def _download(repository: str, file: str) -> str:
    """The file in the hub's cache. Asks once whether the hub answers: the download itself asks for half a minute."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        get_hf_file_metadata(hf_hub_url(repository, file), timeout=_PATIENCE)
    except Exception as error:
        try:
            return hf_hub_download(repository, file, local_files_only=True)
        except LocalEntryNotFoundError:
            raise error from None
    return hf_hub_download(repository, file)
