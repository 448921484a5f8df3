"""Broken input, thrown at every verb: an exit code, a sentence, unchanged inputs and no half-made output.

A harness over a table of verbs. Each verb has a line in `VERBS`: its arguments, with the places of `World` filled in,
which of these places are broken, and which options are given nonsense. Everything runs in this process. A case is
(verb, number); the same case does the same thing every time.
"""

import io
import json
import os
import re
import shutil
import stat
import traceback
import warnings
import zipfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from safetensors.torch import load_file

from tests.end_to_end.damage import NAMES, damage
from vsscli.cli.main import run
from vsscli.errors import VssError
from vsscli.models.card import describe_model
from vsscli.models.dvis.model import build
from vsscli.models.load import load_model
from vsscli.models.source import WEIGHTS
from vsscli.models.vmt.model import build as vmt_build
from vsscli.runs.labels import read_labels
from vsscli.runs.manifest import read_manifest
from vsscli.runs.record import LabelDigest, read_record
from vsscli.runs.run import open_run
from vsscli.runs.scores import ScoresDigest

#: What people and scripts type by mistake, for options of any kind.
NONSENSE = (
    "",
    " ",
    "-1",
    "0",
    "1.5",
    "nan",
    "1e999",
    "99999999999999999999",
    "..",
    "/proc/nothing/x",
    "/dev/null",
    "loop",
    "loop/x",
    "loop.zip",
    "None",
    *NAMES,
)

#: Where outputs may appear; nothing else may.
OUTPUTS = ("cwd", "out", "out.zip", "out.json", "out.questions", "tables", "out.html", "out.mp4", "pictures")

Snapshot = dict[Path, tuple[int, bytes]]


@dataclass(frozen=True)
class Verb:
    """A line of the table: the command, the places that are broken, the options given nonsense, how many cases.

    ``continues``: ``--out`` is one of the broken places, which the verb may then change.
    """

    arguments: str
    breaks: tuple[str, ...]
    options: tuple[str, ...] = ()
    cases: int = 100
    continues: bool = False


