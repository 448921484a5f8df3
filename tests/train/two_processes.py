"""Run by ``torchrun``: trains, and writes what this process ends with to ``OUT.<rank>.json``."""

import json
import sys
from pathlib import Path

import torch

from tests.train.small import LABEL_MAP
from vsscli.train.processes import join, leave
from vsscli.train.reading import read_config
from vsscli.train.session import Request, open_session


def main() -> None:
    config, data, out = map(Path, sys.argv[1:4])
    torch.set_num_threads(1)
    processes = join("cpu")
    with open_session(Request(read_config(config), data, out), processes, LABEL_MAP) as session:
        reports = [vars(report) | {"seconds": 0} for report in session.trainer.run()]
        # Buffers are the first process's, and every forward begins with them.
        weights = {name: each.double().sum().item() for name, each in session.trainer.stage.named_parameters()}
    path = out.with_name(f"{out.name}.{processes.rank}.json")
    path.write_text(json.dumps({"weights": weights, "told": session.told, "reports": reports}))
    leave()


if __name__ == "__main__":
    main()
