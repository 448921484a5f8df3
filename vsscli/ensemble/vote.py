"""``--method vote``: every pixel takes the label that most runs give it."""

from collections.abc import Iterator, Sequence

from vsscli.engine import Frame
from vsscli.ensemble.stage import EnsembleStage
from vsscli.errors import OptionError
from vsscli.maps.vote import LARGEST
from vsscli.runs.merge import tie_rule, vote_runs
from vsscli.runs.run import Run
from vsscli.words import plural


class VoteStage(EnsembleStage):
    """The vote of 1 to 255 runs; a tie goes to the label that the best-ranked run backs (see `vsscli.runs.merge`).

    Raises OptionError for too many runs, and as `EnsembleStage`.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        if not 1 <= len(runs) <= LARGEST:
            raise OptionError(f"A vote takes 1 to {LARGEST} runs, not {len(runs)}.")
        super().__init__(runs, "vote", {"ties": tie_rule(runs)})
        self.told = f"the vote of {plural(len(runs), 'run')}; ties: {tie_rule(runs)}"

    def process(self, video: str) -> Iterator[Frame]:
        return (Frame(frame, labels) for frame, labels in vote_runs(self.runs, video))
