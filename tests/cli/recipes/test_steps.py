"""From a recipe to command lines: what a shell would make of the line is what the verb gets."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.recipes.small import RECIPE, write_recipe
from vsscli.cli.recipes.chain import line
from vsscli.cli.recipes.reading import Entry, Recipe, read_recipe, shipped
from vsscli.cli.recipes.steps import Step, commands, make_steps

printable = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1).filter(lambda text: text[0] not in "-~")


def one(options: dict[str, str | list[str]], settings: dict[str, str] | None = None, argument: str = "x") -> Step:
    """The one step of a recipe: `score`, which has options of every kind."""
    entry = Entry("s", "score", [argument], {"data": "d", **options}, False)
    (step,) = make_steps(Recipe(Path("r.yaml"), "", settings or {}, (entry,)))[0]
    return step


def test_the_small_recipe(tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path / "r.yaml", RECIPE))
    steps, settings = make_steps(recipe, ["data=VS PW", "out=o", "noise=0.3"])
    assert settings == {"data": "VS PW", "out": "o", "noise": "0.3"}
    assert [line(step) for step in steps] == [
        "vsscli infer 'VS PW' --model oracle:noise=0.3 --workers 1 --out o/a",
        "vsscli infer 'VS PW' --model oracle:noise=0.1 --seed 1 --workers 1 --out o/b",
        "vsscli ensemble o/a o/b --workers 1 --out o/both",
        "vsscli score o/both --data 'VS PW' --workers 1 --json o/score.json",
        "vsscli submit o/both --data 'VS PW' --split val --workers 1 --out o/out.zip",
    ]
    assert [step.out for step in steps] == ["o/a", "o/b", "o/both", None, "o/out.zip"]
    assert [step.waits for step in steps] == [
        (),
        (),
        (("o/a", "a"), ("o/b", "b")),
        (("o/both", "both"),),
        (("o/both", "both"),),
    ]


@given(printable, printable, printable)
def test_a_value_reaches_the_verb_as_it_is(argument: str, data: str, csv: str) -> None:
    settings = {"argument": argument.replace("$", "$$"), "data": data.replace("$", "$$")}
    step = one({"data": "$data", "csv": csv.replace("$", "$$")}, settings, "${argument}")
    assert step.words == ("score", argument, "--data", data, "--csv", csv)
    assert tuple(shlex.split(line(step))) == ("vsscli", *step.words)
    assert step.values["run"] == Path(argument) and step.values["csv"] == Path(csv)


def test_switches_lists_and_empty_values() -> None:
    assert one({"ci": "true", "partial": "false"}).words == ("score", "x", "--data", "d", "--ci")
    assert one({"vc": ["4", "32"]}).values["vc"] == [4, 32]
    assert one({"vc": "4"}).values["vc"] == [4]
    assert one({"json": "$none", "ci": "$none", "vc": ["$none"]}, {"none": ""}).words == ("score", "x", "--data", "d")


def test_a_value_that_begins_with_a_dash_is_no_option() -> None:
    step = one({"json": "-"})
    assert step.words[-1] == "--json=-" and step.values["json"] == "-"


def test_home_and_settings_of_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    text = "set: {root: ~/vspw, out: $root/runs, other: a~/b}\nsteps: {s: {score: $out, data: $root}}"
    recipe = read_recipe(write_recipe(tmp_path / "r.yaml", text))
    assert make_steps(recipe)[1] == {"root": "/home/me/vspw", "out": "/home/me/vspw/runs", "other": "a~/b"}
    assert make_steps(recipe, ["root=$x"])[1]["out"] == "$x/runs", "what --set gives is taken as it is"


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_recipe_is_true_to_the_verbs(name: str) -> None:
    """Every option of every step is parsed by its verb; every setting is used; none needs more than a place."""
    recipe = read_recipe(shipped()[name])
    given = ["video=film.mp4"] if name == "video" else []
    steps, _ = make_steps(recipe, given)
    assert [step.name for step in steps] == [entry.name for entry in recipe.entries]
    assert {entry.verb for entry in recipe.entries} <= commands().keys()
    assert recipe.about and len(recipe.about) < 120
    text = recipe.path.read_text(encoding="utf-8")
    assert [key for key in recipe.settings if f"${key}" not in text] == []
    for step in steps:
        if step.verb in ("infer", "ensemble", "postprocess"):
            assert step.values["out"] is not None
        if step.verb == "score":
            assert step.values["json"], "the table at the end is made of these"


def test_recipes_that_are_asked_for_are_there() -> None:
    assert {"pvuw2024", "tta-table", "best-public", "fast", "demo"} <= shipped().keys()


def test_the_challenge_recipe_is_the_papers() -> None:
    steps, _ = make_steps(read_recipe(shipped()["pvuw2024"]))
    assert [step.verb for step in steps if not step.only_masked] == [
        *("infer", "infer", "ensemble", "postprocess", "submit")
    ]
    for step in steps[:2]:
        assert step.values["scales"] == "0.9,1.0,1.1,1.2" and step.values["flip"] is True
    assert steps[2].values["method"] == "flow-ssim" and steps[3].values["llm"] == "gpt-4"
