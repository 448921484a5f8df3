"""Every family through the door, against what ``transformers`` itself makes of the same folder."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from torch.nn.functional import interpolate
from transformers.models.eomt.image_processing_pil_eomt import EomtImageProcessorPil

from tests.models.tiny import NAMES, build, frame_network, picture, write
from vsscli.errors import ModelError
from vsscli.models.families import FAMILIES, Family
from vsscli.models.network import DenseScores, Network, QueryScores, Scores
from vsscli.models.preprocess import prepare

KINDS = ("mask2former", "mask2former-swin", "oneformer", "segformer", "upernet", "dpt", "beit", "eomt")
SQUARES = torch.stack([prepare(picture(64, 64, seed), (64, 64), FAMILIES["beit"].preprocess) for seed in (0, 1)])
#: "the task is semantic", as CLIP's tokenizer has it: begin, five words of which one in two parts, end; zeros behind.
TASK = torch.tensor([[49406.0, 518, 10549, 533, 29119, 1550, 49407, *[0] * 70]])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {kind: write(root / kind, kind) for kind in KINDS}


def frames(network: Network, height: int = 70, width: int = 101, count: int = 2) -> Tensor:
    images = [picture(height, width, seed) for seed in range(count)]
    return torch.stack([prepare(image, (height, width), network.preprocess) for image in images])


def tensors(scores: Scores) -> tuple[Tensor, ...]:
    return (scores.class_prob, scores.mask_logits) if isinstance(scores, QueryScores) else (scores.values,)


def reference(kind: str, folder: Path, pixels: Tensor, **more: Any) -> Any:
    """The library's own answer; with gradients, so that it samples in its own way."""
    family = FAMILIES[kind]
    assert isinstance(family, Family)
    return getattr(transformers, family.architecture).from_pretrained(folder)(pixel_values=pixels, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_gives_scores_for_any_frame(kind: str, folders: dict[str, Path]) -> None:
    network = frame_network(str(folders[kind]))
    assert network.classes == NAMES
    assert network.parameters > 10_000
    pixels = frames(network)
    found = network.forward(pixels)
    assert len(found) == 2
    for scores in found:
        assert all(t.dtype == torch.float32 and t.isfinite().all() for t in tensors(scores))
        assert not any(t.requires_grad for t in tensors(scores))
        if isinstance(scores, QueryScores):
            assert scores.class_prob.shape == (7, 5)
            assert scores.mask_logits.shape == (7, pixels.shape[2] // 4, pixels.shape[3] // 4)
            assert 0 < scores.class_prob.sum(1).min() <= scores.class_prob.sum(1).max() < 1
        else:
            assert scores.values.shape[0] == 5
            stride = pixels.shape[2] / scores.values.shape[1]
            assert scores.values.shape[1:] == tuple(int(side / stride) for side in pixels.shape[2:])
            assert len(set(scores.values.argmax(0).flatten().tolist())) > 1
    assert not torch.equal(tensors(found[0])[-1], tensors(found[1])[-1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_s_scores_do_not_depend_on_its_batch(kind: str, folders: dict[str, Path]) -> None:
    network = frame_network(str(folders[kind]))
    pixels = frames(network)
    for i, scores in enumerate(network.forward(pixels)):
        for together, alone in zip(tensors(scores), tensors(network.forward(pixels[i : i + 1])[0]), strict=True):
            torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["mask2former", "mask2former-swin", "oneformer"])
def test_masks_with_classes_are_the_library_s(kind: str, folders: dict[str, Path]) -> None:
    network = frame_network(str(folders[kind]))
    pixels = frames(network)
    family = kind.split("-")[0]
    more = {"task_inputs": TASK.expand(2, -1)} if family == "oneformer" else {}
    wanted = reference(family, folders[kind], pixels, **more)
    for i, scores in enumerate(network.forward(pixels)):
        assert isinstance(scores, QueryScores)
        torch.testing.assert_close(scores.mask_logits, wanted.masks_queries_logits[i].detach(), atol=1e-4, rtol=1e-4)
        classes = wanted.class_queries_logits[i].detach().softmax(-1)
        torch.testing.assert_close(scores.class_prob, classes[:, :-1], atol=1e-5, rtol=1e-4)


def test_oneformer_is_given_its_task(folders: dict[str, Path]) -> None:
    network: Any = frame_network(str(folders["oneformer"]))
    seen: list[Tensor] = []
    network._model.model.task_encoder.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    network.forward(frames(network))
    assert torch.equal(seen[0], TASK.expand(2, -1))


def test_classes_are_found_without_auxiliary_losses(tmp_path: Path, folders: dict[str, Path]) -> None:
    folder = write(tmp_path / "model", "mask2former", use_auxiliary_loss=False)
    with_losses, without = (frame_network(str(path)) for path in (folders["mask2former"], folder))
    pixels = frames(without)
    for one, other in zip(with_losses.forward(pixels), without.forward(pixels), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(other), strict=True))


@pytest.mark.parametrize("kind", ["segformer", "upernet"])
def test_logits_at_any_size_are_the_library_s(kind: str, folders: dict[str, Path]) -> None:
    network = frame_network(str(folders[kind]))
    pixels = frames(network)
    wanted = reference(kind, folders[kind], pixels).logits.detach()
    found = torch.stack([scores.values for scores in network.forward(pixels) if isinstance(scores, DenseScores)])
    assert found.shape[2:] == (pixels.shape[2] // 4, pixels.shape[3] // 4)
    torch.testing.assert_close(interpolate(found, wanted.shape[2:], mode="bilinear"), wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["dpt", "beit"])
def test_logits_of_squares_are_the_library_s(kind: str, folders: dict[str, Path]) -> None:
    network = frame_network(str(folders[kind]))
    wanted = interpolate(reference(kind, folders[kind], SQUARES).logits.detach(), (64, 64), mode="bilinear")
    for i, scores in enumerate(network.forward(SQUARES)):
        assert isinstance(scores, DenseScores)
        assert scores.logits
        torch.testing.assert_close(scores.values, wanted[i], atol=1e-5, rtol=1e-4)


def test_beit_slides_by_two_thirds_of_its_square(folders: dict[str, Path]) -> None:
    network = frame_network(str(folders["beit"]))
    pixels = torch.cat([*SQUARES], 2)[None, :, :, :120]
    wanted, count = torch.zeros(5, 64, 120), torch.zeros(120)
    for start in (0, 28, 56):
        logits = reference("beit", folders["beit"], pixels[..., start : start + 64]).logits.detach()
        wanted[:, :, start : start + 64] += interpolate(logits, (64, 64), mode="bilinear")[0]
        count[start : start + 64] += 1
    (found,) = network.forward(pixels)
    assert isinstance(found, DenseScores)
    torch.testing.assert_close(found.values, wanted / count, atol=1e-5, rtol=1e-4)


def test_dpt_sees_the_shape_of_the_frame(folders: dict[str, Path]) -> None:
    """Two frames with equally many patches: a network that took them for squares would not tell them apart."""
    network = frame_network(str(folders["dpt"]))
    pixels = torch.cat([SQUARES[:1], SQUARES[:1]], 3)
    (wide,), (tall,) = network.forward(pixels), network.forward(pixels.transpose(2, 3))
    assert isinstance(wide, DenseScores)
    assert isinstance(tall, DenseScores)
    assert wide.values.shape[1:] == (64, 128)
    assert tall.values.shape[1:] == (128, 64)


@pytest.mark.parametrize("size", [(64, 110), (120, 64), (64, 64)])
def test_eomt_is_the_library_s_with_its_windows(size: tuple[int, int], folders: dict[str, Path]) -> None:
    network = frame_network(str(folders["eomt"]))
    processor = EomtImageProcessorPil(size={"shortest_edge": 64, "longest_edge": None}, do_split_image=True)
    image = picture(*size)
    inputs = processor(image, return_tensors="pt")
    model = transformers.EomtForUniversalSegmentation.from_pretrained(folders["eomt"])
    with torch.no_grad():
        outputs = model(**inputs)
    options = {"target_sizes": [size], "size": {"shortest_edge": 64, "longest_edge": None}}
    (wanted,) = processor.post_process_semantic_segmentation(outputs, **options, return_segmentation_scores=True)
    (found,) = network.forward(prepare(image, size, network.preprocess)[None])
    assert isinstance(found, DenseScores)
    assert not found.logits
    torch.testing.assert_close(found.values, wanted["segmentation_scores"], atol=1e-4, rtol=1e-4)


def test_eomt_that_would_answer_at_random_is_refused(tmp_path: Path) -> None:
    model = build("eomt")
    model.attn_mask_probs.fill_(0.5)
    model.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="mask annealing"):
        frame_network(str(tmp_path))


def test_hybrid_dpt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="hybrid"):
        frame_network(str(write(tmp_path, "dpt-hybrid")))


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_runs(kind: str, folders: dict[str, Path]) -> None:
    exact, half = (frame_network(str(folders[kind]), dtype=dtype) for dtype in ("float32", "bfloat16"))
    pixels = frames(exact)
    for one, other in zip(exact.forward(pixels), half.forward(pixels), strict=True):
        for a, b in zip(tensors(one), tensors(other), strict=True):
            assert b.dtype == torch.float32
            assert b.isfinite().all()
            assert not torch.equal(a, b)


@pytest.mark.parametrize("kind", ["mask2former", "oneformer"])
def test_the_pixel_decoder_stays_exact_in_half_precision(kind: str, folders: dict[str, Path]) -> None:
    network: Any = frame_network(str(folders[kind]), dtype="bfloat16")
    module = network._model.model.pixel_level_module
    types: dict[str, set[torch.dtype]] = {"backbone": set(), "decoder": set()}
    for name, layer in module.encoder.named_modules():
        if name and not list(layer.children()):
            layer.register_forward_hook(lambda layer, args, out: types["backbone"].add(out.dtype))
    for layer in module.decoder.modules():
        if not list(layer.children()) and "Position" not in type(layer).__name__:
            layer.register_forward_hook(lambda layer, args, out: types["decoder"].add(out.dtype))
    network.forward(frames(network))
    assert torch.bfloat16 in types["backbone"]
    assert types["decoder"] == {torch.float32}


def test_threads_share_a_network(folders: dict[str, Path]) -> None:
    network = frame_network(str(folders["mask2former"]))
    pixels = frames(network, count=8)
    alone = [tensors(network.forward(pixels[i : i + 1])[0]) for i in range(8)]
    together: dict[int, tuple[Tensor, ...]] = {}

    def work(numbers: range) -> None:
        for i in numbers:
            together[i] = tensors(network.forward(pixels[i : i + 1])[0])

    threads = [threading.Thread(target=work, args=(range(first, 8, 4),)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(8):
        assert all(torch.equal(a, b) for a, b in zip(alone[i], together[i], strict=True))
