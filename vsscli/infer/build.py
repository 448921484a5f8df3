"""From options to a stage: which views, which classes, which devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsscli.data.classmap import ClassMap, guess_table, resolve_class_map
from vsscli.data.dataset import Dataset
from vsscli.engine import Stage, cores
from vsscli.errors import OptionError
from vsscli.infer.key_frames import find_carrying
from vsscli.infer.multi import ViewsStage, views_kept
from vsscli.infer.request import Request
from vsscli.infer.shared import SharedNetwork
from vsscli.infer.stage import NetworkStage
from vsscli.infer.views import View, make_views, parse_scales, parse_size
from vsscli.models.card import ModelCard, describe_model
from vsscli.models.load import find_device
from vsscli.models.source import lies_here
from vsscli.runs.manifest import Manifest, describe_classes

#: Frames at once, unless the user says how many: each takes memory. On a CPU also not more than there are cores.
BATCH = 4
MOST_THREADS = 16


@dataclass(frozen=True)
class Plan:
    """A stage, and what to tell the user about it."""

    stage: Stage
    views: tuple[View, ...]
    told: str
    class_map: ClassMap
    card: ModelCard
    interval: int  # one of that many frames goes through the network


def find_devices(device: str, workers: int | None) -> list[str]:
    """One entry per worker. ``auto``: every CUDA device, else the CPU (Apple's was never tried); or names with commas.

    OptionError for what is no device, DeviceError where it is not there.
    """
    import torch

    if device == "auto":
        names = [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu"]
    else:
        names = [str(find_device(name.strip())) for name in device.split(",")]
    return [names[i % len(names)] for i in range(workers or len(names))]


DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


def resolve_dtype(dtype: str, device: str, card: ModelCard) -> str:
    """torch's name of the precision. ``auto``: half on CUDA for families whose authors evaluate so, else fp32."""
    if dtype == "auto":
        return "float16" if device.startswith("cuda") and card.family.half else "float32"
    if dtype not in DTYPES:
        raise OptionError(f"--dtype {dtype!r} is no precision.", "Give auto, fp32, fp16 or bf16.")
    return DTYPES[dtype]


def build(dataset: Dataset, request: Request, devices: Sequence[str], out: Path, threads: int | None = None) -> Plan:
    """The stage that ``request`` asks for, over ``dataset`` into ``out``; nothing is loaded yet.

    ``threads``: the cores of each worker on a CPU; default: its share of this machine's.

    Raises ModelError, OptionError and DataError where model, classes and options do not go together.
    """
    card = describe_model(request.model)
    if request.causal and not card.causal:
        raise OptionError(f"--causal is not for {card.title}: {_why_not_causal(card)}.", "Leave it out.")
    dtype = resolve_dtype(request.dtype, devices[0], card)
    table = dataset.classes or guess_table(card.classes, request.class_map)
    class_map = resolve_class_map(card.classes, table, request.class_map)
    short, cap = _size(request, card)
    carrying = find_carrying(request, card)
    views = make_views(parse_scales(request.scales), request.flip, short, cap)
    if request.keep_topk is not None and len(views) > 1 and not request.keep_views:
        raise OptionError(
            f"--keep-topk keeps the class scores of one view, and these are {len(views)}.",
            "Add --keep-views: then the run of each view, under OUT/.vsscli/views, keeps its own.",
        )
    identity = {
        "model": card.digest,
        "family": card.model_type,
        "classes": class_map.digest,
        "dtype": dtype,
        "device": devices[0].partition(":")[0],
        "data": dataset.kind,
        "split": dataset.split,
        "size": short or "native",
    }
    if request.causal:
        identity["causal"] = True
    if carrying is not None:
        identity |= {"key_interval": carrying.interval, "propagate": carrying.how}
    about = {"model": Path(request.model).name}
    if request.class_map is not None:
        about["class_map"] = Path(request.class_map).name
    classes = describe_classes(class_map.table)
    network = SharedNetwork(request.model, dtype)
    threads = threads or cores() // len(devices)
    batch = request.batch or (BATCH if devices[0] != "cpu" else max(1, min(threads, MOST_THREADS)))

    def stage(view: View) -> NetworkStage:
        manifest = Manifest("infer", identity, classes, view.describe(), about)
        parts = dataset, network, view, class_map, manifest, batch, out / ".vsscli", request.keep_topk
        return NetworkStage(*parts, request.causal, carrying)

    told = f"{card.title}, {_tell(short, cap, '' if request.size is not None else card.size_from)}, {dtype}"
    told += ", classes from the frames so far" if request.causal else ""
    if carrying is not None:
        told += f"; {carrying.tell()}"
    whole: Stage = stage(views[0])
    if len(views) > 1:
        scales = [view.scale for view in views if not view.flip]
        voted = Manifest("infer", {**identity, "scales": scales, "flip": request.flip}, classes, about=about)
        before = views_kept(out)
        told += ", views are kept as before" if before and not request.keep_views else ""
        whole = ViewsStage([stage(view) for view in views], out, voted, request.keep_views or before)
    named = {"data": str(dataset.root), "model": request.model, "class_map": request.class_map}
    whole.places = {name: _place(value) for name, value in named.items() if value is not None}
    return Plan(whole, views, told, class_map, card, 1 if carrying is None else carrying.interval)


def _place(name: str) -> str:
    """The whole path of what lies on this machine; the name of what does not."""
    return str(Path(name).absolute()) if lies_here(name) else name


def _why_not_causal(card: ModelCard) -> str:
    if card.kept((32, 32)) is None:
        return "it needs no later frames as it is"
    return "its refiner must see the whole video"


def _tell(short: int | None, cap: int | None, whose: str) -> str:
    if short is None:
        return "frames at their own size"
    limit = "" if cap is None else f", long side at most {cap}"
    return f"short side {short}{limit}{whose and f' as {whose}'}"


def _size(request: Request, card: ModelCard) -> tuple[int | None, int | None]:
    """The model's short side and cap, or ``--size`` with a cap in the model's proportion to it."""
    short, cap = card.preprocess.short, card.preprocess.cap
    if request.size is None:
        return short, cap
    asked = parse_size(request.size)
    if asked is None or short is None or cap is None:
        return asked, None
    return asked, int(cap * asked / short + 0.5)
