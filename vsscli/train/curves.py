"""The curves of a training for TensorBoard: the extra ``tensorboard``."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vsscli.errors import OptionError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from vsscli.train.loop import Report

FOLDER = "tensorboard"


class Curves:
    """Writes what `Report` says under the names loss/..., optimizer/... and validation/...."""

    def __init__(self, writer: "SummaryWriter") -> None:
        self.writer = writer

    def add(self, report: "Report") -> None:
        """A point for each curve, at the report's step."""
        values = {"loss/total": report.loss, "loss/masked": report.masked, "optimizer/rate": report.rate}
        values |= {f"loss/{name}": value for name, value in report.terms.items()} | {"optimizer/norm": report.norm}
        values |= {f"validation/{name}": value for name, value in (report.score or {}).items()}
        for name, value in values.items():
            if value is not None:
                self.writer.add_scalar(name, value, report.step)


def require_tensorboard() -> None:
    """OptionError unless TensorBoard is installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        raise OptionError(
            "--tensorboard needs TensorBoard, which is not installed.", "pip install tensorboard"
        ) from None


@contextlib.contextmanager
def open_curves(out: Path, done: int) -> Iterator[Curves]:
    """Curves below ``out``/tensorboard; those of a training that goes on after ``done`` steps hide what comes later."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(out / FOLDER), purge_step=done + 1) as writer:
        yield Curves(writer)
