"""A dataset and trainings as small as can be: a step takes some hundredths of a second."""

import json
from pathlib import Path
from typing import Any

import torch
import yaml

from tests.models.mpvss.cases import MPVSS, small_config
from tests.models.mpvss.cases import random_model as random_mpvss
from tests.support import make_vspw
from vsscli.data.classes import vspw_classes
from vsscli.infer.semantic import label_map_from_queries
from vsscli.models.dvis.config import DvisConfig, HeadConfig, ResNetBackbone, to_json
from vsscli.models.dvis.model import Dvis
from vsscli.models.preprocess import Preprocess
from vsscli.train.config import TrainConfig
from vsscli.train.folder import TrainingFolder
from vsscli.train.processes import Processes
from vsscli.train.reading import read_config

HEAD = {"layers": 1, "heads": 4, "ffn": 32}
MOTION = {"widths": [8, 8, 16, 16, 16, 16], "growth": [8, 8, 8, 8], "layers": 3, "heads": 4, "ffn": 32, "hidden": 32}
SIZES: dict[str, Any] = {
    "backbone": {"type": "resnet", "stem": 8, "widths": [16, 16, 32, 32], "depths": [1, 1, 1, 1]},
    "queries": 12,
    "width": 32,
    "heads": 4,
    "encoder_layers": 1,
    "encoder_ffn": 32,
    "decoder_layers": 1,
    "decoder_ffn": 32,
}
BASE: dict[str, Any] = {
    "steps": 4,
    "batch": 2,
    "norms": "batch",
    "input": {"short": [32, 48], "cap": None, "crop": [32, 48], "test_short": 32, "test_cap": 64},
    "optimizer": {"lr": 0.001, "backbone": 1.0, "clip_norm": 1.0, "warmup": 0},
    "loss": {"points": 64},
    "validation": {"every": 2},
    "save_every": 1,
}
ONE = Processes(0, 1, torch.device("cpu"))
LABEL_MAP = label_map_from_queries
PREPROCESS = Preprocess(32, 64, divisor=32)


def make_data(root: Path) -> Path:
    return make_vspw(root, {"1_a": (6, 48, 64), "2_b": (5, 64, 48), "3_c": (7, 48, 64)})


def entries(stage: str = "segmenter", **changes: Any) -> dict[str, Any]:
    """What a training of a stage says; ``clip`` has two frames, three for a refiner."""
    model = {"segmenter": SIZES, "mpvss": {"motion": MOTION}}.get(stage, {stage: HEAD})
    clip = {"frames": 3 if stage == "refiner" else 2}
    return {"stage": stage, "model": model, "clip": clip, **BASE, **changes}


def write_config(path: Path, stage: str = "segmenter", **changes: Any) -> Path:
    path.write_text(yaml.safe_dump(entries(stage, **changes)))
    return path


def config_of(folder: Path, stage: str = "segmenter", **changes: Any) -> TrainConfig:
    return read_config(write_config(folder / "config.yaml", stage, **changes))


def random_model(kind: str) -> Dvis:
    """A model of the small sizes, its weights seeded."""
    head = HeadConfig(**HEAD)
    parts = {name: SIZES[name] for name in SIZES if name != "backbone"}
    config = DvisConfig(
        kind,
        ResNetBackbone(8, (16, 16, 32, 32), (1, 1, 1, 1)),
        vspw_classes().names,
        tracker=None if kind == "segmenter" else head,
        refiner=head if kind == "offline" else None,
        **parts,
    )
    torch.manual_seed(0)
    model = Dvis(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, 0, 1 / parameter[0].numel() ** 0.5)
    return model.eval()


def write_model(folder: Path, kind: str) -> Path:
    """`random_model` as a model folder."""
    model = random_model(kind)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(to_json(model.config)))
    TrainingFolder(folder).write_model(model.state_dict(), last=False)
    return folder


def flownet_weights() -> dict[str, torch.Tensor]:
    """A FlowNet-S of the sizes of `MOTION` by its official names, with a bit of its decoder."""
    names = json.loads((MPVSS / "motion_keys.json").read_text())
    names = [name.removeprefix("motion.encoder.") for name in names if name.startswith("motion.encoder.")]
    shapes = [value.shape for value in random_mpvss(small_config()).motion.encoder.state_dict().values()]
    random = torch.Generator().manual_seed(1)
    found = {name: 0.05 * torch.randn(shape, generator=random) for name, shape in zip(names, shapes, strict=True)}
    return found | {"deconv5.conv.weight": torch.zeros(2, 2), "predict_flow6.conv.weight": torch.zeros(2)}


def curve(out: Path) -> list[dict[str, Any]]:
    """The log of a training without what depends on the clock."""
    lines = (out / ".vsscli" / "log.jsonl").read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]
