#!/bin/sh
# opencv-python needs libGL and glib, which bare servers lack. Called by `make setup` when `import cv2` fails.
set -e
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -q && apt-get install -q -y --no-install-recommends libgl1 libglib2.0-0
else
    echo "OpenCV does not load: install libGL and glib (Debian, Ubuntu: libgl1 libglib2.0-0), then repeat." >&2
    exit 1
fi