VERBS = {
    "data check": Verb(
        "data check {data} --workers 1 --json {json}", ("data",), ("--split", "--videos", "--json", "--workers"), 130
    ),
    "data check films": Verb("data check {films} --workers 1", ("films",), (), 30),
    "data stats": Verb(
        "data stats {data} --workers 1 --csv {tables}", ("data",), ("--split", "--videos", "--csv", "--json"), 110
    ),
    "score": Verb(
        "score {a} --data {data} --workers 1 --json {json} --csv {tables}",
        ("data", "a", "a"),
        ("--split", "--protocol", "--vc", "--videos", "--seed", "--json", "--csv", "--workers"),
        180,
    ),
    "score foreign": Verb(
        "score {foreign} --data {data} --partial --allow-void --workers 1", ("data", "foreign"), (), 60
    ),
    "score against": Verb("score {a} --against {b} --data {data} --ci --workers 1", ("a", "b"), ("--against",), 60),
    "ensemble": Verb(
        "ensemble {a} {b} {foreign} --method vote --out {out} --workers 1",
        ("a", "b", "foreign"),
        ("--method", "--videos", "--shard", "--out", "--workers"),
        170,
    ),
    "ensemble flow-ssim": Verb(
        "ensemble {a} {b} {foreign} --method flow-ssim --data {data} --explain --json {json} --out {out} --workers 1",
        ("data", "data", "a", "foreign"),
        ("--method", "--data", "--split", "--ssim-on", "--videos", "--json", "--out"),
        120,
    ),
    "ensemble flow-ssim again": Verb(
        "ensemble {a} {b} --method flow-ssim --data {data} --out {best} --workers 1", ("best",), (), 50, True
    ),
    "ensemble again": Verb("ensemble {a} {b} --method vote --out {vote} --workers 1", ("vote",), (), 60, True),
    "ensemble mean": Verb(
        "ensemble {scored} {scored2} --method mean --out {out} --workers 1",
        ("scored", "scored2"),
        ("--method", "--videos", "--shard", "--out"),
        120,
    ),
    "postprocess": Verb(
        "postprocess {a} --data {data} --llm llava --offline --groups {groups} --out {out} --workers 1",
        ("data", "a", "groups", "groups"),
        (
            *("--data", "--split", "--llm", "--base-url", "--llm-model", "--local", "--groups", "--prompt"),
            *("--priority", "--when", "--image", "--min-area", "--min-frames", "--majority", "--min-answers"),
            *("--max-share", "--budget", "--rate", "--timeout", "--threads", "--reject", "--videos", "--shard"),
            *("--out", "--prices"),
        ),
        130,
    ),
    "postprocess dry run": Verb(
        "postprocess {a} --data {data} --llm gpt-4o --groups {groups} --out {out} --workers 1 --dry-run",
        ("data", "a"),
        ("--llm", "--out", "--when", "--min-area"),
        50,
    ),
    "postprocess again": Verb(
        "postprocess {a} --data {data} --llm llava --offline --groups {groups} --out {corrected} --workers 1",
        ("corrected",),
        ("--reject", "--priority"),
        80,
        True,
    ),
    "report": Verb(
        "report {best} {corrected} {foreign} --data {data} --out {html} --workers 1",
        ("data", "best", "corrected", "foreign"),
        ("--split", "--videos", "--protocol", "--max-frames", "--out", "--workers"),
        40,
    ),
    "show": Verb(
        "show {a} --data {data} --videos 1_a --truth --out {film}",
        ("data", "a"),
        ("--split", "--videos", "--opacity", "--fps", "--out", "--truth"),
        30,
    ),
    "show pictures": Verb(
        "show {a} --data {data} --out {pictures} --workers 1", ("data", "a"), ("--videos", "--out"), 20
    ),
    "submit": Verb(
        "submit {a} --data {data} --split val --out {zip} --workers 1",
        ("data", "a", "a"),
        ("--split", "--root", "--png-mode", "--out"),
        150,
    ),
    "submit archive": Verb("submit {archive} --data {data} --split val --workers 1", ("archive",), (), 70),
    "infer": Verb(
        "infer {data} --model oracle:noise=0.1,flicker=0.1 --out {out} --workers 1",
        ("data",),
        ("--split", "--videos", "--shard", "--out", "--model", "--seed"),
        150,
    ),
    "data synth": Verb(
        "data synth {synth} --train 0 --val 1 --test 1 --frames 2 --size 64x48 --workers 1",
        ("synth",),
        ("--size", "--seed", "--workers"),
        60,
        True,
    ),
    "run": Verb(
        "run {recipe} --set data={data} --set out={out}", ("recipe", "recipe", "data"), ("--set",), 25
    ),
    "infer network": Verb(
        "infer {data} --model {model} --size 32 --scales 1.0,1.5 --flip --device cpu --out {out}",
        ("model", "model", "data"),
        ("--size", "--scales", "--dtype", "--device", "--class-map", "--batch"),
        80,
    ),
    "infer key frames": Verb(
        "infer {data} --model {mpvss} --size 32 --key-interval 2 --device cpu --out {out}",
        ("mpvss", "data"),
        ("--key-interval", "--propagate"),
        40,
    ),
    "convert": Verb("convert {official} --out {out}", ("official",), ("--set", "--out"), 80),
    "convert vmt": Verb("convert {lvmt} --out {out}", ("lvmt",), ("--set", "--out"), 40),
    "infer whole videos": Verb(
        "infer {data} --model {video_model} --size 32 --device cpu --out {out}",
        ("video_model", "video_model", "data"),
        ("--size", "--scales", "--dtype", "--batch"),
        40,
    ),
    "train": Verb(
        "train {training} --data {data} --out {out} --device cpu",
        ("data", "training"),
        ("--set", "--overfit", "--out", "--device", "--workers"),
        40,
    ),
    "train mpvss": Verb(
        "train {training_mpvss} --set init={segmenter} --set flownet={flownet} --data {data} --out {out} --device cpu",
        ("segmenter", "flownet", "training_mpvss"),
        (),
        30,
    ),
    "train again": Verb("train {training} --data {data} --out {trained} --device cpu", ("trained",), (), 15, True),
    "infer scores again": Verb(
        "infer {data} --model {model} --size 32 --keep-topk 4 --device cpu --out {scored}",
        ("scored",),
        ("--keep-topk",),
        50,
        True,
    ),
    "infer again": Verb("infer {data} --model oracle:noise=0.1 --out {a} --workers 1", ("a",), (), 60, True),
}  # fmt: skip


