"""``make bench``: runs every ``bench_*`` module here, or those named (``make bench BENCH="score vote"``).

Each prints a table of ratios against a floor or a peer measured in the same run. Nothing here is asserted: what a
machine gives is for people to judge.
"""

import importlib
import sys
from pathlib import Path


def main() -> None:
    asked = sys.argv[1:]
    there = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    unknown = set(asked) - set(there)
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(there)}")
    for name in asked or there:
        print(f"== {name}", flush=True)
        importlib.import_module(f"tests.benchmarks.bench_{name}").main()
        print(flush=True)


if __name__ == "__main__":
    main()
