"""The one door to networks: `load_model`."""

import re
from typing import Any

import torch
from torch import Tensor

from vsscli.errors import DeviceError, ModelError, OptionError
from vsscli.models.card import ModelCard, describe_model
from vsscli.models.families import Family, OwnFamily
from vsscli.models.network import Network, Scores, VideoNetwork
from vsscli.models.preprocess import Preprocess
from vsscli.models.strict import require_same_weights
from vsscli.quiet import quiet

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def load_model(
    source: str, *, device: str = "cpu", dtype: str = "float32", offline: bool = False
) -> Network | VideoNetwork:
    """The network of a model folder (written by ``save_pretrained``) or of a hub id ``org/name``.

    ``device`` is torch's name of it, ``dtype`` one of float32, float16, bfloat16: in half precision the weights stay
    in float32 and the network runs under autocast, except what its family keeps exact. Nothing is initialised at
    random: raises ModelError as `describe_model` does, and one with the keys where weights are missing, unused or of
    another shape. Raises DeviceError when the device is not there or too small.
    """
    if dtype not in DTYPES:
        raise OptionError(f"There is no dtype {dtype!r}.", f"Choose one of {', '.join(DTYPES)}.")
    place = find_device(device)
    torch.backends.cudnn.allow_tf32 = False  # float32 is what it says: torch's default rounds convolutions to ten bits
    card = describe_model(source, offline)
    family = card.family
    try:
        if isinstance(family, OwnFamily):
            return family.load(card.folder, source, card.preprocess, place, DTYPES[dtype])
        model = _read_strictly(card, family)
        _make_ready(card, family, model)
        return TransformersNetwork(card, family, model.to(place), place, DTYPES[dtype])
    except (torch.OutOfMemoryError, MemoryError):
        raise DeviceError(f"{source} does not fit into the memory of {device}.", "Take a larger device.") from None


def find_device(name: str) -> torch.device:
    """The device ``name`` (cpu, cuda, cuda:1, mps, ...); OptionError if it is none, DeviceError if not there."""
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise OptionError(f"There is no device {name!r}.", "Choose cpu, cuda, cuda:N or mps.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(f"{name} is not there: torch sees {torch.cuda.device_count()} CUDA devices.", "Take cpu.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("mps is not there: torch sees no Apple GPU.", "Take cpu.")
    return device


class TransformersNetwork:
    """A model of ``transformers`` behind `Network`."""

    def __init__(self, card: ModelCard, family: Family, model: Any, device: torch.device, dtype: torch.dtype) -> None:
        self._card, self._family, self._model, self._device, self._dtype = card, family, model, device, dtype

    @property
    def classes(self) -> tuple[str, ...]:
        return self._card.classes

    @property
    def preprocess(self) -> Preprocess:
        return self._card.preprocess

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self._model.parameters())

    def forward(self, pixels: Tensor) -> list[Scores]:
        # no_grad, not inference_mode: transformers caches position encodings, which a training would meet again.
        half = self._dtype != torch.float32
        with torch.no_grad(), torch.autocast(self._device.type, self._dtype if half else None, enabled=half):
            return self._family.forward(self._model, pixels.to(self._device))


def _read_strictly(card: ModelCard, family: Family) -> Any:
    with quiet():
        import transformers

        architecture = getattr(transformers, family.architecture)
        try:
            config = architecture.config_class.from_pretrained(card.folder, local_files_only=True)
            for name, value in family.settings.items():
                setattr(config, name, value)
            model, report = architecture.from_pretrained(
                card.folder,
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # so that they are reported, all of them
                output_loading_info=True,
            )
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except ImportError as error:
            raise ModelError(f"{card.source} needs a package that vsscli does without: {_line(error)}.") from None
        except Exception as error:  # a configuration or file from anywhere can break transformers in any way
            raise ModelError(f"{card.source} cannot be loaded: {_line(error)}.") from None
    _check(card, family, report)
    return model


def _make_ready(card: ModelCard, family: Family, model: Any) -> None:
    model.eval().requires_grad_(False)
    try:
        family.ready(model)
    except ModelError as error:
        raise ModelError(f"{card.source}: {error.message}", error.hint) from None


def _check(card: ModelCard, family: Family, report: dict[str, Any]) -> None:
    ignored = re.compile(family.not_needed)
    require_same_weights(
        card.source,
        card.model_type,
        missing=report["missing_keys"],
        unused=[key for key in report["unexpected_keys"] if not ignored.match(key)],
        misshapen=report["mismatched_keys"],
    )


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
