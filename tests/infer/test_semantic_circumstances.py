"""What must not matter to a label map (types, threads, settings of torch), its memory, and what is refused."""

import threading
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.infer.semantic_cases import (
    FRAME,
    GEOMETRIES,
    PADDED,
    SMALL,
    label,
    noise_like,
    trained_like,
)
from vsscli.errors import ModelError
from vsscli.infer.semantic import label_map_from_queries
from vsscli.infer.semantic.rounding import single_products


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types_are_read_as_fp32(dtype: torch.dtype) -> None:
    prob, logits = noise_like(12, 9, SMALL)
    labels = label(prob, logits.to(dtype))
    assert torch.equal(labels, label(prob, logits.to(dtype).float()))


def test_neither_strides_nor_gradients_nor_autocast_matter() -> None:
    prob, logits = noise_like(12, 9, SMALL)
    plain = label(prob, logits)
    turned = logits.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert torch.equal(plain, label(prob.t().contiguous().t(), turned))
    assert torch.equal(plain, label(prob, logits.clone().requires_grad_()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(plain, label(prob, logits))


@pytest.fixture
def precision() -> Iterator[None]:
    """Puts back what the process allows its matrix products."""
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize(("allowed", "unit"), [("highest", 2.0**-24), ("high", 2.0**-8), ("medium", 2.0**-8)])
def test_coarse_products_are_reckoned_with(allowed: str, unit: float) -> None:
    """Where TF32 or bfloat16 may enter, the margin grows and double precision decides more pixels: the same map."""
    prob, logits = trained_like(20, 30, SMALL)
    plain = label(prob, logits)
    torch.set_float32_matmul_precision(allowed)
    assert single_products() == unit
    assert torch.equal(plain, label(prob, logits))


def test_an_unknown_precision_counts_as_coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch refuses to tell where its old and its new switches were mixed."""

    def refuse() -> str:
        raise RuntimeError("mixed")

    monkeypatch.setattr(torch, "get_float32_matmul_precision", refuse)
    assert single_products() == 2.0**-8


def test_threads_do_not_disturb_each_other() -> None:
    cases = [(trained_like if seed % 2 else noise_like)(20, 30, SMALL, seed=seed) for seed in range(8)]
    alone = [label(*case) for case in cases]
    together: dict[tuple[int, int], Tensor] = {}

    def work(thread: int) -> None:
        torch.set_num_threads(1)
        for i in range(len(cases)):
            j = (i + thread) % len(cases)
            together[thread, j] = label(*cases[j])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(together) == 4 * len(cases)
    assert all(torch.equal(labels, alone[j]) for (_, j), labels in together.items())


class Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches the size of everything that torch makes."""

    bytes_seen = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        made = func(*args, **(kwargs or {}))
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, Tensor):
                self.bytes_seen = max(self.bytes_seen, one.numel() * one.element_size())
        return made


@pytest.mark.parametrize("prune", [True, False])
def test_no_array_of_classes_times_pixels(prune: bool) -> None:
    coarse, padded, network, out = GEOMETRIES["480p, padded"]
    prob, logits = noise_like(20, 124, coarse)
    with Largest() as largest:  # type: ignore[no-untyped-call]
        label_map_from_queries(prob, logits, padded=padded, network=network, out=out, prune=prune)
    assert 0 < largest.bytes_seen <= 8 << 20


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"class_prob": torch.rand(7, 9)}, ValueError, "do not fit"),
        ({"mask_logits": torch.rand(12, 24)}, ValueError, "do not fit"),
        ({"mask_logits": torch.ones(12, 24, 40, dtype=torch.int32)}, ValueError, "floating-point"),
        ({"class_prob": torch.rand(12, 0)}, ValueError, "not empty"),
        ({"class_prob": torch.rand(12, 9) - 0.5}, ValueError, "negative"),
        ({"network": (97, 160)}, ValueError, "larger than its padded form"),
        ({"out": (0, 160)}, ValueError, "positive"),
        ({"ids": torch.arange(9)}, ValueError, "ids must be uint8"),
        ({"ids": torch.zeros(8, dtype=torch.uint8)}, ValueError, "ids must be uint8"),
        ({"mask_logits": torch.full((12, 24, 40), torch.nan)}, ModelError, "mask logits .* not finite.*--dtype fp32;"),
        ({"mask_logits": torch.full((12, 24, 40), torch.inf)}, ModelError, "mask logits .* not finite"),
        ({"class_prob": torch.full((12, 9), torch.nan)}, ModelError, "class probabilities .* not finite"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], error: type[Exception], says: str) -> None:
    prob, logits = noise_like(12, 9, SMALL)
    arguments = {"class_prob": prob, "mask_logits": logits, "padded": PADDED, "network": FRAME, "out": FRAME, **change}
    with pytest.raises(error, match=says):
        label_map_from_queries(**arguments)  # type: ignore[arg-type]
