"""Films that every browser plays: H.264 in MP4, 4:2:0, even sizes, with what a player needs at the beginning."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vsscli.errors import DeviceError

#: Constant quality of x264: colours keep their edges, and a minute of 480p takes a few megabytes.
_OPTIONS = {"crf": "20", "preset": "veryfast"}


class Film:
    """Writes frames of one size to an MP4 file as they come; a side of odd length gets one more row or column.

    DeviceError where the library has no encoder for H.264.
    """

    def __init__(self, path: Path, fps: float) -> None:
        import av

        with _explained():
            self._file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
            self._stream = self._file.add_stream(
                "libx264", rate=Fraction(fps).limit_denominator(1001), options=_OPTIONS
            )
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.thread_count = 2
        self._begun = False

    def add(self, picture: NDArray[np.uint8]) -> None:
        """The next frame, RGB ``uint8 [H, W, 3]``."""
        import av

        height, width = picture.shape[:2]
        if height % 2 or width % 2:
            picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        if not self._begun:
            self._stream.height, self._stream.width = picture.shape[:2]
            self._begun = True
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        self._file.mux(self._stream.encode(frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._begun:
            self._file.mux(self._stream.encode(None))
        self._file.close()


@contextmanager
def _explained() -> Iterator[None]:
    import av

    try:
        yield
    except (av.codec.codec.UnknownCodecError, ValueError):
        raise DeviceError(
            "The installed PyAV has no encoder for H.264 (libx264).",
            "'pip install --force-reinstall av' gets one that has; or give a folder: it gets JPEG frames.",
        ) from None
