"""What is read out of answers: a corpus written before the parser, and what must hold for any answer."""

from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vsscli.data.classes import vspw_classes
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
