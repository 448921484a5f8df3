"""Every recorded case of VidEoMT, PMT and LVMT, the full-size ones too, which take too long for the suite.

    python -m tests.models.vmt.full_parity RECORDINGS [WORD ...]

RECORDINGS holds ``videomt/*.npz``, ``pmt/*.npz``, ``lvmt/*.npz`` and ``expected/<arch>/<video>/*.png``; with words,
only cases whose names hold one of them. Prints a line per case, and ends with 1 where one is beyond its tolerance.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tests.fixtures.recorded import Recording, class_order
from tests.models.dvis.cases import CLIP_FOLDER
from tests.models.vmt.cases import clip_of, load, watch
from vsscli.infer.semantic import label_map_from_queries


def compare(path: Path, expected: Path) -> bool:
    """One case: the worst array, the share of equal pixels, whether the clear ones all are."""
    recording = Recording(path)
    meta, kind = recording.meta, path.parent.name
    arch, _, clip = f"{kind}_{path.stem}".partition("_clip")
    clip = f"clip{clip}".partition("_long")[0]
    order = meta.get("frame_order")
    frames = clip_of(clip)
    with torch.no_grad():
        found = watch(load(arch), frames if order is None else frames[order])
    errors = {name: recording.error(name, array) for name, array in found.items()}
    worst = max(errors, key=lambda name: errors[name])
    ids = torch.tensor(class_order(), dtype=torch.uint8)
    sizes: dict[str, Any] = {name: tuple(meta[f"{name}_hw"]) for name in ("padded", "network")}
    maps = np.stack(
        [
            label_map_from_queries(found["class_prob"], logits, out=tuple(meta["output_hw"]), ids=ids, **sizes)
            for logits in found["pred_masks"]
        ]
    )
    same = maps == recording["semantic_vspw"]
    clear = bool(same[recording["margin_e4"] >= 10].all())
    suffix = "_short" + clip.partition("_short")[2] if "_short" in clip else ""
    folder = expected / f"{arch}{suffix}" / CLIP_FOLDER[clip.partition("_")[0]]
    pictures = sorted(folder.glob("*.png")) if order is None or order == sorted(order) else []
    pngs = [float((np.asarray(Image.open(p)) == m).mean()) for p, m in zip(pictures, maps, strict=False)]
    good = errors[worst] <= (1e-3 if "_long" in path.stem else 1e-4) and clear and same.mean() >= 0.999
    good = good and (not pngs or (len(pngs) == len(maps) and min(pngs) >= 0.999))
    print(
        f"{kind}/{path.stem}: {'good' if good else 'WRONG'}; worst array {worst} {errors[worst]:.0e}; "
        f"{same.mean():.5f} of the pixels, all clear ones: {clear}; "
        f"{len(pngs)} PNGs, at least {min(pngs, default=1):.5f}",
        flush=True,
    )
    return good


def main() -> None:
    """Goes through the cases one by one."""
    root, *words = sys.argv[1:]
    torch.set_num_threads(1)
    cases = [path for kind in ("videomt", "pmt", "lvmt") for path in sorted(Path(root, kind).glob("*.npz"))]
    chosen = [path for path in cases if not words or any(word in f"{path.parent.name}/{path.stem}" for word in words)]
    results = [compare(path, Path(root, "expected")) for path in chosen]
    print(f"{sum(results)} of {len(results)} cases are good")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
