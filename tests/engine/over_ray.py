"""Run as a script by the tests of Ray: ``produce`` over a cluster, as a verb does it.

``OUT ADDRESS SECONDS VIDEO,...``: prints who was finished now, before, failed, and whether it was interrupted, as JSON.
"""

import json
import sys
from pathlib import Path

from tests.engine.stages import Stripes
from vsscli.engine import find_cluster, produce


def main(out: str, address: str, seconds: str, videos: str) -> None:
    cluster = find_cluster("ray", address)
    assert cluster is not None
    outcome = produce(Stripes(seconds=float(seconds)), Path(out), videos.split(","), cluster.devices(), cluster)
    print(json.dumps([sorted(outcome.done), outcome.before, outcome.failed, outcome.interrupted]))


if __name__ == "__main__":
    main(*sys.argv[1:])
