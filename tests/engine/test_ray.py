"""Over a real Ray cluster of two nodes: the same bytes, what dies is replaced, and one sentence for what is amiss."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.nodes import Nodes, two_nodes
from tests.engine.stages import Stripes, contents
from tests.models.test_plugin import install
from tests.postprocess.server import Server
from tests.postprocess.worlds import see, world, write_data, write_run
from vsscli.cli.main import run
from vsscli.engine import find_cluster, produce
from vsscli.engine.cluster import Cluster, Node
from vsscli.errors import DeviceError, OptionError

pytestmark = pytest.mark.xdist_group("ray")  # one cluster for all

VIDEOS = [f"v{i}" for i in range(6)]
NETWORK = """
import torch
from vsscli.models.plugin import DenseScores, Plugin, Preprocess
class Bright(Plugin):
    classes = ("sea", "lake", "river")
    preprocess = Preprocess(32, 64, divisor=4)
    def load(self, device):
        self.net = torch.nn.Conv2d(3, 3, 4, 4)
        weight = torch.arange(144).reshape(3, 3, 4, 4) % 7 - 3.0
        self.net.load_state_dict({"weight": weight, "bias": torch.zeros(3)})
    def forward(self, pixels):
        return [DenseScores(values, True) for values in self.net(pixels)]
"""
VERBS = "import json, sys; from vsscli.cli.main import run; print([run(words) for words in json.loads(sys.argv[1])])"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that is installed on all nodes."""
    folder = tmp_path_factory.mktemp("site")
    install(folder, "bright", NETWORK, "bright = bright:Bright")
    return folder


@pytest.fixture(scope="module")
def nodes(site: Path) -> Iterator[Nodes]:
    with two_nodes(site) as running:
        yield running


def start(nodes: Nodes, out: Path, seconds: float = 0.0, videos: list[str] = VIDEOS) -> "subprocess.Popen[str]":
    return nodes.start("-m", "tests.engine.over_ray", str(out), nodes.address, str(seconds), ",".join(videos))


def finish(process: "subprocess.Popen[str]") -> Any:
    output, said = process.communicate(timeout=600)
    assert process.returncode == 0 and output.startswith("["), (output, said)
    assert all(line.startswith("stripes: ") for line in said.splitlines()), said  # progress; Ray is kept quiet
    return json.loads(output)


def done_in(path: Path) -> dict[str, int]:
    return {record.stem: record.stat().st_mtime_ns for record in (path / ".vsscli" / "done").glob("*.json")}


def wait_for_one(path: Path) -> None:
    deadline = time.monotonic() + 600
    while not done_in(path):
        assert time.monotonic() < deadline, "nothing was finished"
        time.sleep(0.01)


def doing_in(path: Path) -> list[Path]:
    return list((path / ".vsscli" / "doing").iterdir())


def test_the_same_bytes_and_one_bad_video_stops_no_other(nodes: Nodes, tmp_path: Path) -> None:
    """One that takes its process with it is tried three times."""
    done, _, failed, _ = finish(start(nodes, tmp_path / "ray", videos=["bad", "killed", "bug", *VIDEOS]))
    assert done == VIDEOS
    assert failed["bad"] == "frame 2 of bad is broken."
    assert "ZeroDivisionError" in failed["bug"]
    assert "killed 3 times" in failed["killed"]
    produce(Stripes(), tmp_path / "local", VIDEOS)
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
    assert not doing_in(tmp_path / "ray")


def test_a_node_that_dies_costs_what_was_running_and_nothing_else(nodes: Nodes, tmp_path: Path) -> None:
    path = tmp_path / "run"
    process = start(nodes, path, 0.2)
    wait_for_one(path)
    assert nodes.tell("kill") == "done"
    finished = done_in(path)
    assert finish(process) == [VIDEOS, [], {}, False]
    assert finished.items() <= done_in(path).items() and sorted(done_in(path)) == VIDEOS
    produce(Stripes(), tmp_path / "local", VIDEOS)
    assert contents(path) == contents(tmp_path / "local")
    assert not doing_in(path)
    assert nodes.tell("add") == "done"


def test_ctrl_c_leaves_what_is_finished_and_nothing_else(nodes: Nodes, tmp_path: Path) -> None:
    path = tmp_path / "run"
    process = start(nodes, path, 0.2)
    wait_for_one(path)
    os.killpg(process.pid, signal.SIGINT)
    done, _, failed, interrupted = finish(process)
    assert interrupted and not failed and len(done) < len(VIDEOS)
    assert not doing_in(path)
    stands = sorted(done_in(path))
    assert done == stands
    rest = produce(Stripes(), path, VIDEOS)
    assert (rest.before, rest.done) == (stands, sorted(set(VIDEOS) - set(stands)))


