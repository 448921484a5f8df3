"""What torch cannot do, told with what to try."""

from collections.abc import Iterator
from contextlib import contextmanager

from vsscli.errors import DeviceError, OptionError
from vsscli.models.refusals import is_out_of_memory, is_too_small
from vsscli.train.config import TrainConfig


@contextmanager
def explained(config: TrainConfig, world: int) -> Iterator[None]:
    """DeviceError where memory does not suffice or a reader is lost, OptionError where frames are too small.

    ``world``: how many processes share a batch.
    """
    try:
        yield
    except ValueError as error:
        if not is_too_small(error):
            raise
        raise OptionError(
            "The frames are too small for this network.", "Take larger input.short, input.crop or input.test_short."
        ) from None
    except (RuntimeError, MemoryError) as error:
        if "DataLoader worker" in str(error):
            raise DeviceError(
                "A process that reads clips was ended from outside, as the system does when memory runs out.",
                "Take fewer --workers; the same command goes on.",
            ) from None
        if not is_out_of_memory(error):
            raise
        clips = config.batch // config.accumulate // world
        raise DeviceError(
            f"A step of {clips} x {config.clip.frames} frames at a time does not fit into the memory.",
            f"Try {' or '.join(_smaller(config, world))}, with another --out where this one has a checkpoint.",
        ) from None


def _smaller(config: TrainConfig, world: int) -> Iterator[str]:
    """What takes less memory, as options that a shell takes as they are."""
    most = config.batch // world
    finer = next((n for n in range(config.accumulate + 1, most + 1) if config.batch % (n * world) == 0), None)
    if finer is not None:
        yield f"--set accumulate={finer} (the same batch in smaller parts)"
    sizes = config.input
    name, size = ("crop_range", sizes.crop_range) if sizes.crop_range else ("crop", sizes.crop or (720, 1280))
    yield f"--set 'input.{name}=[{', '.join(str(side * 2 // 3) for side in size)}]'"
