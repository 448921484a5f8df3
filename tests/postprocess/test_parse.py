"""What is read out of answers: a corpus written before the parser, and what must hold for any answer."""

from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vsscli.data.classes import vspw_classes
from vsscli.postprocess import words
from vsscli.postprocess.parse import ABSTAIN, parse

HERE = Path(__file__).parent


class Case(NamedTuple):
    group: str
    candidates: tuple[str, ...]
    expected: str | None
    text: str


def corpus(name: str) -> list[Case]:
    groups = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return [
        Case(group, tuple(content["candidates"]), None if expected == "none" else expected, text)
        for group, content in groups.items()
        for expected, texts in content.items()
        if expected != "candidates"
        for text in texts
    ]


CORPUS = corpus("answers.yaml")
UNSEEN = [*corpus("answers_unseen.yaml"), *corpus("answers_third.yaml"), *corpus("answers_fourth.yaml")]


def read(case: Case) -> str | None:
    asked = f"Is the {case.group} in the image a {', '.join(case.candidates)}? Please give me the only answer."
    return parse(case.text, case.candidates, asked)


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 60
    assert sum(case.expected is None for case in CORPUS) >= 15


@pytest.mark.parametrize("cases", [CORPUS, UNSEEN], ids=["corpus", "unseen"])
def test_no_wrong_class_is_read_out(cases: list[Case]) -> None:
    wrong = [(case.text, read(case)) for case in cases if read(case) not in (None, case.expected)]
    assert not wrong


@pytest.mark.parametrize(("cases", "least"), [(CORPUS, 1.0), (UNSEEN, 0.9)], ids=["corpus", "unseen"])
def test_most_classes_are_read_out(cases: list[Case], least: float) -> None:
    meant = [case for case in cases if case.expected is not None]
    missed = [case.text for case in meant if read(case) is None]
    recall = 1 - len(missed) / len(meant)
    print(f"recall {recall:.3f} of {len(meant)}; {len(cases) - len(meant)} name no class; missed: {missed}")
    assert recall >= least


NAMES = st.lists(st.sampled_from(vspw_classes().names), min_size=2, max_size=6, unique=True)
SAID = ("It is a {}.", "The thing in the image is a {}.", "{}", "Answer: {}", '{{"answer": "{}"}}', "A {}.", "**{}**")
DENIED = (
    "It is not a {}.",
    "Not {}",
    "It isn't a {}",
    "It may be a {}.",
    "I cannot say whether it is a {}.",
    "Is it a {}?",
)
LISTED = ("It is a {} or a {}.", "{}, {}", "either {} or {}", "{}/{}", "a {} and a {}", "It is a {}, {}.")


@given(NAMES, st.sampled_from(SAID), st.data())
def test_a_class_that_is_said_is_read(names: list[str], template: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    assert parse(template.format(name), names) == name
    spoken = parse(template.format(name.replace("_", " ").upper()), names)
    assert spoken == name


@given(NAMES, st.sampled_from(DENIED), st.data())
def test_a_class_that_is_denied_or_doubted_is_not_read(names: list[str], template: str, data: st.DataObject) -> None:
    said = template.format(data.draw(st.sampled_from(names)).replace("_", " "))
    assert parse(said, names) is None


@given(NAMES, st.sampled_from(sorted(words.PREPOSITIONS)), st.sampled_from(["a", "the", ""]))
def test_what_is_near_or_in_a_class_is_none(names: list[str], preposition: str, article: str) -> None:
    place = f"{preposition} {article} {names[0]}"
    for said in (f"The bird is {place}.", f"There is a bird {place}.", f"{place}", f"A bird {place}."):
        assert parse(said, names) is None


@given(NAMES, st.sampled_from(LISTED))
def test_of_two_classes_none_is_read(names: list[str], template: str) -> None:
    first, second = (name.replace("_", " ") for name in names[:2])
    assert parse(template.format(first, second), names) is None


@given(st.sampled_from([*CORPUS, *UNSEEN]), st.randoms())
def test_the_order_of_the_classes_does_not_matter(case: Case, random: Random) -> None:
    shuffled = list(case.candidates)
    random.shuffle(shuffled)
    assert parse(case.text, shuffled) == parse(case.text, case.candidates)


@given(st.text(max_size=300), NAMES)
def test_any_text_gives_a_class_or_nothing(text: str, names: list[str]) -> None:
    assert parse(text, names) in (None, *names)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=4, unique=True), st.data())
def test_any_words_may_be_classes(names: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(names))
    assert parse(chosen, names) in (chosen, None)
    assert parse(f"It is a {chosen}.", names) in (None, *names)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "lake " * 50_000, '{"answer": ' + "1" * 5000 + "}"])
def test_huge_answers_are_none(text: str) -> None:
    assert parse(text, ("sea", "lake")) is None


def test_what_stands_for_none_is_none() -> None:
    assert parse(ABSTAIN, ("sea", "lake")) is None
    assert parse(f'{{"answer": "{ABSTAIN}"}}', ("sea", "lake")) is None
