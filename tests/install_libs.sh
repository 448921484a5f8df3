#!/bin/sh
# What Python packages do not bring along, from Debian. `install_libs.sh gl`: libGL and glib, which opencv-python needs
# and bare servers lack; `make setup` calls it when `import cv2` fails. `install_libs.sh chromium`: the browser in which
# reports are tested; `make test` calls it when there is none. Where it cannot be had, those tests are skipped.
case "$1" in
gl) packages="libgl1 libglib2.0-0" lack="OpenCV does not load" end=1 ;;
chromium) packages="chromium" lack="Reports are not tested in a browser" end=0 ;;
*) echo "usage: $0 gl | chromium" >&2; exit 2 ;;
esac
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -q && apt-get install -q -y --no-install-recommends $packages && exit
fi
echo "$lack: install $packages (the names are those of Debian and Ubuntu), then repeat." >&2
exit $end
