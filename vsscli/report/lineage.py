"""Where a run comes from: what its ``run.json`` tells, and that of the runs it was made from."""

import json
from dataclasses import dataclass

from vsscli.report.questions import source_run
from vsscli.report.stages import Stages
from vsscli.runs.run import Run


@dataclass(frozen=True)
class Link:
    """A run that another was made from: its name then, its identity, and whether that run is described too."""

    name: str
    identity: str
    known: bool


@dataclass(frozen=True)
class Ancestor:
    """A run as its ``run.json`` tells it. ``stage``: it is one of the stages; ``version``: of vsscli that made it;
    ``options``, ``about``: (name, value) for people; ``inputs``: the runs it was made from."""

    name: str
    stage: bool
    verb: str
    version: str
    identity: str
    options: tuple[tuple[str, str], ...]
    about: tuple[tuple[str, str], ...]
    inputs: tuple[Link, ...]


def trace(stages: Stages) -> list[Ancestor]:
    """The stages, and behind them the runs they were made from as far as those lie among the stages or beside them."""
    known: dict[str, Ancestor] = {}
    waiting = [(run, name, True) for run, name in zip(stages.runs, stages.names, strict=True)]
    while waiting:
        run, name, stage = waiting.pop(0)
        place = str(run.path.resolve())
        if place in known:
            continue
        links = []
        for identity, called in () if run.manifest is None else run.manifest.inputs():
            source = source_run(stages, run, identity, called)
            links.append(Link(called, identity, source is not None))
            if source is not None:
                waiting.append((source, source.path.resolve().name, False))
        known[place] = _describe(run, name, stage, tuple(links))
    return list(known.values())


def find_steps(stages: Stages) -> list[tuple[int, int]]:
    """(before, after), places among the stages: each run with those it was made from; where none of them is there,
    with the last one before it of the same model, else with the one before it."""
    return [(before, after) for after in range(len(stages.runs)) for before in _before(stages, after)]


def _before(stages: Stages, after: int) -> list[int]:
    run, found = stages.runs[after], list[int]()
    for identity, called in () if run.manifest is None else run.manifest.inputs():
        alike = [i for i, other in enumerate(stages.runs) if i != after and other.identity == identity]
        named = [i for i in alike if stages.runs[i].path.resolve().name == called]
        found += (named or (alike if identity != "foreign" else []))[:1]
    if found or not after:
        return list(dict.fromkeys(found))
    model = _model(run)
    same = [i for i in range(after) if model is not None and _model(stages.runs[i]) == model]
    return [same[-1] if same else after - 1]


def _model(run: Run) -> object:
    return None if run.manifest is None or run.manifest.verb != "infer" else run.manifest.identity.get("model")


def _describe(run: Run, name: str, stage: bool, links: tuple[Link, ...]) -> Ancestor:
    manifest = run.manifest
    if manifest is None:
        return Ancestor(name, stage, "", "", "", (), (), ())
    options = {**manifest.identity, **({"view": dict(manifest.view)} if manifest.view is not None else {})}
    if manifest.classes is not None:
        options["classes"] = f"{manifest.classes.get('name')}, {manifest.classes.get('digest')}"
    if "model" in options and "model" in manifest.about:
        options["model digest"] = options.pop("model")
    shown = tuple((key, _show(value)) for key, value in sorted(options.items()) if key not in ("run", "runs"))
    about = tuple((key, _show(value)) for key, value in sorted(manifest.about.items()) if key not in ("run", "runs"))
    return Ancestor(name, stage, manifest.verb, manifest.version, run.identity, shown, about, links)


def _show(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
