"""Training: how fast clips are read against how fast a step takes them; memory and seconds of a step.

The tiny segmenter as it is in ``pipelines/configs``, and the official R50 configs with one clip at a time, each on what
the one before wrote (weights at random: what is computed does not depend on them). One thread, CPU seconds, fp32; on a
machine with a GPU the steps are taken there, and their seconds are those of the wall. The R50 segmenter draws short
sides up to 800 without a crop: one clip of four frames takes more than 24 GB in fp32, so a machine of that size ends
the process, which is told.
"""

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import torch

from tests.support import peak_memory
from vsscli.data.world import write_world
from vsscli.infer.semantic import label_map_from_queries
from vsscli.resources import resource_folder
from vsscli.train.batches import Share, batches
from vsscli.train.loop import Trainer
from vsscli.train.processes import join
from vsscli.train.reading import read_config
from vsscli.train.session import Request, open_session

STEPS = 2
CASES = {"tiny/segmenter": "random", "dvis/r50-segmenter": "random", "dvis/r50-online": "dvis/r50-segmenter"}
CASES["dvis/r50-offline"] = "dvis/r50-online"
OWN = ["validation.split=null"]


def measure(trainer: Trainer) -> None:
    """Prints what reading and stepping cost."""
    config, gpu = trainer.config, trainer.processes.device.type == "cuda"
    clock = time.perf_counter if gpu else time.process_time
    began = time.process_time()
    read = list(batches(trainer.samples, Share(config.batch), 0, STEPS + 1, 0))
    load = (time.process_time() - began) / len(read)
    trainer._step(iter(read[:1]))  # what is done once only
    began = clock()
    for batch in read[1:]:
        trainer._step(iter([batch]))
    if gpu:
        torch.cuda.synchronize()
    step, frames = (clock() - began) / STEPS, config.batch * config.clip.frames
    memory = torch.cuda.max_memory_allocated() / 1e9 if gpu else peak_memory() / 1e6
    print(f"  {frames} frames a step: read in {load:.2f} s, taken in {step:.2f} s ({step / frames:.2f} a frame)")
    print(f"  one reader feeds {step / load:.1f} of such trainers; memory {memory:.1f} GB at the peak", flush=True)


def run(name: str, root: Path) -> None:
    """One case, in a process of its own."""
    torch.set_num_threads(1)
    processes = join("auto")
    changes = list(OWN)
    if name.startswith("dvis"):
        init = CASES[name]
        changes += [f"init={init if init == 'random' else root / init}", "batch=1", "accumulate=1"]
        changes += [] if processes.device.type == "cuda" else ["amp=none"]
    config = read_config(resource_folder("pipelines") / f"configs/{name}.yaml", changes)
    out = root / name
    out.parent.mkdir(exist_ok=True)
    with open_session(Request(config, root / "data", out), processes, label_map_from_queries) as session:
        print(f"{name}: {session.told[0]}; on {processes.device}", flush=True)
        measure(session.trainer)
        assert session.trainer.folder is not None
        session.trainer.folder.write_model(session.trainer.stage.model.state_dict(), last=False)


def main() -> None:
    """CPU seconds on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_world(root / "data", seed=0, videos={"train": 4, "val": 0, "test": 0}, frames=8, size=(480, 854))
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
