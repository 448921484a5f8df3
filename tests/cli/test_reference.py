"""The reference of the command line is what the commands are."""

import re

from tests.cli.test_help import COMMANDS
from vsscli.cli.reference import PLACE, reference


def test_the_page_is_up_to_date() -> None:
    assert PLACE.read_text(encoding="utf-8") == reference(), "run: python -m vsscli.cli.reference"


def test_every_verb_and_option_is_there_once_with_its_help() -> None:
    page = reference()
    assert re.findall(r"^## vsscli (.+)$", page, re.M) == [" ".join(path) for path in COMMANDS]
    score = page.split("## vsscli score\n")[1].split("\n## ")[0]
    assert "    vsscli score RUN --data PATH [OPTIONS]\n" in score
    assert "- `--split TEXT` (default: val): The split: its list is DATA/SPLIT.txt." in score
    assert "- `--ci`: Intervals: bootstrap over videos." in score
    assert "\nExample:\n\n    vsscli score runs/m2f --data VSPW_480p --ci --json score.json\n" in score
    assert score.count("`--engine ") == 1 and "Execution options (may differ on every call):" in score
    ensemble = page.split("## vsscli ensemble\n")[1]
    assert "    vsscli ensemble RUN... --out PATH [OPTIONS]\n" in ensemble
