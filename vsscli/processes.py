"""What is known of other processes of this machine."""

import hashlib
import os
import socket
from functools import cache
from pathlib import Path


def stamp() -> str:
    """What marks a temporary name as this process's: ``<machine>.<pid>``."""
    return f"{machine()}.{os.getpid()}"


def is_stale(stamped: str) -> bool:
    """Whether a name that ends in a `stamp` was left by a process of this machine that is gone."""
    name, _, pid = stamped.rpartition(".")
    return name.endswith(f".{machine()}") and pid.isdigit() and not is_alive(int(pid))


def machine() -> str:
    """Where numbers of processes are those that are seen here: host names alone are shared by containers and clones."""
    return f"{socket.gethostname()}-{_mark()}"


@cache
def _mark() -> str:
    found = b""
    for path, read in (("/etc/machine-id", lambda p: Path(p).read_text()), ("/proc/self/ns/pid", os.readlink)):
        try:
            found += read(path).encode()
        except OSError:  # not Linux
            continue
    return hashlib.sha256(found).hexdigest()[:8]


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
