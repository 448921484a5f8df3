"""Votes: by hand, and what must hold of any answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsscli.errors import OptionError
from vsscli.postprocess.decide import UNANSWERED, decide
from vsscli.postprocess.question import Answer
from vsscli.postprocess.rules import Rules

OFFERED = ("sea", "river", "lake")
RULES = Rules()


def said(chosen: str | None, probability: float | None = None) -> Answer:
    return Answer("key", chosen, probability, str(chosen), "model")


CASES: dict[str, tuple[list[Answer | None], str | None, str]] = {
    "all agree": ([said("lake")] * 3, "lake", "a clear majority"),
    "two of three": ([said("lake"), said("sea"), said("lake")], "lake", "a clear majority"),
    "one of each": ([said("lake"), said("sea"), said("river")], None, "no clear majority"),
    "an abstention counts against": ([said("lake"), said(None), said("lake")], "lake", "a clear majority"),
    "an abstention weighs more than doubt": (
        [said("lake", 0.7), said("lake", 0.7), said(None)],
        None,
        "no clear majority",
    ),
    "one answer is too few": ([said("lake"), said(None), said(None)], None, "only 1 of 3 answers name a class"),
    "none": ([said(None)] * 3, None, "no answer names a class"),
    "unanswered": ([said("lake"), None, said("lake")], None, UNANSWERED),
    "nothing yet": ([None, None, None], None, UNANSWERED),
    "outside the list": ([said("ocean"), said("ocean"), said("ocean")], None, "no answer names a class"),
    "sure": ([said("lake", 0.9), said("lake", 0.8), said("sea", 0.5)], "lake", "a clear majority"),
    "the other is surer": ([said("lake", 0.5), said("lake", 0.5), said("sea", 0.9)], None, "no clear majority"),
    "unsure": ([said("lake", 0.4), said("lake", 0.4), said("lake", 0.45)], None, "the answers are not sure"),
    "two key frames, a tie": ([said("lake"), said("sea")], None, "no clear majority"),
    "two key frames": ([said("lake"), said("lake")], "lake", "a clear majority"),
    "one key frame": ([said("lake")], None, "only 1 of 1 answers name a class"),
    "probabilities of nothing": ([said("lake", 0.0)] * 3, None, "no clear majority"),
}


@pytest.mark.parametrize("name", CASES)
def test_by_hand(name: str) -> None:
    answers, chosen, why = CASES[name]
    decision = decide(OFFERED, answers, RULES)
    assert (decision.chosen, decision.why) == (chosen, why)


def test_votes_are_weights_and_told_in_the_order_offered() -> None:
    decision = decide(OFFERED, [said("lake", 0.75), said("sea", 0.5), said("lake", 0.5)], RULES)
    assert list(decision.votes.items()) == [("sea", 0.5), ("lake", 1.25)]
    assert (decision.answered, decision.valid) == (3, 3)


ANSWERS = st.lists(
    st.one_of(
        st.none(),
        st.builds(said, st.sampled_from([*OFFERED, "ocean", "", None]), st.none() | st.floats(0, 1)),
    ),
    min_size=1,
    max_size=3,
)


@given(ANSWERS, st.floats(0.51, 1), st.integers(1, 3), st.floats(0, 1))
def test_whatever_is_answered(answers: list[Answer | None], majority: float, least: int, sure: float) -> None:
    rules = Rules(majority=majority, min_answers=least, min_confidence=sure)
    decision = decide(OFFERED, answers, rules)
    named = [a.chosen for a in answers if a is not None and a.chosen in OFFERED]
    assert decision.chosen is None or (decision.chosen in OFFERED and decision.chosen in named)
    assert decision.valid == len(named) and set(decision.votes) == set(named)
    if None in answers or len(named) < least:
        assert decision.chosen is None
    if decision.chosen is not None:
        others = [name for name in named if name != decision.chosen]
        assert decision.votes[decision.chosen] >= sum(decision.votes[name] for name in set(others))
    assert decide(OFFERED, answers[::-1], rules).chosen == decision.chosen, "the order of key frames does not matter"


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("when", "often", "--when 'often' is neither mixed nor all"),
        ("image", "boxed", "--image 'boxed' is neither outlined nor plain"),
        ("min_area", 1.5, "--min-area 1.5 is no share"),
        ("min_area", float("nan"), "--min-area nan is no share"),
        ("max_share", -1.0, "--max-share -1 is no share"),
        ("min_confidence", 7.0, "--min-confidence 7 is no share"),
        ("majority", 0.5, "--majority 0.5 is none"),
        ("majority", float("nan"), "--majority nan is none"),
        ("min_answers", 4, "--min-answers 4: a region is shown in 3 frames"),
        ("min_answers", 0, "--min-answers 0"),
        ("min_frames", 1, "--min-frames 1 is less than --min-answers 2"),
    ],
)
def test_rules_that_make_no_sense(option: str, value: object, sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        Rules(**{option: value})  # type: ignore[arg-type]
