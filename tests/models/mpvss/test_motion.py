"""The motion network and the warp: what must hold of them, and mistakes that would show."""

from collections.abc import Callable, Iterator
from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import conv2d, grid_sample

from tests.models.dvis.cases import pixels
from tests.models.mpvss.cases import (
    images,
    key_frames,
    model,
    motion_arrays,
    random_model,
    recording,
    small_config,
)
from vsscli.models.mpvss import warp as warping
from vsscli.models.mpvss.encoder import flow_image
from vsscli.models.mpvss.model import KeyFrame, Mpvss
from vsscli.models.mpvss.motion import Motion
from vsscli.models.mpvss.warp import warp_masks

CLEARLY = 1e-2


@given(st.integers(1, 3), st.integers(2, 9), st.integers(2, 9), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_the_warp_is_its_definition(queries: int, rows: int, columns: int, seed: int) -> None:
    """Pixel by pixel in float64: where each was, on a grid that is one pixel too short, the border going on."""
    random = torch.Generator().manual_seed(seed)
    masks = torch.randn(queries, rows, columns, generator=random).double()
    flow = 3 * torch.randn(queries, 2, rows, columns, generator=random).double()
    found = warp_masks(masks, flow)
    for query in range(queries):
        for y in range(rows):
            for x in range(columns):
                across, down = (float(each) for each in flow[query, :, y, x])
                left = min(max((x + across) / columns * (columns - 1), 0), columns - 1)
                top = min(max((y + down) / rows * (rows - 1), 0), rows - 1)
                i, j = min(int(top), rows - 2), min(int(left), columns - 2)
                a, b = top - i, left - j
                part = masks[query, i : i + 2, j : j + 2]
                whole = (1 - a) * ((1 - b) * part[0, 0] + b * part[0, 1]) + a * ((1 - b) * part[1, 0] + b * part[1, 1])
                assert abs(float(found[query, y, x]) - float(whole)) < 1e-9


def test_a_still_flow_is_not_the_identity() -> None:
    """It is one of (x / (W - 1), y / (H - 1)) pixels: what trained flows make up for."""
    masks = torch.randn(2, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert (warp_masks(masks, torch.zeros(2, 2, 3, 4, dtype=torch.float64)) - masks).abs().max() > 0.1
    x = torch.arange(8.0, dtype=torch.float64).expand(6, 8) / 7
    y = torch.arange(6.0, dtype=torch.float64)[:, None].expand(6, 8) / 5
    torch.testing.assert_close(warp_masks(masks, torch.stack([x, y]).expand(2, -1, -1, -1)), masks)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 9))
