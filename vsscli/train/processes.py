"""The processes of a training: one, or those that ``torchrun`` starts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from vsscli.errors import DeviceError, OptionError
from vsscli.models.load import find_device


@dataclass(frozen=True)
class Processes:
    """This is process ``rank`` of ``world``; it works on ``device``."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0


def join(device: str) -> Processes:
    """Meets the other processes that ``torchrun`` started, if it did; each takes its own CUDA device.

    OptionError and DeviceError where ``device`` (auto, cpu, cuda, cuda:N, mps) is none or is not there.
    """
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        device = f"cuda:{local}"
    elif world > 1 and device.startswith("cuda:"):
        raise OptionError(f"--device {device} is one device, and there are {world} processes.", "Give cuda.")
    place = find_device(device)
    if world > 1 and place.type == "mps":
        raise DeviceError("Apple's GPU works for one process only.", "Start one, or give --device cpu.")
    if world > 1 and not dist.is_initialized():
        if "MASTER_ADDR" not in os.environ:
            raise OptionError(
                f"WORLD_SIZE says {world} processes, and not where they meet (MASTER_ADDR).",
                "Start with torchrun, or unset WORLD_SIZE.",
            )
        if place.type == "cuda":
            torch.cuda.set_device(place)
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    return Processes(rank, world, place)


@contextmanager
def lost_peers(processes: Processes) -> Iterator[None]:
    """DeviceError in place of what torch says when another of the processes has ended: that one told why."""
    try:
        yield
    except RuntimeError as error:  # gloo's errors have no type of their own
        if processes.world == 1 or not (isinstance(error, dist.DistError) or "gloo" in str(error)):
            raise
        raise DeviceError(
            f"Another of the {processes.world} processes has ended; so does this one.",
            "What that one said tells why. The same command goes on from the last checkpoint.",
        ) from None


def leave() -> None:
    """Parts from the others."""
    if dist.is_initialized():
        dist.destroy_process_group()
