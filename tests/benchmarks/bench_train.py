"""Training: how fast clips are read against how fast a step takes them; memory, seconds and the dearest operations of a
step.

The tiny trainings as they are in ``pipelines/configs``, and the official R50 and ViT-L ones with one clip at a time,
each on what the one before wrote (weights at random: what is computed does not depend on them). On a machine with a GPU
the steps are taken there, as the configs say, and their seconds are those of the wall. Without one: one thread, CPU
seconds, fp32, and the official ones on frames of 480 lines, for at their own sizes (short sides up to 800) one clip of
the R50 segmenter takes more than 24 GB; at 480 that of ViT-L takes 20.
"""

import json
import os
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from tests.support import peak_memory
from vsscli.data.world import write_world
from vsscli.infer.semantic import label_map_from_queries
from vsscli.models.dvis.config import ViTAdapterBackbone
from vsscli.resources import resource_folder
from vsscli.train.batches import Share, batches
from vsscli.train.loop import Trainer
from vsscli.train.processes import join
from vsscli.train.reading import read_config
from vsscli.train.session import Request, open_session

STEPS = 2
#: What is measured, and what each begins with.
CASES = {
    "tiny/segmenter": "random",
    "tiny/details": "tiny/segmenter",
    "tiny/identities": "tiny/details",
    "tiny/tracker": "tiny/identities",
    "tiny/tracker-mvc": "tiny/identities",
    "tiny/refiner": "tiny/tracker",
    "tiny/refiner-mvc": "tiny/tracker-mvc",
    "tiny/mpvss": "tiny/identities",
    "dvis/r50-segmenter": "random",
    "dvis/r50-online": "dvis/r50-segmenter",
    "dvis/r50-online-mvc": "dvis/r50-segmenter",
    "dvis/r50-offline": "dvis/r50-online",
    "mpvss-r50": "dvis/r50-segmenter",
    "dvis/vitl-segmenter": "random",
    "dvis/vitl-online": "dvis/vitl-segmenter",
    "dvis/vitl-online-mvc": "dvis/vitl-segmenter",
    "dvis/vitl-offline": "dvis/vitl-online",
}
#: What is in the model that the ViT-L configs begin with, and not at random.
VITL = {"backbone": {"type": "vit_adapter", **asdict(ViTAdapterBackbone())}, "queries": 200}


def measure(trainer: Trainer) -> None:
    """Prints what reading and stepping cost."""
    config, gpu = trainer.config, trainer.processes.device.type == "cuda"
    clock = time.perf_counter if gpu else time.process_time
    began = time.process_time()
    read = list(batches(trainer.samples, Share(config.batch), 0, STEPS + 2, 0))
    load = (time.process_time() - began) / len(read)
    trainer._step(iter(read[:1]))  # what is done once only
    began = clock()
    for batch in read[1 : STEPS + 1]:
        trainer._step(iter([batch]))
    if gpu:
        torch.cuda.synchronize()
    step, frames = (clock() - began) / STEPS, config.batch * config.clip.frames
    memory = torch.cuda.max_memory_allocated() / 1e9 if gpu else peak_memory() / 1e6
    print(f"  {frames} frames a step: read in {load:.2f} s, taken in {step:.2f} s ({step / frames:.2f} a frame)")
    print(f"  one reader feeds {step / load:.1f} of such trainers; memory {memory:.1f} GB at the peak", flush=True)
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]) as found:
        trainer._step(iter(read[-1:]))
    costs = {
        each.key: each.self_device_time_total if gpu else each.self_cpu_time_total for each in found.key_averages()
    }
    dearest = sorted(costs, key=lambda name: -costs[name])[:6]
    total = sum(costs.values())
    print("  dearest: " + ", ".join(f"{name.removeprefix('aten::')} {costs[name] / total:.0%}" for name in dearest))


def run(name: str, root: Path) -> None:
    """One case, in a process of its own."""
    torch.set_num_threads(1)
    processes = join("auto")
    init = CASES[name]
    changes = ["validation.split=null", f"init={init if init == 'random' else root / init}"]
    if name == "dvis/vitl-segmenter":
        changes.append(f"model={json.dumps(VITL)}")
    if not name.startswith("tiny"):
        changes += ["batch=1", "accumulate=1"]
        if processes.device.type != "cuda":
            changes += ["amp=none", "input.short=[480]", "input.crop_range=null"]
    config = read_config(resource_folder("pipelines") / f"configs/{name}.yaml", changes)
    out = root / name
    out.parent.mkdir(exist_ok=True)
    with open_session(Request(config, root / "data", out), processes, label_map_from_queries) as session:
        print(f"{name}: {session.told[0]}; on {processes.device}", flush=True)
        measure(session.trainer)
        assert session.trainer.folder is not None
        session.trainer.folder.write_model(session.trainer.stage.model.state_dict(), last=False)


def main() -> None:
    """CPU seconds on one thread, where there is no GPU."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_world(root / "data", seed=0, videos={"train": 8, "val": 0, "test": 0}, frames=24, size=(480, 854))
        for name in CASES:
            child = os.fork()
            if not child:
                try:
                    run(name, root)
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if status:
                code = os.waitstatus_to_exitcode(status)
                sys.exit(f"{name}: its process ended with {code} (-9: memory ran out); nothing after it")


if __name__ == "__main__":
    main()
