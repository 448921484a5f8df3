"""The methods of ``vsscli ensemble``, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vsscli.data.open import open_dataset
from vsscli.ensemble.flow_ssim import FlowSsimStage
from vsscli.ensemble.mean import MeanStage
from vsscli.ensemble.stage import EnsembleStage, Request
from vsscli.ensemble.vote import VoteStage
from vsscli.errors import OptionError
from vsscli.runs.run import Run


@dataclass(frozen=True)
class Method:
    """A line of the table: what makes the stage, which options of `Request` it takes, which of them it needs."""

    make: Callable[[Sequence[Run], Request], EnsembleStage]
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def _flow_ssim(runs: Sequence[Run], request: Request) -> EnsembleStage:
    assert request.data is not None
    return FlowSsimStage(runs, open_dataset(request.data, request.split or "val"), request.ssim_on or "ids")


METHODS: dict[str, Method] = {
    "vote": Method(lambda runs, _: VoteStage(runs)),
    "flow-ssim": Method(_flow_ssim, ("data", "split", "ssim_on", "explain", "json"), ("data",)),
    "mean": Method(lambda runs, _: MeanStage(runs)),
}


def make_stage(method: str, runs: Sequence[Run], request: Request | None = None) -> EnsembleStage:
    """The stage of ``method`` over ``runs``.

    OptionError for a method that is none, for an option it does not take or lacks, and what the method refuses.
    """
    if method not in METHODS:
        raise OptionError(f"--method {method!r} is no method.", f"Methods: {', '.join(METHODS)}.")
    request, line = request or Request(), METHODS[method]
    for name, value in vars(request).items():
        option = f"--{name.replace('_', '-')}"
        if value not in (None, False) and name not in line.takes:
            users = [other for other, row in METHODS.items() if name in row.takes]
            raise OptionError(
                f"{option} says nothing to --method {method}.",
                f"It is an option of --method {' and '.join(users)}." if users else "",
            )
        if value is None and name in line.needs:
            raise OptionError(f"--method {method} needs {option}.", _WHY.get(name, ""))
    return line.make(runs, request)


_WHY = {"data": "It reads the frames: give the dataset the runs were made from."}
