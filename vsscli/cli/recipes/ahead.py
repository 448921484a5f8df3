"""What would stop a recipe hours later, told before its first step."""

from collections.abc import Sequence
from pathlib import Path

from vsscli.cli.recipes.steps import Step
from vsscli.errors import OptionError, VssError


def check_ahead(steps: Sequence[Step], recipe: str) -> None:
    """OptionError naming every step whose model folder, key, price or server is missing."""
    faults = [(step, error) for step, error in ((step, find_fault(step, steps)) for step in steps) if error]
    if faults:
        told = " ".join(f"{step.name} ({step.verb}): {error}" for step, error in faults)
        raise OptionError(f"{recipe} would stop later, so nothing was begun. {told}")


def find_fault(step: Step, steps: Sequence[Step]) -> VssError | None:
    """What is missing for ``step``, as its verb would tell; None where nothing is, or only its turn can show."""
    try:
        if step.verb == "infer":
            _check_model(step, steps)
        elif step.verb == "postprocess":
            _check_asked(step)
    except VssError as error:
        return error
    return None


def _check_model(step: Step, steps: Sequence[Step]) -> None:
    """ModelError where the model is no folder here. Hub ids, plug-ins and what a step makes show in their turn."""
    from vsscli.models.plugin import plugins
    from vsscli.models.source import is_hub_id, resolve_source

    model = str(step.values["model"])
    made = [Path(other.out) for other in steps if other.out is not None]
    head, colon, _ = model.partition(":")
    path = Path(model)
    if colon or head in plugins() or any(path.is_relative_to(out) for out in made):
        return
    if not is_hub_id(model):
        resolve_source(model, offline=True)


def _check_asked(step: Step) -> None:
    """OptionError where the verb would refuse to ask. A run that is there may have all its answers: it tells itself."""
    from vsscli.postprocess.ask import check
    from vsscli.postprocess.profiles import load_profile

    values = step.values
    if values["offline"] or Path(values["out"]).exists():
        return
    names = {"base_url": "base_url", "model": "llm_model", "local": "local", "prices": "prices"}
    check(load_profile(values["llm"], **{key: values[name] for key, name in names.items()}), values["budget"])
