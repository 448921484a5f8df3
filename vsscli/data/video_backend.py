"""OpenCV, where it can be imported."""

import os
from types import ModuleType

from vsscli.errors import DeviceError


def load_cv2() -> ModuleType:
    """The module ``cv2``, with FFmpeg's and OpenCV's own lines on stderr off: our errors say what is wrong.

    DeviceError, saying what to install, where a system library that OpenCV needs is missing (bare servers).
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET; read when the first video is opened
    try:
        import cv2
    except ImportError as error:
        missing = str(error).split(":")[0] if ".so" in str(error) else str(error)
        raise DeviceError(
            f"OpenCV cannot be imported ({missing}).",
            "On a server without a screen: 'apt-get install libgl1 libglib2.0-0', or 'pip uninstall opencv-python' "
            "and 'pip install opencv-python-headless'.",
        ) from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    return cv2
