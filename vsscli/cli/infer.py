"""``vsscli infer``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vsscli.cli.options import EXECUTION, IDENTITY, Address, Data, DryRun, Engine, Out, Shard, Split, Videos
from vsscli.cli.talk import announce_plan, finish, say
from vsscli.errors import DataError, OptionError
from vsscli.infer.request import Request
from vsscli.words import plural

if TYPE_CHECKING:
    from vsscli.data.dataset import Dataset
    from vsscli.engine import Cluster, Stage

Model = Annotated[
    str,
    typer.Option(
        help="Model folder (written by convert, train or save_pretrained), hub id org/name, a model in the box (tiny, "
        "tiny-mvc, tiny-mpvss), plug-in NAME or NAME:ARGUMENT, or oracle:... (the test double).",
        show_default=False,
        rich_help_panel=IDENTITY,
    ),
]
Size = Annotated[
    str | None,
    typer.Option(
        help="The network's short side in pixels, or native. Default: the model's; its long-side cap goes along.",
        show_default=False,
        rich_help_panel=IDENTITY,
    ),
]
Scales = Annotated[
    str, typer.Option(help="Views: each scale multiplies the short side and the cap.", rich_help_panel=IDENTITY)
]
Flip = Annotated[bool, typer.Option("--flip", help="Every view also mirrored.", rich_help_panel=IDENTITY)]
ClassMapOption = Annotated[
    str | None,
    typer.Option(
        "--class-map",
        help="For a model of other classes: a shipped map (ade20k_to_vspw) or a CSV file with source,target.",
        show_default=False,
        rich_help_panel=IDENTITY,
    ),
]
Causal = Annotated[
    bool,
    typer.Option(
        "--causal",
        help="VidEoMT, PMT, LVMT, DVIS++ online: classes from the frames so far, not from the whole video. In one pass "
        "and less memory; another method than the published one.",
        rich_help_panel=IDENTITY,
    ),
]
Dtype = Annotated[
    str,
    typer.Option(
        help="auto, fp32, fp16 or bf16. auto: half on CUDA where the authors evaluate so.", rich_help_panel=IDENTITY
    ),
]
Seed = Annotated[int, typer.Option(help="Of the test double.", rich_help_panel=IDENTITY)]
Device = Annotated[
    str, typer.Option(help="auto, cpu, mps, cuda, or cuda:0,cuda:1: one worker on each.", rich_help_panel=EXECUTION)
]
Batch = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Frames at once: fewer take less memory and give the same maps (on a GPU up to rounding). "
        "Default: 4, on a CPU one per core.",
        show_default=False,
        rich_help_panel=EXECUTION,
    ),
]
KeepViews = Annotated[
    bool,
    typer.Option(
        "--keep-views",
        help="Keep the run of each view, under OUT/.vsscli/views; later calls keep them too.",
        rich_help_panel=EXECUTION,
    ),
]
KeepTopk = Annotated[
    int | None,
    typer.Option(
        "--keep-topk",
        min=1,
        max=8,
        help="Keep the K best classes of every cell of the network's output with their probabilities, under "
        "OUT/.vsscli/topk, for 'ensemble --method mean'. Finished videos without them are made again.",
        show_default=False,
        rich_help_panel=EXECUTION,
    ),
]

KeyInterval = Annotated[
    int | None,
    typer.Option(
        "--key-interval",
        min=1,
        help="The network sees every Nth frame of a video, its scores are carried to those between: "
        "'vsscli guide key-frames'. Default: 5 for MPVSS, every frame for other models.",
        show_default=False,
        rich_help_panel=IDENTITY,
    ),
]
Propagate = Annotated[
    str | None,
    typer.Option(
        help="How, where the model has no flow of its own (or instead of it): farneback (classical flow) or zero "
        "(a copy).",
        show_default=False,
        rich_help_panel=IDENTITY,
    ),
]
NetworkWorkers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Worker processes. Default: one per accelerator, or one on the CPU that spreads frames over its cores.",
        show_default=False,
        rich_help_panel=EXECUTION,
    ),
]


def infer(
    data: Data,
    model: Model,
    out: Out,
    split: Split = "val",
    size: Size = None,
    scales: Scales = "1.0",
    flip: Flip = False,
    class_map: ClassMapOption = None,
    causal: Causal = False,
    dtype: Dtype = "auto",
    seed: Seed = 0,
    device: Device = "auto",
    batch: Batch = None,
    keep_views: KeepViews = False,
    keep_topk: KeepTopk = None,
    key_interval: KeyInterval = None,
    propagate: Propagate = None,
    videos: Videos = None,
    shard: Shard = None,
    workers: NetworkWorkers = None,
    engine: Engine = "local",
    address: Address = None,
    dry_run: DryRun = False,
) -> None:
    """Make label maps: a network over every frame of every video.

    With several views (scales, flip) there is one run per view, and the runs are voted, pixel by pixel. The same
    command again continues an interrupted run. Frames stream: memory does not grow with the length of a video; only
    DVIS++, VidEoMT, PMT and LVMT keep something of each frame until its video ends, and say how much before they start.

    With --class-map, the probabilities of source classes that share a target are added up; what has no target is
    left out.

    --keep-topk keeps class probabilities beside the label maps (about 0.25 MB a frame at 480p for K = 4), for
    'vsscli ensemble --method mean': see 'vsscli guide scores'.

    With --key-interval N the network sees every Nth frame only. MPVSS carries its masks on by a flow of its own; other
    models need --propagate, and that is not MPVSS.

    Models: DVIS++, MPVSS, VidEoMT, PMT, LVMT (see vsscli models and vsscli convert); of transformers: Mask2Former,
    OneFormer, EoMT, SegFormer, UPerNet, BEiT, DPT; and in the box tiny, tiny-mvc and tiny-mpvss,
    which know generated videos only.

    The test double answers from the masks with errors as asked, and is no model:
    --model 'oracle:noise=0.05,flicker=0.1,drop=0.2,lag=1,confuse=sea>lake'

    Example: vsscli infer VSPW_480p --model models/m2f-vspw --scales 0.9,1.0,1.1,1.2 --flip --out runs/m2f
    """
    from vsscli.data.open import open_dataset
    from vsscli.engine import cores, find_cluster, plan, produce, select_videos
    from vsscli.infer.build import find_devices
    from vsscli.infer.oracle import PREFIX
    from vsscli.runs.output import check_above

    check_above(out)
    dataset = open_dataset(data, split)
    chosen = select_videos(dataset.names(), videos, shard)
    cluster = find_cluster(engine, address)
    views = size, scales, flip, class_map, dtype, batch, keep_views, keep_topk
    request = Request(model, *views, causal, key_interval, propagate)
    if model.partition(":")[0] == PREFIX:
        devices = cluster.devices("cpu", workers) if cluster else ["cpu"] * (workers or cores())
        stage = _oracle(dataset, request, seed, chosen)
        planned = plan(stage, out, chosen)
    else:
        devices = cluster.devices(device, workers, whole=True) if cluster else find_devices(device, workers)
        stage, planned = _network(dataset, request, devices, out, chosen, cluster)
    if dry_run:
        announce_plan(stage, *planned, out)
        return
    outcome = produce(stage, out, chosen, devices, cluster, planned)
    finish(outcome, out, "infer")


def _oracle(dataset: "Dataset", request: Request, seed: int, videos: tuple[str, ...]) -> "Stage":
    from vsscli.infer.oracle import OracleStage

    if request.keep_topk is not None:
        raise OptionError("The test double has no class probabilities for --keep-topk to keep.", "Give a model.")
    if request != Request(request.model, batch=request.batch, keep_views=request.keep_views):
        raise OptionError(
            "The test double has no input size and no network: --size, --scales, --flip, --class-map, --causal, "
            "--dtype, --key-interval and --propagate do not apply.",
            "Leave them out, or give a model.",
        )
    if videos and not any(_has_masks(dataset, video) for video in videos):
        raise DataError(
            f"None of the {plural(len(videos), 'video')} has masks, and the test double answers from them.",
            "Give a split with masks (--split), or a model.",
        )
    say("infer: THE TEST DOUBLE answers from the masks, with errors as asked. It is no model.")
    return OracleStage(dataset, request.model, seed)


def _has_masks(dataset: "Dataset", video: str) -> bool:
    try:
        return dataset.video(video).has_masks()
    except DataError:
        return True  # what is wrong with it is told when its turn comes


def _network(
    dataset: "Dataset",
    request: Request,
    devices: list[str],
    out: Path,
    videos: tuple[str, ...],
    cluster: "Cluster | None",
) -> "tuple[Stage, tuple[list[str], list[str]]]":
    """The stage, and what is planned with it; says what will be done and what that needs."""
    from vsscli.engine import plan
    from vsscli.infer.build import build
    from vsscli.infer.room import check_room, find_need
    from vsscli.models.box import caution

    built = build(dataset, request, devices, out, cluster.share(devices) if cluster else None)
    warning = caution(request.model)
    if warning is not None:
        say(f"infer: {warning}")
    for note in built.class_map.notes:
        say(f"infer: {note}")
    sizes = ", ".join(view.name for view in built.views)
    places = ", ".join(dict.fromkeys(devices))
    views = f"{plural(len(built.views), 'view')} ({sizes})"
    over = f" over {plural(len(cluster.fit(devices[0])), 'node')} of a Ray cluster" if cluster else ""
    say(f"infer: {built.told}; {views}; on {places}, {plural(len(devices), 'worker')}{over}.")
    todo, before = plan(built.stage, out, videos)
    need = None if request.causal else find_need(dataset, todo, built.views, built.card, built.interval)
    if need is not None and cluster is not None:
        say(f"infer: {need.told} until its end, on the node that has it.")
    elif need is not None:
        say(f"infer: {check_room(need, out, min(len(devices), len(todo)))}")
    return built.stage, (todo, before)
