"""Steps done one after the other, shown as shell lines, or asked what they would do."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from vsscli.cli.recipes.ahead import check_ahead, find_fault
from vsscli.cli.recipes.steps import Step
from vsscli.cli.talk import say, visible
from vsscli.errors import VssError


def run_steps(steps: Sequence[Step], recipe: str) -> list[Step]:
    """Runs every step as its shell line would run; gives those that were not left out.

    Ends with the code of the first that fails, naming it. OptionError where it is plain that one will fail.
    """
    from vsscli.cli.main import run

    check_ahead([step for step in steps if not lacks_masks(step)], recipe)
    done = []
    for number, step in enumerate(steps, 1):
        label = f"[{number}/{len(steps)} {step.name}]"
        if lacks_masks(step):
            say(f"{label} left out: {_no_masks(step)}.\n")
            continue
        say(f"{label} {line(step)}")
        code = run(step.words)
        say("")
        if code == 130:
            raise typer.Exit(code)
        if code:
            so_far = f"{number - 1} of {len(steps)} steps are done"
            say(
                f"run: {recipe} stops at step {step.name!r} ({step.verb}), which ended with exit code {code}; {so_far}."
                " The reason is above; mend it and repeat the command: what is finished is not done again."
            )
            raise typer.Exit(code)
        done.append(step)
    return done


def print_lines(steps: Sequence[Step], recipe: str, settings: Mapping[str, str]) -> None:
    """The shell lines of all steps on stdout, fit to be pasted; settings and conditions stand in comments."""
    print(visible(f"# {recipe}: {shlex.join(f'{key}={value}' for key, value in settings.items())}"))
    for step in steps:
        if step.only_masked:
            data = step.values["data"]
            more = ", and it has none" if lacks_masks(step) else "" if Path(data).exists() else " (it is not there yet)"
            print(visible(f"# {step.name}: only where {data} has masks{more}"))
        print(visible(f"{'# ' if lacks_masks(step) else ''}{line(step)}"))


def ask_steps(steps: Sequence[Step], recipe: str) -> None:
    """``--dry-run``: every verb that has one is asked for its own.

    At the end stands what would stop the recipe, with the exit code of the first of these; 1 where a verb could not
    tell.
    """
    from vsscli.cli.main import run

    untold: list[str] = []
    stops: list[tuple[Step, int, str]] = []
    for number, step in enumerate(steps, 1):
        label = f"[{number}/{len(steps)} {step.name}]"
        missing = sorted({name for place, name in step.waits if not Path(place).exists()})
        left_out = lacks_masks(step)
        fault = None if left_out else find_fault(step, steps)
        if left_out:
            say(f"{label} {step.verb}: would be left out, {_no_masks(step)}.")
        elif missing:
            say(f"{label} {step.verb}: waits for {_and(missing)}.")
        elif "dry_run" not in step.values:
            say(f"{label} {step.verb} has no dry run: it is done when its turn comes.")
        else:
            say(f"{label} {line(step)} --dry-run")
            code = run([*step.words, "--dry-run"])
            if code == 130:
                raise typer.Exit(code)
            if code and not step.waits and fault is None:
                stops.append((step, code, "The reason is above."))
            untold += [step.name] if code and step.waits and fault is None else []
        if fault is not None:
            stops.append((step, 2, f"{fault.message} {fault.hint}"))
    for step, code, reason in stops:
        say(f"run: {recipe} would stop at step {step.name!r} ({step.verb}): exit code {code}. {reason}")
    if stops:
        raise typer.Exit(stops[0][1])
    if untold:
        say(f"run: {_and(untold)} could not tell: see above. Steps before may be unfinished.")
        raise typer.Exit(1)


def line(step: Step) -> str:
    """The step as a line for a shell."""
    return f"vsscli {shlex.join(step.words)}"


def lacks_masks(step: Step) -> bool:
    """Whether the step is for data with masks, and its data has none. What is wrong with data, the verb tells."""
    if not step.only_masked:
        return False
    from vsscli.data.open import open_dataset

    try:
        dataset = open_dataset(Path(step.values["data"]), step.values.get("split") or "val")
        return not any(dataset.masked(dataset.names()))
    except VssError:
        return False


def _no_masks(step: Step) -> str:
    split = step.values.get("split")
    return f"{f'the split {split} of ' if split else ''}{step.values['data']} has no masks"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
