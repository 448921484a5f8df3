#!/bin/sh
# What Python packages do not bring along, from Debian. `install_libs.sh gl`: libGL and glib, which opencv-python needs
# and bare servers lack (called by `make setup` when `import cv2` fails). `install_libs.sh chromium`: the browser in
# which reports are tested (called by `make test` when there is none; without the right to install it, those tests skip).
set -e
case "$1" in
gl) packages="libgl1 libglib2.0-0" why="OpenCV does not load" ;;
chromium) packages="chromium" why="Reports cannot be tested in a browser" ;;
*) echo "usage: $0 gl | chromium" >&2; exit 2 ;;
esac
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -q && apt-get install -q -y --no-install-recommends $packages
else
    echo "$why: install $packages (Debian, Ubuntu: apt-get install $packages), then repeat." >&2
    [ "$1" = chromium ]
fi
