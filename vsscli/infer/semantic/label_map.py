"""The two ways from a network's output of one frame to its label map."""

import torch
from torch import Tensor

from vsscli.infer.semantic.grid import Size, grid
from vsscli.infer.semantic.logits import LogitScores
from vsscli.infer.semantic.paint import paint
from vsscli.infer.semantic.queries import QueryScores

MAX_LABELS = 256


def label_map_from_queries(
    class_prob: Tensor,
    mask_logits: Tensor,
    *,
    padded: Size,
    network: Size,
    out: Size,
    ids: Tensor | None = None,
    prune: bool | None = None,
) -> Tensor:
    """The label map, uint8 [H, W], of a network that answers with Q queries (Mask2Former, DVIS++, MPVSS).

    ``class_prob`` [Q, K] holds each query's class probabilities without "no object" (>= 0; fp32), ``mask_logits``
    [Q, h, w] its mask (any floating type, read as fp32). Sizes are (height, width): of the padded network input, of
    its unpadded part (top left), and of the frame. As in DVIS++'s and Mask2Former's inference: mask logits bilinearly
    to ``padded``, cropped to ``network``, sigmoid, bilinearly to ``out``; then the class with the largest sum over
    the queries of class probability times mask. Of classes equal to within float64's own rounding the first wins.

    ``ids`` (uint8 [K]) is what to write for each class, by default its position. ``prune`` leaves out what cannot
    win (default: on the CPU); the result is the same.

    Raises ValueError where shapes, sizes or devices do not fit or a probability is negative, ModelError where a
    value is not finite.
    """
    if class_prob.dim() != 2 or mask_logits.dim() != 3 or class_prob.shape[0] != mask_logits.shape[0]:
        raise ValueError(f"class_prob {_shape(class_prob)} and mask_logits {_shape(mask_logits)} do not fit.")
    _check(class_prob, mask_logits)
    class_prob, mask_logits = _exact(class_prob), _exact(mask_logits)
    with torch.no_grad(), torch.autocast(mask_logits.device.type, enabled=False):
        labels = _labels(class_prob.shape[1], ids, mask_logits.device)
        way = grid((mask_logits.shape[1], mask_logits.shape[2]), padded, network, out, mask_logits.device)
        scores = QueryScores(class_prob.float(), mask_logits, labels, way)
        return paint(scores, prune=_prune(prune, mask_logits))


def label_map_from_logits(
    logits: Tensor,
    *,
    padded: Size,
    network: Size,
    out: Size,
    ids: Tensor | None = None,
    prune: bool | None = None,
) -> Tensor:
    """The label map, uint8 [H, W], of a network that answers with one map per class (SegFormer, UPerNet, DPT ...).

    ``logits`` is [K, h, w] of any floating type, read as fp32; everything else is as in ``label_map_from_queries``.
    Logits go bilinearly to ``padded``, are cropped to ``network``, and go bilinearly to ``out``. Where nothing was
    padded they go straight to ``out`` in one resize, as ``transformers``' ``post_process_semantic_segmentation`` does.
    """
    if logits.dim() != 3:
        raise ValueError(f"logits {_shape(logits)} must have three dimensions: classes, rows, columns.")
    _check(logits)
    logits = _exact(logits)
    if padded == network:
        padded = network = out
    with torch.no_grad(), torch.autocast(logits.device.type, enabled=False):
        labels = _labels(logits.shape[0], ids, logits.device)
        way = grid((logits.shape[1], logits.shape[2]), padded, network, out, logits.device)
        return paint(LogitScores(logits, labels, way), prune=_prune(prune, logits))


def _exact(tensor: Tensor) -> Tensor:
    """On a device that knows float64, which Apple's does not."""
    return tensor.cpu() if tensor.device.type == "mps" else tensor


def _prune(prune: bool | None, like: Tensor) -> bool:
    """An accelerator computes everything in the time that asking what to leave out would take."""
    return like.device.type == "cpu" if prune is None else prune


def _check(*tensors: Tensor) -> None:
    if any(t.numel() == 0 or not t.is_floating_point() or t.device != tensors[0].device for t in tensors):
        raise ValueError("Inputs must be floating-point tensors on one device, and not empty.")


def _labels(classes: int, ids: Tensor | None, device: torch.device) -> Tensor:
    """What to write for each class, fp32 [K]: sums of flags times labels are exact, see ``tiles.tally``."""
    if ids is None:
        if classes > MAX_LABELS:
            raise ValueError(f"{classes} classes do not fit into uint8: give ids.")
        return torch.arange(classes, dtype=torch.float32, device=device)
    if ids.shape != (classes,) or ids.dtype != torch.uint8:
        raise ValueError(f"ids must be uint8 [{classes}], not {ids.dtype} {_shape(ids)}.")
    return ids.to(device).float()


def _shape(tensor: Tensor) -> list[int]:
    return list(tensor.shape)
