"""Runs the harness of `kill` over its table."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.recipes.small import write_recipe
from tests.end_to_end.kill import CASES, attack, complete
from tests.end_to_end.nursery import Nursery
from tests.fixtures.formula import weights
from tests.fixtures.recorded import vmt_key_list
from tests.models.convert.official import write as write_official
from tests.models.convert.official import write_arch
from tests.models.dvis.folders import write_random
from tests.models.mpvss.cases import write_random as write_mpvss
from tests.models.tiny import write
from tests.models.vmt.folders import write_random as write_vmt
from tests.postprocess.server import Server
from tests.postprocess.worlds import first_offered, write_groups
from tests.support import make_vspw, tree
from tests.train.small import write_config, write_model


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def places(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path | str]]:
    folder = tmp_path_factory.mktemp("kill")
    data = make_vspw(folder / "data", {"1_a": (6, 72, 80), "2_b": (5, 80, 72), "3_c": (7, 96, 72)})
    runs = {name: folder / name for name in ("a", "b", "c")}
    for i, run in enumerate(runs.values()):
        command = ["infer", str(data), "--model", "oracle:noise=0.2", "--seed", str(i), "--out", str(run)]
        complete(nursery, command, folder / "log.txt")
    official = write_arch(folder / "official.pth", "dvis_tiny_online")
    official_lvmt = write_official(folder / "lvmt.pth", weights(vmt_key_list("lvmt_dinov3_tiny")))
    models = {"model": write(folder / "model", "mask2former"), "dvis": write_random(folder / "dvis", "offline")}
    models["lvmt"] = write_vmt(folder / "lvmt", "lvmt", encoder="dinov3")
    models["mpvss"] = write_mpvss(folder / "mpvss")
    for name, size in (("s", "32"), ("t", "48")):
        runs[name] = folder / name
        kept = ["--size", size, "--keep-topk", "4", "--out", str(runs[name])]
        complete(nursery, ["infer", str(data), "--model", str(models["model"]), *kept], folder / "log.txt")
    groups, recipe = write_groups(folder / "groups.csv"), write_recipe(folder / "recipe.yaml")
    training = write_config(folder / "training.yaml", validation={"every": 2, "frames": 2})
    carrying = {"init": str(write_model(folder / "segmenter", "segmenter")), "validation": {"every": 2, "frames": 2}}
    models["training_mpvss"] = write_config(folder / "mpvss.yaml", "mpvss", **carrying)
    files = {"data": data, "official": official, "official_lvmt": official_lvmt, "groups": groups, "training": training}
    files["recipe"] = recipe
    with Server(first_offered) as server:
        yield {**files, "server": server.url, **models, **runs}


@pytest.mark.parametrize("name", CASES)
def test_killed_and_repeated_gives_the_same_bytes(
    name: str, nursery: Nursery, places: dict[str, Path | str], tmp_path: Path
) -> None:
    data = Path(places["data"])
    before = tree(data)
    whole, outcomes = attack(nursery, CASES[name], places, tmp_path)
    assert whole
    for outcome in outcomes:
        names = sorted(outcome.bytes.keys() | whole.keys())
        assert [name for name in names if outcome.bytes.get(name) != whole.get(name)] == []
    assert sum(outcome.hit for outcome in outcomes) >= len(outcomes) // 2, "the kills came too late to mean anything"
    assert tree(data) == before


def test_there_are_enough_kill_points() -> None:
    assert sum(case.kills for case in CASES.values()) >= 50
