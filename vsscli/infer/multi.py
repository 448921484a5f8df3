"""Several views of one network: one run per view, voted."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vsscli.engine import Frame, Stage
from vsscli.engine.counters import Slot
from vsscli.engine.worker import Worker
from vsscli.errors import VssError
from vsscli.infer.stage import NetworkStage
from vsscli.runs.disk import disk_errors
from vsscli.runs.manifest import Manifest
from vsscli.runs.merge import vote_runs
from vsscli.runs.output import OutputRun, TakenError, open_output
from vsscli.runs.record import record_path
from vsscli.runs.run import open_run
from vsscli.runs.scores import scores_folder

_VIEWS = Path(".vsscli", "views")
_KEPT = Path(".vsscli", "views-kept")


class ViewsStage(Stage):
    """Each view of a video becomes a video of its own run under ``OUT/.vsscli/views/<view>/``; then they are voted.

    A view that is finished is not computed again. Unless ``keep``, a video's views go when its record stands; a mark
    beside them says that they were to be kept (`views_kept`).
    """

    unit = "frames over all views"
    part = 0.0  # the vote is little beside the networks

    def __init__(self, views: Sequence[NetworkStage], out: Path, manifest: Manifest, keep: bool) -> None:
        self.views, self.out, self.manifest, self.keep = views, out, manifest, keep
        self.inputs, self.table = views[0].inputs, views[0].table
        self._device = ""

    def open(self, device: str) -> None:
        """Loads the network that the views share: what is wrong with it concerns every video."""
        self._device = device
        self.views[0].open(device)

    def close(self) -> None:
        for view in self.views:
            view.close()

    def count(self, video: str) -> int:
        return self.views[0].count(video) * len(self.views)

    def process(self, video: str) -> Iterator[Frame]:
        for view in self.views:
            result = Worker(view, self._open(view), self._device, _Steps(self.step)).run(video)
            if result.error is not None:
                raise VssError(result.error)
        for frame, labels in vote_runs([open_run(self._folder(view)) for view in self.views], video):
            yield Frame(frame, labels)

    def _open(self, view: NetworkStage) -> OutputRun:
        """The run of a view; what other options left goes: ``OUT`` is ours by now, so nobody is at work there."""
        palette = self.table.palette if self.table else None
        inputs = [source.path for source in self.inputs]
        with disk_errors(self.out):
            if self.keep:
                (self.out / _KEPT).touch()
            else:  # those that it told of were taken away
                (self.out / _KEPT).unlink(missing_ok=True)
        try:
            return open_output(self._folder(view), view.manifest, palette, inputs, view.topk)
        except TakenError:
            shutil.rmtree(self._folder(view))
            return open_output(self._folder(view), view.manifest, palette, inputs, view.topk)

    def lacks(self, video: str) -> bool:
        """Whether a view that is to be kept is not there, or its class scores are not."""
        return self.keep and not all(
            OutputRun(self._folder(view), view.manifest, None, view.topk).finished(video) for view in self.views
        )

    def finished(self, video: str) -> None:
        if self.keep:
            return
        for view in self.views:
            folder = self._folder(view)
            record_path(folder, video).unlink(missing_ok=True)
            for made in (folder / video, scores_folder(folder, video)):
                shutil.rmtree(made, ignore_errors=True)

    def _folder(self, view: NetworkStage) -> Path:
        return self.out / _VIEWS / view.view.name


def views_kept(out: Path) -> bool:
    """Whether an earlier call was to keep the views of the run ``out``: days of work, which no later call removes."""
    return (out / _KEPT).is_file() and (out / _VIEWS).is_dir()


class _Steps(Slot):
    """Counts the frames of a view as steps of the video they belong to."""

    def __init__(self, step: Callable[[float], None]) -> None:
        self._step = step

    def begin(self, frames: int) -> None:
        pass

    def frame(self, part: float = 1.0) -> None:
        self._step(part)

    def end(self) -> None:
        pass
