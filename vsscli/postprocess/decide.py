"""From answers to a decision about a region: votes, and when nothing changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vsscli.postprocess.question import Answer
from vsscli.postprocess.rules import Rules

UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Decision:
    """``chosen``: the class that the region takes, None where nothing changes, and ``why``.

    ``votes``: weight by class. ``answered``: how many questions have an answer, of which ``valid`` name a class.
    """

    chosen: str | None
    why: str
    votes: dict[str, float]
    answered: int
    valid: int

    def refused(self, why: str) -> "Decision":
        """The same votes, and nothing changes."""
        return replace(self, chosen=None, why=why)


def decide(candidates: Sequence[str], answers: Sequence[Answer | None], rules: Rules) -> Decision:
    """What the ``answers`` of a region's key frames (None: unanswered) come to.

    An answer for a class weighs its probability, or 1 where the model tells none; one that names no class weighs 1
    against all of them. An answer outside the candidates counts as one that names none.
    """
    given = [answer for answer in answers if answer is not None]
    named = [(answer.chosen, answer) for answer in given if answer.chosen in candidates]
    votes: dict[str, float] = {}
    for name, answer in named:
        assert name is not None
        votes[name] = votes.get(name, 0.0) + _weight(answer)
    votes = {name: round(votes[name], 6) for name in candidates if name in votes}
    told = votes, len(given), len(named)
    if len(given) < len(answers):
        return Decision(None, UNANSWERED, *told)
    if len(named) < rules.min_answers:
        few = f"only {len(named)} of {len(answers)} answers name a class" if named else "no answer names a class"
        return Decision(None, few, *told)
    winner = max(votes, key=lambda name: votes[name])  # the first offered among equals, which have no majority
    total = sum(votes.values()) + len(given) - len(named)
    if total <= 0 or votes[winner] < rules.majority * total - 1e-6:
        return Decision(None, "no clear majority", *told)
    sure = [answer.probability for name, answer in named if name == winner and answer.probability is not None]
    if sure and sum(sure) / len(sure) < rules.min_confidence:
        return Decision(None, "the answers are not sure", *told)
    return Decision(winner, "a clear majority", *told)


def _weight(answer: Answer) -> float:
    return 1.0 if answer.probability is None else min(max(answer.probability, 0.0), 1.0)