@dataclass
class Result:
    """What one case did, and what is wrong about it."""

    case: str
    code: int = -1
    out: str = ""
    err: str = ""
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = f"exit {self.code}\n  stdout: {self.out[-300:]!r}\n  stderr: {self.err[-900:]!r}"
        return f"{self.case}: {'; '.join(self.faults)}\n  {said}"


def attack(world: Path, name: str, number: int, folder: Path) -> Result:
    """One case: copies the inputs it needs from ``world`` into ``folder``, breaks something, runs, looks."""
    verb, chance = VERBS[name], Random(f"{name} {number}")
    inputs = set(re.findall(r"\{(\w+)\}", verb.arguments)) & _inputs(world).keys()
    for place in inputs:
        source = _inputs(world)[place]
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / source.name)
    places = {place: folder / source.name for place, source in _inputs(world).items()}
    outputs = {
        "out": folder / "out",
        "zip": folder / "out.zip",
        "json": folder / "out.json",
        "tables": folder / "tables",
        "html": folder / "out.html",
        "film": folder / "out.mp4",
        "pictures": folder / "pictures",
    }
    words = [word.format(**places, **outputs) for word in verb.arguments.split()]
    if verb.options and chance.random() < 0.35:
        done = _spoil_option(words, verb, chance, places)
    else:
        done = damage(places[chance.choice(verb.breaks)], chance)
        if chance.random() < 0.3:
            done += f", {damage(places[chance.choice(verb.breaks)], chance)}"
    result = Result(f"{name} {number} ({done})")
    here = folder / "cwd" / "here"  # nonsense that is a relative path ends up here, and ".." still inside the folder
    here.mkdir(parents=True)
    for link in ("loop", "loop.zip"):
        (here / link).symlink_to(link)
    before = snapshot(folder)
    with chdir(here):
        call(words, result)
    judge(result, words)
    result.faults += changes(before, snapshot(folder), places[verb.breaks[0]] if verb.continues else None)
    if not verb.continues:
        result.faults += output_faults(folder, result.code)
    return result


def _inputs(world: Path) -> dict[str, Path]:
    return {path.stem: path for path in world.iterdir()}


def _spoil_option(words: list[str], verb: Verb, chance: Random, places: dict[str, Path]) -> str:
    """Gives an option nonsense (or a place that is an input), leaves one away, or adds one nobody knows."""
    option = chance.choice(verb.options)
    inputs = [str(path) for path in places.values() if path.exists()]
    value = chance.choice([*NONSENSE, *([] if option in ("--json", "--csv") else [*inputs, f"{inputs[0]}/x"])])
    if option == "--workers":  # what is no number must not end in a crowd of processes
        value = chance.choice(["0", "-1", "nan", "", "x", "1.5"])
    if option == "--model":
        value = f"oracle:{chance.choice(['noise=', 'lag=', 'drop=', 'confuse=', 'x', ''])}{value}"
    if option in words:
        at = words.index(option)
        words[at : at + 2] = [option, value] if chance.random() < 0.85 else []
    else:
        words += [option, value] if chance.random() < 0.9 else ["--no-such-option"]
    return f"{option} {value!r}"


