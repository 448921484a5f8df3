"""The question: the paper's words, and templates of one's own."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsscli.data.classes import vspw_classes
from vsscli.errors import OptionError
from vsscli.postprocess.groups import Group, read_groups
from vsscli.postprocess.wording import Wording, read_wording

WATER = Group("water", "water", ("sea", "river", "lake"), (35, 36, 37), "image", 1)
PAPER = "Is the water in the image a sea, river, lake? Please give me the only answer."


def test_the_question_of_the_paper_word_for_word() -> None:
    assert read_wording(None, "plain").template == (
        "Is the {stuff} in the image a {classes}? Please give me the only answer."
    )
    assert read_wording(None, "plain").question(WATER) == PAPER
    outlined = read_wording(None, "outlined").question(WATER)
    assert outlined.startswith(f"{PAPER}\n") and "outlined in red" in outlined
    assert read_wording(None, "plain").digest != read_wording(None, "outlined").digest


def test_every_shipped_group_makes_a_readable_question() -> None:
    groups = [group for priority in (1, 2, 3) for group in read_groups(None, vspw_classes(), priority)]
    for group in groups:
        text = read_wording(None, "outlined").question(group)
        assert group.stuff in text and all(noun in text for noun in group.nouns)
        assert "_" not in text and "{" not in text and text == text.strip()


WRONG = {
    "": "has 1 to 4000 characters, this has 0",
    " \n": "has 1 to 4000 characters",
    "x" * 4001: "this has 4001",
    "Is the {stuff} a thing?": r"lacks \{classes\}",
    "Is it a {class}?": r"\{class\} is no variable.*\{stuff\} and \{classes\}",
    "{classes!r} {0}": "is no variable",
    "{classes} {": "a brace stands alone",
    "{{classes}}": "a brace stands alone",
}


@pytest.mark.parametrize("template", WRONG)
def test_what_is_wrong_with_a_template_is_named(template: str, tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    path.write_text(template)
    with pytest.raises(OptionError, match="(?s)q.txt.*" + WRONG[template]):
        read_wording(path, "plain")


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    path.write_text("{classes}: which is the {stuff}?\n\n")
    wording = read_wording(path, "outlined")
    assert wording.question(WATER) == "sea, river, lake: which is the water?"
    with pytest.raises(OptionError, match="--prompt .*none.txt cannot be read"):
        read_wording(tmp_path / "none.txt", "plain")


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=20), min_size=2, max_size=5, unique=True))
def test_text_in_a_group_is_never_taken_for_a_variable(stuff: str, classes: list[str]) -> None:
    group = Group("g", stuff, tuple(classes), tuple(range(len(classes))), "image", 1)
    offered = ", ".join(name.replace("_", " ").lower() for name in classes)
    assert Wording("<{stuff}|{classes}>").question(group) == f"<{stuff}|{offered}>"
