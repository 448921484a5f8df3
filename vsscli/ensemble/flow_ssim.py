"""``--method flow-ssim``: per video the run whose maps follow the motion best (section 2.3 of the paper)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vsscli.data.dataset import Dataset
from vsscli.data.video_backend import load_cv2
from vsscli.engine import Frame
from vsscli.engine.inputs import DatasetInput
from vsscli.ensemble.choice import Choice, choose, read_choice
from vsscli.ensemble.consistency import SSIM_ON, Consistency
from vsscli.ensemble.stage import EnsembleStage
from vsscli.errors import OptionError
from vsscli.maps.flow import gray
from vsscli.runs.run import Run
from vsscli.runs.source import check_source, frames_and_maps
from vsscli.words import plural


class FlowSsimStage(EnsembleStage):
    """Two passes over a video: one over frames and all runs' maps to choose, one to copy the chosen run's maps.

    Raises OptionError for an ``ssim_on`` that is none, and as `EnsembleStage`.
    """

    part = 0.05  # to copy is little beside the flow

    def __init__(self, runs: Sequence[Run], dataset: Dataset, ssim_on: str = "ids") -> None:
        if ssim_on not in SSIM_ON:
            raise OptionError(f"--ssim-on {ssim_on!r} is neither ids nor classes.", "ids is what the paper does.")
        identity = {"ssim_on": ssim_on, "data": dataset.kind, "split": dataset.split}
        super().__init__(runs, "flow-ssim", identity)
        self.dataset, self.ssim_on = dataset, ssim_on
        self.inputs.append(DatasetInput(dataset))
        self.told = f"of {plural(len(runs), 'run')} the one most consistent with the motion, per video"
        names = [run.path.name for run in runs]
        #: What the runs are called in tables: by their folders, with the way there where two are called alike.
        self.run_names = names if len(set(names)) == len(names) else [str(run.path) for run in runs]
        self._choice: Choice | None = None
        self._threads = 0

    def check(self, videos: Sequence[str], chosen: Sequence[str]) -> None:
        """As for every method; and the dataset must have these videos, with the same frames at the same sizes."""
        super().check(videos, chosen)
        check_source(self.dataset, self.runs, videos, chosen)

    def open(self, device: str) -> None:
        """OpenCV takes one thread: workers are spread over the cores. DeviceError where it cannot be imported."""
        cv2 = load_cv2()
        self._threads = cv2.getNumThreads()
        cv2.setNumThreads(1)

    def close(self) -> None:
        if self._threads:
            load_cv2().setNumThreads(self._threads)

    def process(self, video: str) -> Iterator[Frame]:
        consistency = Consistency(len(self.runs), self.ssim_on)
        for image, maps in frames_and_maps(self.dataset, self.runs, video):
            consistency.add(gray(image), maps)
            self.step(1 - self.part)
        self._choice = choose(video, consistency.frames, consistency.means, consistency.eligible)
        run = self.runs[self._choice.chosen]
        for frame in run.frames(video):
            yield Frame(frame, run.labels(video, frame))

    def facts(self, video: str) -> Mapping[str, Any]:
        assert self._choice is not None and self._choice.video == video
        return self._choice.facts()

    def choices(self, out: Path, videos: Sequence[str]) -> list[Choice]:
        """What was chosen for finished ``videos``, now or before, from their records in ``out``. RunError."""
        return [read_choice(out, video, len(self.runs)) for video in videos]