def call(words: list[str], result: Result) -> None:
    """Runs the command line in this process, with streams as strict and as lenient as a terminal's."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True)
    with warnings.catch_warnings(record=True) as caught, redirect_stdout(out), redirect_stderr(err):
        warnings.simplefilter("always")
        try:
            result.code = run(words)
        except BaseException as error:
            result.faults.append(
                f"{type(error).__name__} escaped: {''.join(traceback.format_exception(error))[-1500:]}"
            )
    result.out, result.err = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err))
    result.faults += [f"warning: {warning.message} ({warning.filename}:{warning.lineno})" for warning in caught]


def judge(result: Result, words: list[str]) -> None:
    """Adds to ``result.faults`` what is wrong with the exit code and the words."""
    if result.code not in (0, 1, 2):
        result.faults.append(f"exit code {result.code}")
    if "Traceback" in result.out + result.err:
        result.faults.append("a traceback")
    if result.code == 2 and not _names_something(result.err, words):
        result.faults.append("no sentence that names something")
    if result.code == 1 and not (result.out + result.err).strip():
        result.faults.append("exit code 1 without a word")


def _names_something(err: str, words: list[str]) -> bool:
    """A sentence of ours, or of the option parser, with an option, a path, a quoted word or a number in it."""
    if "error: " not in err and "Usage: " not in err:
        return False
    return any(word in err for word in words if len(word) > 2) or bool(re.search(r"--?\w+|/\S|'[^']*'|\d", err))


def changes(before: Snapshot, after: Snapshot, free: Path | None) -> list[str]:
    """What was changed or lost, but for what lies in ``free``, and what appeared where no output belongs."""
    top = min(before, key=lambda path: len(path.parts))
    new = after.keys() - before.keys()
    touched = [path for path in before if after.get(path) != before[path] and free not in (path, *path.parents)]
    extra = [
        path for path in new if path.relative_to(top).parts[0] not in OUTPUTS and free not in (path, *path.parents)
    ]
    temporary = [path for path in new if path.suffix == ".tmp"]
    return [f"an input was changed: {path}" for path in touched] + [f"left behind: {p}" for p in extra + temporary]


def output_faults(folder: Path, code: int) -> list[str]:
    """What is half-made among the outputs."""
    faults = []
    archive, target, out = folder / "out.zip", folder / "out.json", folder / "out"
    if archive.exists():
        with zipfile.ZipFile(archive) as content:
            if content.testzip() is not None or code != 0:
                faults.append("an archive of a failed command, or a broken one")
    if target.is_file():
        json.loads(target.read_text())
    if (out / "train.json").is_file():
        faults += training_faults(out)
    elif (out / "config.json").is_file():
        faults += model_faults(out, code)
    elif out.is_dir():
        runs = [path.parent for path in out.glob("*/run.json")] or [out]  # a recipe's are in one folder
        faults += [fault for run in runs for fault in run_faults(run)]
    return faults


def model_faults(out: Path, code: int) -> list[str]:
    """What is half-made in a model folder."""
    card = describe_model(str(out))
    make = vmt_build if card.model_type == "vmt" else build
    make(card.config).load_state_dict(load_file(out / WEIGHTS), assign=True)
    names = {path.name for path in out.iterdir()}
    return [] if code == 0 and card.classes and len(names) == 3 else [f"a failed command left {names}"]


def training_faults(out: Path) -> list[str]:
    """What is half-made in a training: a model without weights must have no state to go on from either."""
    json.loads((out / "train.json").read_text())
    if not (out / WEIGHTS).is_file():
        return ["a state without a model"] if (out / ".vsscli" / "checkpoint.pt").exists() else []
    load_model(str(out))  # strictly: every weight
    return []


def run_faults(out: Path) -> list[str]:
    """Where a run contradicts itself: records, folders, label maps."""
    faults = []
    try:
        manifest = read_manifest(out)
    except VssError as error:
        return [str(error)]
    if manifest is None:
        return ["a run without run.json"] if any(path.name != ".vsscli" for path in out.iterdir()) else []
    doing = out / ".vsscli" / "doing"
    faults += [f"left behind: {path}" for path in (doing.iterdir() if doing.is_dir() else ())]
    done = {path.name.removesuffix(".json") for path in (out / ".vsscli" / "done").glob("*.json")}
    folders = {path.name for path in out.iterdir() if path.is_dir() and path.name != ".vsscli"}
    if done != folders:
        faults.append(f"records {done} but folders {folders}")
    for video in done & folders:
        record = read_record(out, video)
        digest = LabelDigest()
        assert record is not None
        for frame in record.frames:
            digest.add(frame, read_labels(out / video / f"{frame}.png"))
        if digest.hex() != record.labels or len(record.frames) != len(list((out / video).iterdir())):
            faults.append(f"video {video} is not what its record says")
        if record.topk is not None:
            scores = ScoresDigest()
            for frame in record.frames:
                scores.add(frame, open_run(out).scores(video, frame))
            if scores.hex() != record.topk["digest"]:
                faults.append(f"the scores of video {video} are not what its record says")
    return faults


def snapshot(root: Path) -> Snapshot:
    """Everything at and below ``root`` with its mode and its content; links are not followed."""
    found = {}
    for place, folders, files in os.walk(root):
        for path in (Path(place), *(Path(place, name) for name in [*folders, *files])):
            mode = path.lstat().st_mode
            content = b""
            if stat.S_ISLNK(mode):
                content = os.fsencode(path.readlink())
            elif stat.S_ISREG(mode) and os.access(path, os.R_OK):
                content = path.read_bytes()
            found[path] = mode, content
    return found
