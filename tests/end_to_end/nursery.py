"""Commands as processes of their own, without waiting for Python to import torch a hundred times.

A process that has loaded what vsscli needs forks one child per command; the child runs the command line as
``python -m vsscli`` would, in a session of its own, and can be killed like any process.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self


class Nursery:
    """The loaded process; a context manager."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.end_to_end.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[2],
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def _ask(self, *request: object) -> int | None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: int | None = json.loads(self._process.stdout.readline())
        return answer

    def start(self, arguments: list[str], log: Path) -> int:
        """Starts ``vsscli ARGUMENTS`` with its output in ``log``; the process id, which is also its group's."""
        pid = self._ask("start", arguments, str(log))
        assert pid is not None
        return pid

    def poll(self, pid: int) -> int | None:
        """The exit code, negative for a signal; None while the command runs."""
        return self._ask("poll", pid)

    def wait(self, pid: int) -> int:
        """The exit code, once the command has ended."""
        code = self._ask("wait", pid)
        assert code is not None
        return code


def _fork(arguments: list[str], log: str) -> int:
    ready, leads = os.pipe()
    pid = os.fork()
    if pid:
        # The child's group must exist before anyone is told its id: a group that is not there yet cannot be killed.
        os.close(leads)
        os.read(ready, 1)
        os.close(ready)
        return pid
    os.setsid()
    os.close(leads)
    os.close(ready)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    from vsscli.cli.main import run

    code = run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    """Reads requests from stdin, one JSON list a line, and answers each with one line."""
    import openai  # noqa: F401
    from transformers.models.mask2former import modeling_mask2former  # noqa: F401

    import vsscli.cli.main
    import vsscli.infer.build
    import vsscli.models.load
    import vsscli.postprocess.client
    import vsscli.postprocess.effect
    import vsscli.postprocess.stage
    import vsscli.score.reading
    import vsscli.submit.pack  # noqa: F401

    done: dict[int, int] = {}
    for line in sys.stdin:
        verb, *rest = json.loads(line)
        answer: int | None
        if verb == "start":
            answer = _fork(*rest)
        else:
            (pid,) = rest
            if pid not in done:
                found, status = os.waitpid(pid, 0 if verb == "wait" else os.WNOHANG)
                if found:
                    done[pid] = os.waitstatus_to_exitcode(status)
            answer = done.get(pid)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
