"""The recorded model and clips, watched at work stage by stage; and models as small as can be."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from tests.fixtures.formula import weights
from tests.fixtures.recorded import Recording, key_list
from tests.models.dvis.cases import pictures, pixels
from tests.models.folders import save
from vsscli.data.classes import vspw_classes
from vsscli.models.dvis.config import DvisConfig, ResNetBackbone
from vsscli.models.mpvss.config import MotionConfig, MpvssConfig, to_json
from vsscli.models.mpvss.encoder import flow_image
from vsscli.models.mpvss.keys import translate
from vsscli.models.mpvss.model import KeyFrame, Mpvss, build

MPVSS = Path(__file__).parents[2] / "fixtures" / "mpvss"
R50 = MpvssConfig(DvisConfig("segmenter", ResNetBackbone(), vspw_classes().names, reid=False), MotionConfig())
#: Frames between key frames, as recorded.
INTERVAL = {"clipA": 5, "clipB": 3}


def mpvss_keys() -> dict[str, list[int]]:
    """Official names and shapes: the segmenter's, whose batch norms count, and the motion network's."""
    segmenter = key_list("dvis_r50_minvis")
    norms = [name.removesuffix("running_var") for name in segmenter if name.endswith("running_var")]
    motion: dict[str, list[int]] = json.loads((MPVSS / "motion_keys.json").read_text())
    return {**segmenter, **{f"{norm}num_batches_tracked": [] for norm in norms}, **motion}


@cache
def recording(clip: str) -> Recording:
    """What was recorded of a clip."""
    first, *others = sorted(MPVSS.glob(f"{clip}*.npz"))
    found = Recording(first)
    for path in others:
        found.arrays |= Recording(path).arrays
    return found


def load(seed: str = "public") -> Mpvss:
    """The full-size R50 model with the weights of the formula."""
    translation = translate(weights(mpvss_keys(), seed), R50)
    assert not translation.missing and not translation.unused and not translation.misshapen
    model = build(R50)
    model.load_state_dict(translation.state_dict, assign=True)
    return model.requires_grad_(False)


@cache
def model() -> Mpvss:
    """`load`, once; tests leave it as it is."""
    return load()


def images(clip: str, bgr: bool = False) -> Tensor:
    """A clip as the motion network takes it, float32 [T, 3, H/2, W/2]."""
    frames = torch.stack([torch.from_numpy(picture.copy()) for picture in pictures(clip)]).permute(0, 3, 1, 2).float()
    frames = frames.flip(1) if bgr else frames
    height, width = frames.shape[2:]
    padded = torch.zeros(*frames.shape[:2], -(-height // 32) * 32, -(-width // 32) * 32)
    padded[:, :, :height, :width] = frames
    return flow_image(padded, (height, width))


@cache
def key_frames(clip: str) -> dict[int, KeyFrame]:
    """The recorded clip's key frames by their number."""
    numbers = list(range(0, len(pictures(clip)), INTERVAL[clip]))
    with torch.no_grad():
        found = model().segment(pixels(clip)[numbers], images(clip)[numbers])
    return dict(zip(numbers, found, strict=True))


def key_arrays(clip: str, keys: Mapping[int, KeyFrame]) -> dict[str, Tensor]:
    """What the recordings hold of key frames."""
    found = dict[str, Tensor]()
    for number, key in keys.items():
        found |= {f"t{number}_key_logits": key.class_logits, f"t{number}_key_masks": key.mask_logits}
        found[f"t{number}_key_queries"] = key.queries
    return found


def motion_arrays(network: Mpvss, image: Tensor, key: KeyFrame, number: int) -> dict[str, Tensor]:
    """What the recordings hold of a frame between, from its image and its key frame, stage by stage."""
    motion = network.motion
    with torch.no_grad():
        maps = motion.encoder(image[None], key.image[None])
        queries, tokens = motion.talk(key.queries[None], maps[:1:-1])
        pixel = motion.expansion(tokens, maps[1::-1])
        query = motion.query_flow(queries, maps[0])
        flow = motion(image[None], key.image[None], key.queries[None])
        tall = motion.motion_map(maps[0].flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, maps[0].shape[2:])
        embeds = motion.query_embeds(motion.norm(queries))
        (carried,) = network.carry(image[None], [key])
    found = {
        "pixel_flow": pixel[0],
        "flow": flow[0],
        "warped_masks": carried,
        "flow_net_input": torch.cat([image, key.image]),
        **{f"enc_conv{i + 2}": each for i, each in enumerate(maps)},
        "motion_map": tall,
        "query_after_head": embeds[0][:, None],
        "fuse_input": torch.cat([pixel.expand(query.shape[1], -1, -1, -1), query[0]], 1),
    }
    return {f"t{number}_{name}": value for name, value in found.items()}


def small_config(queries: int = 6, **more: object) -> MpvssConfig:
    """A model as small as can be; ``more`` of its segmenter."""
    segmenter = DvisConfig(
        "segmenter",
        ResNetBackbone(8, (16, 16, 32, 32), (1, 1, 1, 1)),
        vspw_classes().names,
        queries=queries,
        width=32,
        heads=4,
        encoder_layers=1,
        encoder_ffn=32,
        decoder_layers=1,
        decoder_ffn=32,
        reid=False,
        **more,  # type: ignore[arg-type]
    )
    return MpvssConfig(segmenter, MotionConfig((8, 8, 16, 16, 16, 16), (8, 8, 8, 8), 3, 4, 32, 32))


#: What keeps the queries of a random model apart and makes its masks loud.
_LOUD = {
    "queries_features": 5.0,
    "class_predictor.weight": 4.0,
    "mask_projection.weight": 6.0,
    "mask_projection.bias": 0.0,
    "out_proj.weight": 0.2,
    "fc2.weight": 0.2,
    "fuse.weight": 0.2,
}


def random_model(config: MpvssConfig, seed: int = 2) -> Mpvss:
    """A model of seeded random weights whose maps hold several classes, and whose flows are of several pixels."""
    torch.manual_seed(seed)
    network = Mpvss(config).eval()
    for name, parameter in network.named_parameters():
        loud = next((factor for part, factor in _LOUD.items() if part in name), 1.0)
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, 0, 2 * loud / parameter[0].numel() ** 0.5)
        elif loud == 0:
            torch.nn.init.zeros_(parameter)
    return network


def write_random(folder: Path, config: MpvssConfig | None = None, seed: int = 2) -> Path:
    """`random_model` as a model folder."""
    config = config or small_config()
    return save(folder, to_json(config), random_model(config, seed).state_dict())


def write_recorded(folder: Path) -> Path:
    """The recorded model as a model folder."""
    return save(folder, to_json(R50), model().state_dict())
