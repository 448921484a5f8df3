"""Optical flow between two frames."""

import cv2
import numpy as np
from numpy.typing import NDArray


def gray(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The luma of an RGB frame ``uint8 [H, W, 3]`` as ``uint8 [H, W]``: 0.299 R + 0.587 G + 0.114 B, rounded."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def backward_flow(earlier: NDArray[np.uint8], later: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where each pixel of ``later`` was in ``earlier``, both gray ``uint8 [H, W]``: ``float32 [H, W, 2]``, (dx, dy).

    What is at (x, y) in ``later`` was at (x + dx, y + dy) in ``earlier``: sampling the earlier frame there predicts
    the later one, and no pixel is left without a prediction but those that came in from outside.

    Farneback, "Two-Frame Motion Estimation Based on Polynomial Expansion" (2003), in OpenCV's implementation: 3 levels
    of a pyramid by halves, a window of 15 pixels, 3 iterations, polynomials over 5 pixels with a Gaussian of 1.2.
    """
    flow = cv2.calcOpticalFlowFarneback(later, earlier, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    return np.asarray(flow, np.float32)
