"""Recipes are read strictly: every fault is a sentence that names the file, the step and the entry."""

import os
import re
from pathlib import Path

import pytest

from tests.cli.recipes.small import RECIPE, write_recipe
from vsscli.cli.main import run
from vsscli.cli.recipes.reading import read_recipe

STEP = "steps: {a: {infer: x, model: oracle, out: y}"

FAULTS: dict[str, tuple[str, str]] = {
    "no YAML": ("steps: {a: [", "is no YAML: line 1"),
    "a tab": ("steps:\n\ta: 1\n", "is no YAML: line 2"),
    "no text": ("\udcff", "it is no UTF-8 text"),
    "a list": ("- a\n", "is no recipe"),
    "nothing": ("", "is no recipe"),
    "an unknown part": (f"{STEP}}}\nsettings: {{}}\n", "'settings' is no part of a recipe"),
    "a part with a slip": (f"{STEP}}}\nstps: 1\n", "'stps' is no part of a recipe. Did you mean steps"),
    "no steps": ("about: x\n", "has no steps"),
    "steps as a list": ("steps: [{infer: x}]\n", "'steps' must be names with values"),
    "a step's name": ("steps: {A-1: {infer: x}}", "'A-1' in 'steps' is no name"),
    "a step twice": (f"{STEP}, a: {{infer: x}}}}", "'a' stands twice"),
    "an option twice": ("steps: {a: {infer: x, out: y, out: z}}", "'out' stands twice"),
    "a setting twice": (f"set: {{x: 1, x: 2}}\n{STEP}}}", "'x' stands twice"),
    "a setting and a step": (f"set: {{a: 1}}\n{STEP}}}", "'a' is a setting and a step"),
    "a setting of many": (f"set: {{x: [1]}}\n{STEP}}}", "the setting 'x' must be text"),
    "a step that is a word": ("steps: {a: infer}", "step 'a' must be a verb and its options"),
    "an empty step": ("steps: {a: {}}", "step 'a' has no verb"),
    "a condition of its own": ("steps: {a: {if: tuesday, infer: x}}", "'if' is 'tuesday'. It can be masks"),
    "masks without data": (
        "steps: {a: {infer: x, model: oracle, out: y}, b: {if: masks, ensemble: $a, out: z}}",
        "'if: masks' needs data, and this ensemble has none",
    ),
    "an unknown verb": ("steps: {a: {infr: x}}", "step 'a': 'infr' is no verb .*Did you mean infer"),
    "a recipe in a recipe": ("steps: {a: {run: demo}}", "'run' is no verb that a step can be"),
    "an unknown option": ("steps: {a: {infer: x, sclaes: 1}}", "infer has no option 'sclaes'. Did you mean scales"),
    "help": ("steps: {a: {infer: x, help: true}}", "infer has no option 'help'"),
    "no whole number": (f"{STEP.replace('model', 'workers: two, model')}}}", "step 'a': Invalid value for '--workers'"),
    "out of range": (f"{STEP.replace('model', 'workers: 0, model')}}}", "step 'a': Invalid value for '--workers'"),
    "a missing option": ("steps: {a: {infer: x, out: y}}", "step 'a': Missing option '--model'"),
    "a missing argument": ("steps: {a: {infer: , model: oracle, out: y}}", "step 'a': Missing argument 'data'"),
    "an argument too many": ("steps: {a: {infer: [x, y], model: m, out: z}}", "Got unexpected extra argument"),
    "an empty argument": ("steps: {a: {infer: [''], model: m, out: z}}", "an argument of infer is empty"),
    "an argument like an option": ("steps: {a: {infer: --help, model: m, out: z}}", "'--help' begins with a dash"),
    "a list for one": ("steps: {a: {infer: x, model: [m], out: z}}", "'model' takes one value, not a list"),
    "a switch": ("steps: {a: {infer: x, model: m, flip: yes, out: z}}", "'flip' is a switch, and 'yes' is neither"),
    "depth": ("steps: {a: {infer: x, model: {m: n}, out: z}}", "'model' must be text on one line"),
    "two lines": ('steps: {a: {infer: "x\\ny", model: m, out: z}}', "'infer' must be text on one line"),
    "an unknown name": (f"{STEP}, b: {{ensemble: $c, out: z}}}}", r"step 'b': \$c is no setting and no earlier step"),
    "a later step": (f"steps: {{b: {{ensemble: $a, out: z}}, {STEP[8:]}}}", r"step 'b': \$a comes later"),
    "a step itself": ("steps: {b: {ensemble: $b, out: z}}", r"step 'b': \$b comes later"),
    "a later setting": (f"set: {{x: $y, y: 1}}\n{STEP}}}", r"the setting 'x': \$y comes later"),
    "a step without output": (
        f"{STEP}, s: {{score: $a, data: x}}, v: {{ensemble: $s, out: z}}}}",
        r"\$s is no place: the step 's' \(score\) has no output",
    ),
    "a dollar": ("steps: {a: {infer: $, model: m, out: z}}", r"a \$ without a name. Write \$\$"),
    "a list as a name": ("steps:\n  ? [a]\n  : b\n", "is no YAML: line 2 a name is no text"),
    "an empty setting in a path": (
        "set: {o: }\nsteps: {a: {infer: x, model: m, out: $o/w}}",
        r"step 'a': the setting 'o' is empty, and stands in a path .*\(\$o/w\)\. Give it: --set o=\.\.\.",
    ),
    "an empty setting in a setting": ("set: {o: , p: $o/w}\n" + f"{STEP}}}", "'p': the setting 'o' is empty"),
    "the recipe as a result": (
        "steps: {s: {score: x, data: d, json: ./recipe.yaml}}",
        "step 's': 'json' is the recipe itself",
    ),
    "two scores in one file": (
        "steps: {s: {score: x, data: d, json: s.json}, t: {score: y, data: d, json: ./s.json}}",
        "step 't': 'json' is that of the step 's', too",
    ),
    "an empty setting": ("set: {d: }\nsteps: {a: {infer: $d, model: m, out: z}}", "is empty. .*--set d=..."),
    "an empty setting of an option": (
        "set: {m: }\nsteps: {a: {infer: x, model: $m, out: z}}",
        "Missing option '--model'. .*--set m=...",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_sentence_before_anything_runs(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text, sentence = FAULTS[name]
    (tmp_path / "recipe.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert run(["run", "recipe.yaml"]) == 2
    out, err = capsys.readouterr()
    said = " ".join(err.replace("error: ", "", 1).split())
    assert err.count("error:") == 1 and "recipe.yaml" in said and out == ""
    assert re.search(sentence, said), said
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]


CALLS: dict[str, tuple[str, str]] = {
    "no file": ("run nothing.yaml", "There is no recipe nothing.yaml. Shipped are .*pvuw2024"),
    "a slip": ("run pvuw2042", "There is no recipe pvuw2042. Did you mean .*vsscli run pvuw2024"),
    "a shipped one elsewhere": ("run pipelines/fast.yaml", "Did you mean the shipped one, vsscli run fast"),
    "a folder": ("run .", r"There is no recipe \."),
    "no recipe": ("run --print", "No recipe is named"),
    "both": ("run recipe.yaml --print --dry-run", "--print and --dry-run exclude each other"),
    "no value": ("run recipe.yaml --set data", "--set 'data' is no key=value"),
    "an unknown setting": ("run recipe.yaml --set dta=x", "has no setting 'dta'. Did you mean data"),
    "a control character": ("run recipe.yaml --set data=\x1b[0m", "--set data must be text on one line"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_is_a_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_recipe(tmp_path / "recipe.yaml")
    words, sentence = CALLS[name]
    assert run(words.split(" ")) == 2
    err = capsys.readouterr().err
    assert re.search(sentence, " ".join(err.replace("error: ", "", 1).split())), err


def test_a_pipe_is_no_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("recipe.yaml")
    assert run(["run", "recipe.yaml"]) == 2
    assert "recipe.yaml is no regular file" in capsys.readouterr().err


def test_the_demo_without_a_server_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "demo"]) == 2
    assert "base_url is empty. vsscli demo starts the stand-in" in " ".join(
        capsys.readouterr().err.replace("\n", " ").split()
    )


def test_values_are_the_text_that_stands_there(tmp_path: Path) -> None:
    """YAML would make 1.1, 8, true, 750 and 1000 of these."""
    text = 'set: {a: 1.10, b: 010, c: yes, d: 12:30, e: 1_000, f: "", g: null, h: ~}\nsteps: {x: {infer: [1.0, 08]}}\n'
    recipe = read_recipe(write_recipe(tmp_path / "r.yaml", text))
    assert list(recipe.settings.values()) == ["1.10", "010", "yes", "12:30", "1_000", "", "null", "~"]
    assert recipe.entries[0].arguments == ["1.0", "08"]


def test_the_first_entry_is_the_verb(tmp_path: Path) -> None:
    """``train`` is a verb, and an option of ``data synth``."""
    recipe = read_recipe(write_recipe(tmp_path / "r.yaml", "steps: {w: {data synth: out, train: 0}}"))
    (entry,) = recipe.entries
    assert (entry.verb, entry.arguments, entry.options) == ("data synth", ["out"], {"train": "0"})


def test_the_small_recipe_reads(tmp_path: Path) -> None:
    recipe = read_recipe(write_recipe(tmp_path / "r.yaml", RECIPE))
    assert recipe.about == "for the tests"
    assert recipe.settings == {"data": "", "out": "", "noise": "0.2"}
    assert [(entry.name, entry.verb, entry.only_masked) for entry in recipe.entries] == [
        ("a", "infer", False),
        ("b", "infer", False),
        ("both", "ensemble", False),
        ("score", "score", True),
        ("archive", "submit", False),
    ]
