"""What is known of other processes of this machine."""

import os
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs here, whosever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # a zombie answers to signals; only Linux tells
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
