"""``--method mean``: every pixel takes the class with the largest mean probability over the runs."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from vsscli.engine import Frame
from vsscli.engine.inputs import RunInput
from vsscli.ensemble.stage import EnsembleStage
from vsscli.errors import OptionError, RunError
from vsscli.maps.mean import Cells, mean_classes
from vsscli.runs.manifest import Manifest
from vsscli.runs.merge import ranked, tie_rule
from vsscli.runs.run import Run, open_run
from vsscli.words import plural

K = 4  # what the error about missing scores advises to keep
LARGEST = 255
_DTYPES = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}


class MeanStage(EnsembleStage):
    """The mean of the class probabilities that runs kept (``infer --keep-topk``); label maps are not read.

    A class that is not among the best K of a cell counts as 0 there. Probabilities are resized bilinearly to the frame.
    Of classes with equal means, which are compared exactly, the one to which the best-ranked run gives more wins, then
    the smaller id. Raises OptionError for too many runs, and as `EnsembleStage`.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        if len(runs) > LARGEST:
            raise OptionError(f"A mean takes 1 to {LARGEST} runs, not {len(runs)}.")
        super().__init__(runs, "mean", {"ties": tie_rule(runs)})
        self.inputs = [ScoresInput(run, f"run{i}") for i, run in enumerate(runs)]
        self.told = f"the mean class probability of {plural(len(runs), 'run')}; ties: {tie_rule(runs)}"

    def check(self, videos: Sequence[str], chosen: Sequence[str]) -> None:
        """As `EnsembleStage.check`; RunError also for a run without the scores of one of ``chosen``."""
        for run in self.runs:
            if run.manifest is None or run.manifest.verb != "infer":
                raise _missing(run, None)
        super().check(videos, chosen)
        for video in chosen:
            for source in self.inputs:
                source.digest(video)

    def process(self, video: str) -> Iterator[Frame]:
        order = ranked(self.runs, video)
        for frame in order[0].frames(video):
            cells = []
            for run in order:
                kept = run.scores(video, frame)
                cells.append(Cells(kept.classes, kept.probabilities, kept.sizes, kept.flip))
            for run, one in zip(order, cells, strict=True):
                if one.frame != cells[0].frame:
                    raise RunError(
                        f"The class scores of frame {frame} of video {video} are of {one.frame[1]}x{one.frame[0]} in "
                        f"{run.path} and of {cells[0].frame[1]}x{cells[0].frame[0]} in {order[0].path}.",
                        "Make all runs from the same videos.",
                    )
            yield Frame(frame, mean_classes(cells))


class ScoresInput(RunInput):
    """The class scores of a run."""

    def digest(self, video: str) -> str:
        digest = self.run.scores_digest(video)
        if digest is None:
            raise _missing(self.run, video)
        return digest


def _missing(run: Run, video: str | None) -> RunError:
    """What is said of a run without class scores: the very command that makes them, where there is one."""
    manifest = run.manifest
    lacks = f"{run.path} holds no class scores{f' of video {video}' if video else ''}, which --method mean averages"
    if manifest is None:
        return RunError(f"{lacks}: it was made by other software.", "Only 'vsscli infer --keep-topk' makes them.")
    if manifest.verb != "infer":
        return RunError(f"{lacks}: it was made by 'vsscli {manifest.verb}'.", "Give the runs that it was made from.")
    if "model" not in manifest.about:
        return RunError(f"{lacks}: it was made by the test double, which has none.", "Give runs of models.")
    if manifest.view is None:
        hint = f"It is the vote of views. Keep theirs, and give {run.path}/.vsscli/views/* instead:"
    else:
        hint = "Keep them with (finished maps stay as they are):"
    return RunError(f"{lacks}.", f"{hint} {infer_command(run.path, manifest)}")


def infer_command(path: Path, manifest: Manifest) -> str:
    """The command that makes the class scores of a run of `infer`, or of one view of such a run.

    DATA and MODELS stand where the log of the run does not tell where they lay.
    """
    out = path
    if path.parent.name == "views" and path.parent.parent.name == ".vsscli":
        out = path.parent.parent.parent
    run = open_run(out)
    owner, places = run.manifest or manifest, run.places()
    identity, view, about = owner.identity, owner.view, owner.about
    data, model = places.get("data", "DATA"), places.get("model", f"MODELS/{about.get('model')}")
    words = ["vsscli", "infer", data, "--model", model, "--out", str(out)]
    if identity.get("split"):
        words += ["--split", str(identity["split"])]
    words += ["--size", str(identity.get("size")), "--device", str(identity.get("device"))]
    words += ["--dtype", _DTYPES.get(str(identity.get("dtype")), "auto")]
    if about.get("class_map"):
        words += ["--class-map", places.get("class_map", str(about["class_map"]))]
    if identity.get("causal"):
        words.append("--causal")
    if identity.get("key_interval") or identity.get("family") == "mpvss":  # whose interval is 5 unless told
        words += ["--key-interval", str(identity.get("key_interval", 1))]
    if identity.get("propagate") in ("farneback", "zero"):
        words += ["--propagate", str(identity["propagate"])]
    scales = [view.get("scale")] if view is not None else identity.get("scales", [])
    words += ["--scales", ",".join(map(str, scales))]
    if identity.get("flip"):
        words.append("--flip")
    if view is None:
        words.append("--keep-views")
    return shlex.join([*words, "--keep-topk", str(K)])