def test_the_verbs_give_the_same_bytes(
    nodes: Nodes, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network, a vote, answers applied, a score; named from the working folder, which the nodes take too."""
    write_data(tmp_path / "data", world())
    write_run(tmp_path / "run", world())
    monkeypatch.syspath_prepend(str(site))
    with Server(see) as server:
        llm = ["--llm", "llava", "--base-url", server.url]
        words = ["postprocess", str(tmp_path / "run"), "--data", str(tmp_path / "data"), *llm]
        assert run([*words, "--out", str(tmp_path / "local" / "corrected")]) == 0
    answers = tmp_path / "ray" / "corrected" / ".vsscli" / "answers.jsonl"
    answers.parent.mkdir(parents=True)
    answers.write_bytes((tmp_path / "local" / "corrected" / ".vsscli" / "answers.jsonl").read_bytes())

    def verbs(root: Path, where: str) -> list[list[str]]:
        data, net = str(root / "data"), str(root / where / "net")
        model = ["--model", "bright", "--size", "32"]
        first = str(root / "run")
        return [
            ["infer", data, *model, "--scales", "1,1.5", "--out", net],
            ["ensemble", first, net, "--method", "vote", "--out", str(root / where / "vote")],
            ["postprocess", first, "--data", data, *llm, "--offline", "--out", str(root / where / "corrected")],
            ["score", str(root / where / "vote"), "--data", data, "--json", str(root / where / "score.json")],
        ]

    remote = [[*words, "--engine", "ray", "--address", nodes.address] for words in verbs(Path(), "ray")]
    for words in remote[1:]:
        words += ["--workers", "1"]  # a worker takes seconds to start
    place = f"import os; os.chdir({str(tmp_path)!r}); "
    process = nodes.start("-c", place + VERBS, json.dumps(remote))
    output, said = process.communicate(timeout=600)
    assert output.endswith("[0, 0, 0, 0]\n"), said
    assert "1 worker over" not in said and "on cpu, 2 workers over 2 nodes of a Ray cluster" in said
    assert [run(words) for words in verbs(tmp_path, "local")] == [0, 0, 0, 0]
    for made in ("net", "vote", "corrected"):
        assert contents(tmp_path / "ray" / made) == contents(tmp_path / "local" / made)
    score, other = (json.loads((tmp_path / where / "score.json").read_text()) for where in ("ray", "local"))
    assert score == other and score["videos"] == len(world())
    capsys.readouterr()


def test_a_disk_that_is_not_shared_is_told_first(nodes: Nodes, tmp_path: Path) -> None:
    """Nodes of one machine see one disk: here the file that they are to read is taken away, as if it were another."""
    hide = "import vsscli.engine.ground as g; g.PATIENCE = 0; g.secrets.token_hex = lambda n: 'word'; "
    hide += "w = g.Path.write_text; g.Path.write_text = lambda p, t, **m: None if p.name == 'word' else w(p, t, **m); "
    script = f"{hide}from tests.engine.over_ray import main; main(*{[str(tmp_path / 'out'), nodes.address, '0', 'v0']})"
    output, said = nodes.start("-c", script).communicate(timeout=600)
    last = said.splitlines()[-1]
    sentence = (
        r"\S*RunError: Node \S+ of the Ray cluster does not see what is written to \S+ \(--out\)\. All nodes need"
    )
    assert re.match(sentence, last) and not output, said
    assert not (tmp_path / "out" / "run.json").exists() and not doing_in(tmp_path / "out")


def test_a_cluster_with_another_token_is_one_sentence(nodes: Nodes) -> None:
    script = "from vsscli.engine import find_cluster; find_cluster('ray', __import__('sys').argv[1])"
    wrong = {"RAY_AUTH_TOKEN": "f" * 32}
    _, said = nodes.start("-c", script, nodes.address, **wrong).communicate(timeout=600)
    last = said.splitlines()[-1]
    assert last.startswith("vsscli.errors.OptionError: No Ray cluster answers at") and "token" in last
    assert "gcs_client" not in said


def test_what_is_no_engine_and_no_cluster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_cluster("local", None) is None
    for engine, address, sentence in (
        ("slurm", None, "is no engine"),
        ("local", "127.0.0.1:6379", "is for --engine ray"),
        ("ray", "127.0.0.1", "is not HOST:PORT"),
        ("ray", "ray://127.0.0.1:10001", "is not HOST:PORT"),
        ("ray", "127.0.0.1:1", "No Ray cluster answers at 127.0.0.1:1"),
    ):
        with pytest.raises(OptionError, match=sentence):
            find_cluster(engine, address)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(OptionError, match="not installed") as caught:
        find_cluster("ray", None)
    assert caught.value.hint is not None and "'.[ray]' in the checkout" in caught.value.hint


def test_workers_are_as_many_as_have_room() -> None:
    cpus = Cluster((Node("a", "h1", 4, 0), Node("b", "h2", 64, 0), Node("c", "h3", 0, 0)))
    assert cpus.devices() == ["cpu"] * 68 and cpus.devices(workers=100) == ["cpu"] * 68
    assert cpus.devices("auto", whole=True) == ["cpu"] * 2 and cpus.devices("cpu", 3, whole=True) == ["cpu"] * 3
    assert [cpus.share(["cpu"] * n) for n in (1, 2, 3, 68)] == [4, 4, 2, 1]
    gpus = Cluster((Node("a", "h1", 8, 0), Node("b", "h2", 32, 8), Node("c", "h3", 16, 4)))
    assert gpus.devices("auto") == gpus.devices("cuda", 99) == ["cuda"] * 12 and gpus.devices("cuda", 3) == ["cuda"] * 3
    assert gpus.share(["cuda"] * 12) == 2 and gpus.devices("cpu", whole=True) == ["cpu"] * 3
    with pytest.raises(DeviceError, match="No node of the Ray cluster has a GPU"):
        cpus.devices("cuda")
    with pytest.raises(DeviceError, match="has a CPU"):
        Cluster((Node("a", "h1", 0, 0),)).devices()
    with pytest.raises(OptionError, match="Ray chooses"):
        gpus.devices("cuda:1")
