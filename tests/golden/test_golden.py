"""What the official scripts answer, unmodified, on generated data: equal here, whatever the number of workers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden.generate import generate
from vsscli.data.open import open_dataset
from vsscli.runs.run import open_run
from vsscli.score.protocols import PROTOCOLS
from vsscli.score.reading import count_run, make_rule
from vsscli.score.result import describe

EXPECTED: dict[str, dict[str, dict[str, float | None]]] = json.loads(
    (Path(__file__).parent / "expected.json").read_text()
)


@pytest.fixture(scope="session", params=sorted(EXPECTED))
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp(f"golden{request.param}")
    generate(out, int(request.param))
    return request.param, out


def score(out: Path, protocol: str, workers: int) -> dict[str, Any]:
    dataset = open_dataset(out / "data", "val")
    rule = make_rule(dataset, PROTOCOLS[protocol])
    return describe(count_run(open_run(out / "pred"), dataset, rule, workers=workers))


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_equals_the_official_scripts(generated: tuple[str, Path], protocol: str) -> None:
    seed, out = generated
    result = score(out, protocol, 1)
    for name, value in EXPECTED[seed][protocol].items():
        if value is None:
            assert result[name] is None, name
        else:
            assert result[name] == pytest.approx(value, rel=0, abs=1e-12), name


def test_every_official_answer_is_checked() -> None:
    assert {protocol for answers in EXPECTED.values() for protocol in answers} == PROTOCOLS.keys()
    assert min(len(answers["mmseg"]) for answers in EXPECTED.values()) == 5


def test_workers_change_nothing(generated: tuple[str, Path]) -> None:
    _, out = generated
    assert score(out, "vspw", 3) == score(out, "vspw", 1)
