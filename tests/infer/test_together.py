"""DVIS++, VidEoMT, PMT and LVMT on one chain: converted, run, voted, averaged, chosen, scored."""

import json
from pathlib import Path

import torch

from tests.fixtures.formula import weights
from tests.fixtures.recorded import key_list, vmt_key_list
from tests.support import make_vspw
from vsscli.cli.main import run

ARCHES = {
    "lvmt": "lvmt_dinov3_tiny",
    "pmt": "pmt_dinov2_tiny",
    "videomt": "videomt_tiny",
    "dvis": "dvis_tinyvit_online",
}


def test_the_chain_of_the_guide(tmp_path: Path) -> None:
    data = str(make_vspw(tmp_path / "data", {"1_a": (3, 72, 80), "2_b": (2, 80, 72)}))
    runs = []
    for name, arch in ARCHES.items():
        keys = key_list(arch) if name == "dvis" else vmt_key_list(arch)
        torch.save({"model": weights(keys)}, tmp_path / "w.pth")
        model, out = str(tmp_path / "models" / name), str(tmp_path / name)
        assert run(["convert", str(tmp_path / "w.pth"), "--out", model, "--set", "vit_heads=4"]) == 0
        assert run(["infer", data, "--model", model, "--size", "native", "--keep-topk", "4", "--out", out]) == 0
        runs.append(out)
    methods = {"vote": [], "mean": [], "flow-ssim": ["--data", data]}
    for method, more in methods.items():
        out = str(tmp_path / method)
        assert run(["ensemble", *runs, "--method", method, *more, "--out", out]) == 0
        assert run(["score", out, "--data", data, "--json", f"{out}.json"]) == 0
        assert json.loads(Path(f"{out}.json").read_text())["frames"] == 5