@settings(deadline=None, max_examples=20)
def test_padding_is_zero_whatever_stood_there(height: int, width: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    padded = torch.randint(0, 256, (2, 3, -(-height // 32) * 32, -(-width // 32) * 32), generator=random).float()
    other = padded.clone()
    other[:, :, height:], other[..., width:] = 77, 99
    found = flow_image(padded, (height, width))
    assert torch.equal(found, flow_image(other, (height, width)))
    assert found.shape == (2, 3, padded.shape[2] // 2, padded.shape[3] // 2)
    assert not found[:, :, -(-height // 2) :].any() and not found[..., -(-width // 2) :].any()
    x = padded[0, 1, :2, :2].clone() / 255 - 0.432
    x[height:], x[:, width:] = 0, 0
    assert abs(float(found[0, 1, 0, 0] - x.mean())) < 1e-5


def test_the_flow_of_all_goes_once_through_the_convolution() -> None:
    """As if it were repeated for every query beside the query's own."""
    motion = random_model(small_config()).motion
    random = torch.Generator().manual_seed(0)
    pixel, query = torch.randn(2, 2, 5, 7, generator=random), torch.randn(2, 6, 2, 5, 7, generator=random)
    both = torch.cat([pixel[:, None].expand(-1, 6, -1, -1, -1), query], 2).flatten(0, 1)
    expected = conv2d(both, motion.fuse.weight, motion.fuse.bias, padding=1).view(2, 6, 2, 5, 7)
    torch.testing.assert_close(motion.join(pixel, query), expected)


def test_frames_are_carried_apart() -> None:
    """Each from its own key frame, whoever else is in the batch."""
    motion = random_model(small_config()).motion.double()
    clip = images("clipA").double()
    queries = torch.randn(2, 6, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    numbers, keys, owner = [1, 4, 2], [0, 3, 0], [0, 1, 0]
    with torch.no_grad():
        together = motion(clip[numbers], clip[keys], queries[owner])
        for i in range(3):
            alone = motion(clip[numbers[i], None], clip[keys[i], None], queries[owner[i], None])
            torch.testing.assert_close(together[i], alone[0])
        assert not torch.allclose(together[0], motion(clip[1:2], clip[3:4], queries[1:])[0])


def test_a_training_begins_with_the_authors_still_flow() -> None:
    motion = Motion(small_config().motion, 32, 6)
    flow = motion(images("clipA")[1:2], images("clipA")[:1], torch.zeros(1, 6, 32))
    assert torch.equal(flow, torch.ones_like(flow))


def test_gradients_reach_every_weight() -> None:
    """From the carried masks back into the motion network, and into the key frame's masks and queries."""
    network = random_model(small_config())
    clip = images("clipA")
    frames = network.segment(pixels("clipA")[:1], clip[:1])
    (carried,) = network.carry(clip[1:2], frames)
    carried.square().mean().backward()  # type: ignore[no-untyped-call]
    assert not [name for name, p in network.motion.named_parameters() if p.grad is None or not p.grad.any()]
    predictor = network.segmenter.mask2former.model.transformer_module.decoder.mask_predictor
    assert not [name for name, p in predictor.named_parameters() if p.grad is None]


@pytest.fixture
def _no_grad() -> Iterator[None]:
    with torch.no_grad():
        yield


Mistake = Callable[[Mpvss, Tensor, KeyFrame, pytest.MonkeyPatch], dict[str, Tensor]]


def _exchanged(network: Mpvss, image: Tensor, key: KeyFrame, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    return motion_arrays(network, key.image, KeyFrame(key.class_logits, key.mask_logits, key.queries, image), 1)


def _blue_and_red(network: Mpvss, image: Tensor, key: KeyFrame, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    first, second = images("clipA", bgr=True)[:2]
    return motion_arrays(network, second, KeyFrame(key.class_logits, key.mask_logits, key.queries, first), 1)


def _before_the_norm(network: Mpvss, image: Tensor, key: KeyFrame, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    (frame,) = network.segmenter(pixels("clipA")[:1])
    return motion_arrays(network, image, KeyFrame(key.class_logits, key.mask_logits, frame.raw, key.image), 1)


def _corners_not_aligned(network: Mpvss, image: Tensor, key: KeyFrame, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    sample = grid_sample
    patch.setattr(warping, "grid_sample", lambda *a, **more: sample(*a, **{**more, "align_corners": False}))
    return motion_arrays(network, image, key, 1)


def _halves_exchanged(network: Mpvss, image: Tensor, key: KeyFrame, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    last = network.motion.motion_map.layers[2]
    state = {name: torch.cat([*value.chunk(2)][::-1]) for name, value in last.state_dict().items()}
    last.load_state_dict(state)
    return motion_arrays(network, image, key, 1)


def _embeddings_once(network: Mpvss, image: Tensor, key: KeyFrame, patch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """The query embedding on the first layer only, as one would write it."""
    weight = network.motion.talk.query_embed.weight
    attention = network.motion.talk.attention[1]
    run = attention.forward

    def forward(x: Tensor, *more: Tensor) -> Tensor:
        less = torch.cat([x[:, :100] - weight, x[:, 100:]], 1)
        found: Tensor = run(less, less, less)
        return found

    patch.setattr(attention, "forward", forward)
    return motion_arrays(network, image, key, 1)


MISTAKES: dict[str, tuple[Mistake, str]] = {
    "key frame and current frame exchanged": (_exchanged, "t1_flow"),
    "blue and red exchanged": (_blue_and_red, "t1_flow"),
    "queries before the norm": (_before_the_norm, "t1_flow"),
    "corners not aligned": (_corners_not_aligned, "t1_warped_masks"),
    "halves of the motion map exchanged": (_halves_exchanged, "t1_flow"),
    "query embedding left out of a layer": (_embeddings_once, "t1_flow"),
}


@pytest.mark.usefixtures("_no_grad")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_would_show(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, name = MISTAKES[mistake]
    network = model()
    if make is _halves_exchanged:
        network = Mpvss.__new__(Mpvss)
        network.__dict__ = {**model().__dict__, "_modules": {**model()._modules, "motion": deepcopy(model().motion)}}
    found = make(network, images("clipA")[1], key_frames("clipA")[0], monkeypatch)
    error = recording("clipA").error(name, found[name])
    print(f"{mistake}: {name} {error:.2g}")
    assert error > CLEARLY
